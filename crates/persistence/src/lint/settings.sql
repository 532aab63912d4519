-- Settings of roles and of the database: statements and waits end by themselves, names resolve in the product's schema, messages are recognisable, and nobody
-- is a tenant, an operator or under maintenance for good.
select 'role ' || r.name, 'lacks ' || wanted.setting || ' in this database; run bulkhead bootstrap'
from runtime r cross join (values ('search_path=bulkhead, pg_temp'), ('lc_messages=C')) as wanted (setting)
where not exists (
    select from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
    where s.setrole = r.oid and d.datname = current_database() and wanted.setting = any (s.setconfig)
)
union all
-- How long is the operator's choice; that there is a bound is not.
select 'role ' || r.name, 'has no ' || wanted.setting || ' in this database; run bulkhead bootstrap'
from runtime r cross join (values ('statement_timeout'), ('lock_timeout'), ('idle_in_transaction_session_timeout')) as wanted (setting)
where r.name in ('bulkhead_app', 'bulkhead_auth') and not exists (
    select from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase cross join unnest(s.setconfig) as set_to
    where s.setrole = r.oid and d.datname = current_database()
    and set_to like wanted.setting || '=%' and set_to !~ '=0[a-z]*$'
)
union all
select 'setting ' || setting, 'is set for good, for ' || coalesce(pg_roles.rolname, 'every role')
from pg_db_role_setting s cross join unnest(s.setconfig) as setting
left join pg_roles on pg_roles.oid = s.setrole
where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
and (setting like 'app.tenant\_id=%' or setting like 'bulkhead.%' or setting like 'session\_replication\_role=%'
    or setting like 'row\_security=%')
union all
select 'the search_path', 'is ' || current_setting('search_path') || ' for ' || current_user
where current_user in (select name from runtime) and current_setting('search_path') <> 'bulkhead, pg_temp'
