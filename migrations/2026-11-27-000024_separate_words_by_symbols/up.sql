-- Symbols separate words too: currency, arrows, mathematics, emoji, punctuation of other scripts. Whether they did was up to the
-- database's locale, in whose index words then stood without their tenant's tag. The words are made anew, which locks the rows.

-- A text's words, each with the tag. Whatever separates words here does so in `domain/src/search.rs`; a test compares them.
create or replace function bulkhead.search_tagged(tenant uuid, plain text) returns text language sql immutable parallel safe as $$
    select coalesce(bulkhead.search_tag(tenant) || replace(
        nullif(btrim(regexp_replace(bulkhead.search_fold(plain), U&'[\0001-/:-@[-`{-\00BF\00D7\00F7\05BE\060C\061B\061F\066A-\066D\06D4'
            '\0964\0965\2000-\206F\20A0-\20CF\2190-\27FF\2900-\2BFF\2E00-\2E7F\3000-\3003\3008-\301F\30FB\E000-\F8FF\FE00-\FE6F\FFFC-\FFFF'
            '\+01F000-\+01FAFF]+', ' ', 'g')), ''),
        ' ', ' ' || bulkhead.search_tag(tenant)), '')
$$;

update bulkhead.projects set name = name;
update bulkhead.tasks set title = title;
update bulkhead.documents set name = name;
update bulkhead.todos set title = title;
update bulkhead.blogs set title = title;
update bulkhead.books set title = title;
