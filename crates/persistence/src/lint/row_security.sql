-- L2: row-level security is enabled, and forced on the owner too, on every table.
select 'table ' || name, case when relrowsecurity then 'row-level security is not forced on the owner'
    else 'row-level security is not enabled' end
from base where not (relrowsecurity and relforcerowsecurity) and name <> 'schema_migrations'
