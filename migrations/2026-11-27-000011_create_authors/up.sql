-- Authors: who wrote the books.

create table bulkhead.authors (
    tenant_id   uuid        not null constraint authors_tenant_fk references bulkhead.tenants (id),
    id          uuid        not null,
    name        text        not null constraint authors_name_length check (length(name) between 1 and 255),
    name_search text        not null generated always as (lower(name)) stored,
    bio         text        not null default '' constraint authors_bio_length check (length(bio) <= 20000),
    version     bigint      not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    constraint authors_pkey primary key (tenant_id, id)
);

create index authors_newest on bulkhead.authors (tenant_id, created_at desc, id desc);
create index authors_updated on bulkhead.authors (tenant_id, updated_at desc, id desc);
create index authors_name_search on bulkhead.authors (tenant_id, name_search text_pattern_ops);

call bulkhead.protect('bulkhead.authors', array['name', 'bio']);
