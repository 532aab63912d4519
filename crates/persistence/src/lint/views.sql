-- L7: nothing readable runs with its owner's rights or holds a copy without policies.
select case v.relkind when 'v' then 'view ' when 'm' then 'materialised view ' else 'foreign table ' end || v.name,
    'is readable by ' || r.name || case v.relkind when 'v' then ' and lacks security_invoker' else ', and policies do not apply to it' end
from relation v cross join runtime r
where (v.relkind in ('m', 'f') or (v.relkind = 'v' and not exists (
    select from pg_options_to_table(v.reloptions) where option_name = 'security_invoker' and option_value::boolean
)))
and (has_any_column_privilege(r.oid, v.oid, 'SELECT, INSERT, UPDATE') or has_table_privilege(r.oid, v.oid, 'DELETE'))
