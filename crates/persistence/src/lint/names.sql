-- Constraints are named so that the server can turn them into an answer about a field (migrations/README.md).
select 'constraint ' || c.conname, 'on ' || b.name || ' should be called ' || b.name || case c.contype
    when 'p' then '_pkey' when 'u' then '_{field}_unique' when 'f' then '_{field}_fk' else '_{field}_{what}' end
from pg_constraint c join base b on b.oid = c.conrelid
where c.contype in ('p', 'u', 'f', 'c') and not b.relispartition and not case c.contype
    when 'p' then c.conname = b.name || '_pkey'
    else starts_with(c.conname, b.name || '_') and length(c.conname) > length(b.name) + 2 and c.conname like case c.contype
        when 'u' then '%\_unique' when 'f' then '%\_fk' else '%' end
end
union all
select 'index ' || c.relname, 'on ' || b.name || ' should be called ' || b.name || '_{field}_unique'
from pg_index i join pg_class c on c.oid = i.indexrelid join base b on b.oid = i.indrelid
where i.indisunique and not i.indisprimary and not b.relispartition
and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype = 'u')
and not (starts_with(c.relname, b.name || '_') and c.relname like '%\_unique')
