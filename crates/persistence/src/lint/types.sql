-- L11: no column whose comparison is not leak-proof in a way that is easily avoided: under policies its index is dead.
select 'column ' || b.name || '.' || a.attname, 'has type ' || format_type(a.atttypid, null) || '; use text and a check'
from base b join pg_attribute a on a.attrelid = b.oid join pg_type t on t.oid = a.atttypid
where a.attnum > 0 and not a.attisdropped and (t.typtype = 'e' or t.typname = 'citext')
