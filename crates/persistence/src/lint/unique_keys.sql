-- L4: what is unique is unique within a tenant. A wider key would tell one tenant of another's values.
select 'index ' || c.relname, 'is unique on ' || t.name || ' but does not start with tenant_id'
from pg_index i join pg_class c on c.oid = i.indexrelid join tenant_table t on t.oid = i.indrelid
where (i.indisunique or i.indisexclusion) and i.indkey[0] <> t.tenant_column
union all
select 'table ' || name, 'has no primary key' from base b
where not exists (select from pg_index i where i.indrelid = b.oid and i.indisprimary)
