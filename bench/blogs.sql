-- The blogs that the benchmark searches: 100 000 of the first tenant and 100 of each other, each with ten words in the title
-- and forty in the text, out of 4 096 that differ in their first three letters: a beginning of three letters finds about
-- one row in a hundred. Behind load.sql; always the same rows.

\set ON_ERROR_STOP on
set session_replication_role = replica;
alter table bulkhead.blogs set (autovacuum_enabled = off);
-- Made again at the end, which takes a fraction of the time.
drop index bulkhead.blogs_search_words, bulkhead.blogs_search_typos;
set role bulkhead_owner;
set bulkhead.maintenance = 'on';

create function pg_temp.words(seed text, many integer) returns text language sql as $$
    select string_agg(regexp_replace(translate(md5(seed || n), '0123456789', 'ghijklmnop'), '(...)', '\1tion ', 'g'), ' ')
    from generate_series(1, many) as n
$$;

insert into bulkhead.blogs (tenant_id, id, title, body)
select ('01930000-0000-7000-8000-00000000' || t)::uuid,
    ('0194' || lpad(to_hex(r / 65536), 4, '0') || '-' || lpad(to_hex(r % 65536), 4, '0') || '-7000-8000-00000000' || t)::uuid,
    pg_temp.words(t || ' title ' || r, 1), pg_temp.words(t || ' body ' || r, 4)
from generate_series(1000, 999 + :tenants) as t, lateral generate_series(1, case t when 1000 then 100000 else 100 end) as r;

create index blogs_search_words on bulkhead.blogs using gin (search_words) with (gin_pending_list_limit = 256);
create index blogs_search_typos on bulkhead.blogs using gin (tenant_id, bulkhead.search_fold(title) bulkhead.gin_trgm_ops)
    with (gin_pending_list_limit = 256);

reset role;
vacuum (analyze) bulkhead.blogs;
checkpoint;
