-- L3: every table has a tenant, or is on the allow-list.
select 'table ' || name, 'has no column tenant_id' from base
where name not in (select name from tenant_table) and name not in (select name from reference)
union all
select 'table ' || name, 'tenant_id is ' || format_type(atttypid, null) || case when attnotnull then '' else ', nullable' end
from tenant_table where atttypid <> 'uuid'::regtype or not attnotnull
