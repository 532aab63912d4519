-- L8: no function runs with its definer's rights within reach of a runtime role, but the reviewed ones that search: one
-- for each searched table, each of exactly this text, owner, settings and grants. They are made by `bulkhead.make_searchable`.
, reviewed (name, source) as (
    select 'search_' || s.name, replace(replace($body$
declare
    own constant uuid := current_setting('app.tenant_id')::uuid;
    wanted constant tsquery := replace(bulkhead.search_fold(query), '~', bulkhead.search_tag(own))::tsquery;
    meant constant text := bulkhead.search_fold(similar_to);
begin
    if meant is not null then
        return query select t.id, (900000 * bulkhead.word_similarity(meant, bulkhead.search_fold(t.{title})))::bigint
        from bulkhead.{table} t where t.tenant_id = own and meant operator(bulkhead.<%) bulkhead.search_fold(t.{title});
    else
        return query select f.id, case when f.starts then 2000000 else 1000000 end
            + coalesce(900000 * ts_rank(f.search_words, wanted), 0)::bigint
        from (
            select t.tenant_id, t.id, t.search_words, t.{title}_search ^@ lower(start) as starts from bulkhead.{table} t
            where t.search_words @@ wanted or (t.tenant_id = own and t.{title}_search ^@ lower(start)) offset 0
        ) f where f.tenant_id = own;
    end if;
end
$body$, '{table}', s.name), '{title}', s.title) from searched s
), found as (
    select p.*, n.nspname, l.lanname, n.nspname = 'bulkhead' and exists (
        select from reviewed r where r.name = p.proname and r.source = p.prosrc
    )
    and pg_get_function_arguments(p.oid) = 'query text, start text, similar_to text'
    and pg_get_function_result(p.oid) = 'TABLE(id uuid, rank bigint)' and l.lanname = 'plpgsql' and p.provolatile = 's'
    and pg_get_userbyid(p.proowner) = 'bulkhead_search' and p.prosecdef
    and p.proconfig @> s.settings and p.proconfig <@ s.settings as is_reviewed
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
    cross join (values (array['search_path=pg_catalog, pg_temp', 'jit=off', 'plan_cache_mode=force_custom_plan',
        'pg_trgm.word_similarity_threshold=0.33'])) as s (settings)
)
select 'function ' || f.oid::regprocedure, 'is SECURITY DEFINER and not, as it stands, one of those that were reviewed; owned by '
    || pg_get_userbyid(f.proowner)
from found f
where f.prosecdef and not f.is_reviewed and (f.nspname = 'bulkhead' or exists (
    select from runtime r
    where has_schema_privilege(r.oid, f.pronamespace, 'USAGE') and has_function_privilege(r.oid, f.oid, 'EXECUTE')
))
union all
select 'function ' || r.name, 'is missing, or is not as it was reviewed' from reviewed r
where not exists (select from found f where f.proname = r.name and f.is_reviewed)
union all
select 'function ' || f.oid::regprocedure, 'can be executed by ' || coalesce(pg_roles.rolname, 'PUBLIC')
from found f cross join lateral aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) g
left join pg_roles on pg_roles.oid = g.grantee
where f.is_reviewed and coalesce(pg_roles.rolname, '') not in ('bulkhead_app', 'bulkhead_search')
