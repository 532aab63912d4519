-- What every check starts from; each check file goes on with a comma or a select. Answers (subject, detail), both text.
-- Asks the catalogue only, so that any role may run it.
with runtime as (
    select oid, rolname::text as name from pg_roles
    where rolname in ('bulkhead_app', 'bulkhead_auth', 'bulkhead_platform')
), relation as (
    select c.*, c.relname::text as name from pg_class c
    join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'bulkhead'
), base as (
    select * from relation where relkind in ('r', 'p')
), reference (name) as (
    -- The allow-list: tables that belong to no one tenant.
    values ('tenants'), ('tenant_domains'), ('schema_migrations')
), tenant_table as (
    select b.oid, b.name, b.relispartition, a.attnum as tenant_column, a.atttypid, a.attnotnull
    from base b join pg_attribute a on a.attrelid = b.oid and a.attname = 'tenant_id' and not a.attisdropped
    where b.name not in (select name from reference)
), searched (name, title) as (
    -- Tables that are searched by words, and the column that names a row: what `persistence/src/search.rs` lists.
    values {searched}
)
