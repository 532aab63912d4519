-- Search: full text in titles and texts, by an index, within one tenant (ADR 11).
--
-- Matching operators (`@@`, `<%`) are not leak-proof, so under row-level security they are never index conditions. Each
-- searched table therefore has one function that runs as `bulkhead_search`, a role that nobody is, that sees the words and
-- titles of every tenant and nothing else. The function takes the tenant from the transaction and answers ids and ranks, no text;
-- the caller reads the rows under its own policies. The lint knows its text, letter by letter.
--
-- `make_searchable` rewrites the table, which is locked meanwhile: minutes for a million short rows.

do $$ begin
    if to_regrole('bulkhead_search') is null
        or (select count(*) from pg_extension where extname in ('btree_gin', 'pg_trgm')) <> 2 then
        raise exception 'search needs a role and two extensions that this database lacks; run bulkhead bootstrap';
    end if;
end $$;

-- Text as it is compared: lower case, accents off, compatible characters alike. What is all ASCII needs but the first.
create function bulkhead.search_fold(folded text) returns text language sql immutable parallel safe as $$
    select case when octet_length(folded) = length(folded) then lower(folded)
        else lower(regexp_replace(normalize(folded, NFKD), U&'[\0300-\036F]', '', 'g')) end
$$;

-- What every word of a tenant begins with in the index, so that a search reads no other tenant's part of it: an index
-- on (tenant_id, words) would collect what a prefix matches in all tenants before it looks at the tenant. Two tenants may share
-- a tag; it is not what keeps them apart.
create function bulkhead.search_tag(tenant uuid) returns text language sql immutable parallel safe as $$
    select 'k' || right(tenant::text, 8)
$$;

-- A text's words, each with the tag. Whatever separates words here does so in `domain/src/search.rs`.
create function bulkhead.search_tagged(tenant uuid, plain text) returns text language sql immutable parallel safe as $$
    select coalesce(bulkhead.search_tag(tenant) || replace(
        nullif(btrim(regexp_replace(bulkhead.search_fold(plain), U&'[\0001-/:-@[-`{-\00BF\2000-\206F\3000-\3003\3008-\301F]+', ' ', 'g')), ''),
        ' ', ' ' || bulkhead.search_tag(tenant)), '')
$$;

-- What is found by words: the title weighs most, and of a text its first 50 000 characters count, for a word list has a limit.
create function bulkhead.search_document(tenant uuid, title text, body text) returns tsvector
language sql immutable parallel safe as $$
    select setweight(to_tsvector('pg_catalog.simple', bulkhead.search_tagged(tenant, title)), 'A')
        || to_tsvector('pg_catalog.simple', bulkhead.search_tagged(tenant, left(body, 50000)))
$$;

-- The one way into search for a table that `protect` has seen to. Its title has a column `{title}_search` beside it, in lower
-- case and with an index on (tenant_id, {title}_search text_pattern_ops).
create procedure bulkhead.make_searchable(searched regclass, title name, texts name[])
language plpgsql set search_path = pg_catalog, pg_temp as $make$
declare
    bare constant name := (select relname from pg_class where oid = searched);
    body constant text := (
        select string_agg(format('coalesce(%I, '''')', text_column), ' || '' '' || ' order by place)
        from unnest(texts) with ordinality as _ (text_column, place)
    );
    finder constant text := format('bulkhead.%I(text, text, text)', 'search_' || bare);
begin
    execute format('alter table %s add column search_words tsvector not null
        generated always as (bulkhead.search_document(tenant_id, %I, %s)) stored', searched, title, coalesce(body, quote_literal('')));
    -- A short list of what is not yet sorted in: every search reads it as a whole, whoever wrote it.
    execute format('create index %I on %s using gin (search_words) with (gin_pending_list_limit = 256)',
        bare || '_search_words', searched);
    execute format('create index %I on %s using gin (tenant_id, bulkhead.search_fold(%I) bulkhead.gin_trgm_ops)
        with (gin_pending_list_limit = 256)', bare || '_search_typos', searched, title);
    execute format('create policy search on %s for select to bulkhead_search using (true)', searched);
    execute format('grant select (tenant_id, id, %I, %I, search_words) on %s to bulkhead_search',
        title, title || '_search', searched);
    execute format('create function bulkhead.%I(query text, start text, similar_to text)
        returns table (id uuid, rank bigint) language plpgsql stable security definer
        set search_path = pg_catalog, pg_temp set jit = off set plan_cache_mode = force_custom_plan
        set pg_trgm.word_similarity_threshold = 0.33 as %L', 'search_' || bare,
        replace(replace($body$
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
$body$, '{table}', bare), '{title}', title));
    execute format('revoke all on function %s from public', finder);
    execute format('grant execute on function %s to bulkhead_app', finder);
    -- Whoever is to own a function must be able to create one in its schema at that moment, and only then.
    grant create on schema bulkhead to bulkhead_search;
    execute format('alter function %s owner to bulkhead_search', finder);
    revoke create on schema bulkhead from bulkhead_search;
end $make$;
revoke all on procedure bulkhead.make_searchable from public;

call bulkhead.make_searchable('bulkhead.projects', 'name', array['description']);
call bulkhead.make_searchable('bulkhead.tasks', 'title', array['description']);
call bulkhead.make_searchable('bulkhead.documents', 'name', array['file_path']);
call bulkhead.make_searchable('bulkhead.todos', 'title', array['description']);
call bulkhead.make_searchable('bulkhead.blogs', 'title', array['description', 'body']);
call bulkhead.make_searchable('bulkhead.books', 'title', array[]::name[]);
