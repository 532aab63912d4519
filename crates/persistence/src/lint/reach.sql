-- L9: runtime roles can create nothing, count with no shared sequence, and reach no relation outside the schema.
select 'role ' || r.name, 'may ' || p.privilege || ' in database ' || current_database()
from runtime r cross join (values ('TEMP'), ('CREATE')) as p (privilege)
where has_database_privilege(r.oid, current_database(), p.privilege)
union all
select 'role ' || r.name, 'may create in schema ' || n.nspname
from (select name, oid from runtime union all select rolname, oid from pg_roles where rolname = 'bulkhead_search') r
cross join pg_namespace n where has_schema_privilege(r.oid, n.oid, 'CREATE')
union all
select 'sequence ' || s.name, 'is usable by ' || r.name || ', and tells one tenant of another''s volume'
from relation s cross join runtime r
where s.relkind = 'S' and has_sequence_privilege(r.oid, s.oid, 'USAGE, SELECT, UPDATE')
union all
select 'relation ' || n.nspname || '.' || c.relname, 'lies outside the schema and is within reach of ' || r.name
from runtime r cross join pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
and n.nspname not in ('bulkhead', 'pg_catalog', 'information_schema') and n.nspname not like 'pg\_toast%' and n.nspname not like 'pg\_temp%'
and has_schema_privilege(r.oid, n.oid, 'USAGE') and (
    has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE') or has_table_privilege(r.oid, c.oid, 'DELETE, TRUNCATE')
)
