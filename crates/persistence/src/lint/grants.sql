-- What policies do not cover, or what a role must not do even to its own rows.
, request_role as (
    select * from runtime where name <> 'bulkhead_platform'
), credential_table (name) as (
    values ('user_credentials'), ('refresh_families'), ('api_client_sessions'), ('credential_guards'), ('second_factors'),
        ('recovery_codes'), ('password_resets'), ('email_changes'), ('account_links')
)
select 'table ' || b.name, 'grants ' || p.privilege || ' to ' || r.name || ', which no policy limits'
from base b cross join runtime r cross join (values ('TRUNCATE'), ('REFERENCES'), ('TRIGGER')) as p (privilege)
where has_table_privilege(r.oid, b.oid, p.privilege)
union all
select 'relation ' || b.name, 'grants ' || g.privilege_type || ' to PUBLIC'
from relation b cross join lateral aclexplode(b.relacl) g where g.grantee = 0
union all
select 'column ' || b.name || '.' || a.attname, 'grants ' || g.privilege_type || ' to PUBLIC'
from relation b join pg_attribute a on a.attrelid = b.oid cross join lateral aclexplode(a.attacl) g where g.grantee = 0
union all
select 'column ' || t.name || '.' || a.attname, 'can be changed by ' || r.name
from tenant_table t cross join request_role r join pg_attribute a on a.attrelid = t.oid
where a.attname in ('tenant_id', 'id', 'created_at') and (t.name, a.attname) <> ('idempotency_keys', 'created_at')
and has_column_privilege(r.oid, t.oid, a.attnum, 'UPDATE')
union all
select 'table ' || b.name, 'holds credentials and is within reach of bulkhead_app'
from base b join runtime r on r.name = 'bulkhead_app'
where b.name in (select name from credential_table) and (
    has_any_column_privilege(r.oid, b.oid, 'SELECT, INSERT, UPDATE') or has_table_privilege(r.oid, b.oid, 'DELETE')
)
union all
select 'column ' || t.name || '.' || a.attname, 'holds a credential''s hash and is readable by bulkhead_app'
from tenant_table t join runtime r on r.name = 'bulkhead_app' join pg_attribute a on a.attrelid = t.oid
where a.attname like '%\_hash' and t.name not in (select name from credential_table)
and has_column_privilege(r.oid, t.oid, a.attnum, 'SELECT')
union all
select 'table ' || b.name, 'is append-only, and ' || r.name || ' can change or delete its rows'
from base b cross join request_role r where b.name = 'audit_log'
and (has_any_column_privilege(r.oid, b.oid, 'UPDATE') or has_table_privilege(r.oid, b.oid, 'DELETE'))
union all
select 'table ' || b.name, 'is an operator''s, and ' || r.name || ' can add, delete or change its rows'
from base b cross join request_role r where b.name in (select name from reference)
and (has_any_column_privilege(r.oid, b.oid, 'INSERT') or has_table_privilege(r.oid, b.oid, 'DELETE') or exists (
    select from pg_attribute a where a.attrelid = b.oid and a.attnum > 0 and not a.attisdropped
    and has_column_privilege(r.oid, b.oid, a.attnum, 'UPDATE')
    -- What a tenant decides about itself.
    and not (b.name = 'tenants' and r.name = 'bulkhead_app'
        and a.attname in ('name', 'settings', 'registration', 'version', 'updated_at'))
))
union all
-- Whatever this role may read, a function of its could read of every tenant.
select 'column ' || b.name || '.' || a.attname, 'is readable by bulkhead_search, which policies do not hold to one tenant'
from base b join pg_attribute a on a.attrelid = b.oid and a.attnum > 0 and not a.attisdropped
join pg_roles s on s.rolname = 'bulkhead_search'
where has_column_privilege(s.oid, b.oid, a.attnum, 'SELECT') and not exists (
    select from searched w where w.name = b.name
    and a.attname in ('tenant_id', 'id', 'search_words', w.title, w.title || '_search')
)
union all
select 'table ' || b.name, 'can be changed by bulkhead_search'
from base b join pg_roles s on s.rolname = 'bulkhead_search'
where has_any_column_privilege(s.oid, b.oid, 'INSERT, UPDATE, REFERENCES') or has_table_privilege(s.oid, b.oid, 'DELETE, TRUNCATE, TRIGGER')
