-- L10: a partition is reached through its parent only, whose policies would not apply to it.
select 'partition ' || b.name, 'is directly reachable by ' || r.name
from base b join pg_inherits i on i.inhrelid = b.oid cross join runtime r
where has_any_column_privilege(r.oid, b.oid, 'SELECT, INSERT, UPDATE') or has_table_privilege(r.oid, b.oid, 'DELETE, TRUNCATE')
