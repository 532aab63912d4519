-- L1: no role that the product logs in as has a power or a membership that goes around policies, and none owns
-- anything; nor has whoever is asking.
, product (name, runs) as (
    values ('bulkhead_app', true), ('bulkhead_auth', true), ('bulkhead_platform', true),
           ('bulkhead_migrator', false), ('bulkhead_owner', false), ('bulkhead_search', false)
)
select 'role ' || name, 'does not exist' from product where name not in (select rolname from pg_roles)
union all
select 'role ' || r.rolname, 'has ' || power.name
from pg_roles r join product p on p.name = r.rolname
cross join lateral (values
    ('SUPERUSER', rolsuper), ('BYPASSRLS', rolbypassrls), ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
    ('REPLICATION', rolreplication), ('LOGIN', rolcanlogin and r.rolname in ('bulkhead_owner', 'bulkhead_search'))
) as power (name, held) where held
union all
select 'role ' || holder.rolname, 'is a member of ' || held.rolname
from pg_auth_members m
join pg_roles holder on holder.oid = m.member join pg_roles held on held.oid = m.roleid
join product p on p.name = holder.rolname
where (holder.rolname, held.rolname) not in (('bulkhead_migrator', 'bulkhead_owner'), ('bulkhead_owner', 'bulkhead_search'))
union all
select 'role ' || r.name, 'owns ' || case owned.kind
    when 'relation' then 'relation ' || owned.oid::regclass when 'function' then 'function ' || owned.oid::regprocedure
    else owned.kind || ' ' || owned.name end
from (select oid, rolname as name from pg_roles join product on name = rolname where runs or name = 'bulkhead_search') r join (
    -- Named only above, once the owner is known: naming thousands of functions took most of the time of all checks.
    select relowner as owner, 'relation' as kind, oid, null as name from pg_class
    where relnamespace <> pg_my_temp_schema()
    union all select nspowner, 'schema', oid, nspname from pg_namespace
    union all select proowner, 'function', oid, null from pg_proc
    union all select datdba, 'database', oid, datname from pg_database
) as owned on owned.owner = r.oid
-- Its functions are looked at one by one.
where not (r.name = 'bulkhead_search' and owned.kind = 'function')
union all
select 'relation ' || b.name, 'is owned by ' || pg_get_userbyid(b.relowner) || ', not by bulkhead_owner'
from relation b where pg_get_userbyid(b.relowner) <> 'bulkhead_owner' and b.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
union all
select 'the current role ' || r.rolname, 'is a superuser, has BYPASSRLS, or is (a member of) bulkhead_owner'
from pg_roles r left join pg_roles o on o.rolname = 'bulkhead_owner'
where r.rolname in (current_user, session_user)
and (r.rolsuper or r.rolbypassrls or coalesce(pg_has_role(r.oid, o.oid, 'MEMBER'), false))
