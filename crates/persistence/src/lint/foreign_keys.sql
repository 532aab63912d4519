-- L5: a reference cannot leave its tenant. Foreign keys are checked without policies, so the tenant must be part of
-- the key, first on both sides; and the triggers that check them must be on.
select 'foreign key ' || f.conname, 'from ' || t.name || ' to ' || f.confrelid::regclass || ' does not carry the tenant'
from pg_constraint f join tenant_table t on t.oid = f.conrelid
left join tenant_table other on other.oid = f.confrelid
left join pg_attribute id on id.attrelid = f.confrelid and id.attname = 'id'
where f.contype = 'f' and not (case
    when other.oid is not null then f.conkey[1] = t.tenant_column and f.confkey[1] = other.tenant_column
    else f.confrelid = (select oid from base where name = 'tenants') and f.conkey = array[t.tenant_column] and f.confkey = array[id.attnum]
end)
union all
select 'foreign key ' || f.conname, 'from ' || b.name || ', which has no tenant, to ' || t.name
from pg_constraint f join base b on b.oid = f.conrelid join tenant_table t on t.oid = f.confrelid
where f.contype = 'f' and b.oid not in (select oid from tenant_table)
union all
select 'column ' || t.name || '.' || a.attname, 'refers to something, but no foreign key keeps it within the tenant'
from tenant_table t join pg_attribute a on a.attrelid = t.oid
where a.attname like '%\_id' and a.attname <> 'tenant_id' and a.atttypid = 'uuid'::regtype and not a.attisdropped
-- The allow-list: a user or a client, and the row may outlive it.
and (t.name, a.attname) not in (values ('idempotency_keys', 'principal_id'))
and not exists (
    select from pg_constraint f where f.conrelid = t.oid and f.contype = 'f' and a.attnum = any (f.conkey)
)
union all
select 'trigger ' || g.tgname, case when g.tgisinternal then 'on ' || b.name || ' checks a foreign key and is switched off'
    else 'on ' || b.name || ': triggers are not used here' end
from pg_trigger g join base b on b.oid = g.tgrelid
where not g.tgisinternal or g.tgenabled not in ('O', 'A')
union all
select 'rule ' || r.rulename, 'on ' || b.name || ': rewrite rules are not used here'
from pg_rewrite r join base b on b.oid = r.ev_class
