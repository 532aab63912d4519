-- L6: each table has exactly its canonical policies: none missing (rows vanish or leak), none more (permissive
-- policies add up), none changed. The texts are as PostgreSQL prints them back.
, expression (own_rows, own_tenant, operator, upkeep) as (values (
    $$(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)$$,
    $$(id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)$$,
    $$(NULLIF(current_setting('bulkhead.platform_actor'::text, true), ''::text) IS NOT NULL)$$,
    $$(current_setting('bulkhead.maintenance'::text, true) = 'on'::text)$$
)), wanted (tablename, policyname, roles, cmd, qual, with_check) as (
    select name, 'tenant_isolation', '{bulkhead_app,bulkhead_auth}', 'ALL', own_rows, own_rows from tenant_table, expression
    union all
    select name, 'platform_access', '{bulkhead_platform}', 'ALL', operator, operator
    from (select name from tenant_table union select unnest(array['tenants', 'tenant_domains'])) as _ (name), expression
    union all
    select name, 'owner_maintenance', '{bulkhead_owner}', 'ALL', upkeep, upkeep
    from (select name from tenant_table union select unnest(array['tenants', 'tenant_domains'])) as _ (name), expression
    union all select name, 'search', '{bulkhead_search}', 'SELECT', 'true', null from searched
    union all select 'tenants', 'self', '{bulkhead_app}', 'ALL', own_tenant, own_tenant from expression
    union all select 'tenant_domains', 'self', '{bulkhead_app}', 'ALL', own_rows, own_rows from expression
    union all select 'tenants', 'directory', '{bulkhead_auth}', 'SELECT', 'true', null
    union all select 'tenant_domains', 'directory', '{bulkhead_auth}', 'SELECT', 'true', null
    union all select 'revocations', 'directory', '{bulkhead_auth}', 'SELECT', 'true', null
), actual as (
    select tablename::text, policyname::text, permissive, roles::text, cmd, qual, with_check
    from pg_policies where schemaname = 'bulkhead'
)
select 'policy ' || policyname || ' on ' || tablename, case
    when a.roles is null then 'is missing'
    when w.roles is null then 'is not one of the product''s, and lets ' || a.roles || ' ' || a.cmd || ' where ' || coalesce(a.qual, a.with_check, 'true')
    when a.permissive <> 'PERMISSIVE' then 'is restrictive'
    else 'differs from the canonical one: ' || a.cmd || ' to ' || a.roles || ' using ' || coalesce(a.qual, '-')
        || ' with check ' || coalesce(a.with_check, '-')
end
from wanted w full join actual a using (tablename, policyname)
where (w.roles, w.cmd, w.qual, w.with_check, 'PERMISSIVE')
    is distinct from (a.roles, a.cmd, a.qual, a.with_check, a.permissive)
