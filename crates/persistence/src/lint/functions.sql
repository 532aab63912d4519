-- L8: no function runs with its definer's rights within reach of a runtime role.
select 'function ' || p.oid::regprocedure, 'is SECURITY DEFINER and owned by ' || pg_get_userbyid(p.proowner)
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where p.prosecdef and (n.nspname = 'bulkhead' or exists (
    select from runtime r
    where has_schema_privilege(r.oid, n.oid, 'USAGE') and has_function_privilege(r.oid, p.oid, 'EXECUTE')
))
