-- Books: each by one author. They go with their author.

create table bulkhead.books (
    tenant_id      uuid        not null constraint books_tenant_fk references bulkhead.tenants (id),
    id             uuid        not null,
    author_id      uuid        not null,
    title          text        not null constraint books_title_length check (length(title) between 1 and 255),
    title_search   text        not null generated always as (lower(title)) stored,
    published_date date,
    version        bigint      not null default 1,
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now(),
    constraint books_pkey primary key (tenant_id, id),
    constraint books_author_fk foreign key (tenant_id, author_id) references bulkhead.authors (tenant_id, id) on delete cascade
);

create index books_newest on bulkhead.books (tenant_id, created_at desc, id desc);
create index books_updated on bulkhead.books (tenant_id, updated_at desc, id desc);
create index books_author on bulkhead.books (tenant_id, author_id, created_at desc, id desc);
create index books_published on bulkhead.books (tenant_id, published_date, id);
create index books_title_search on bulkhead.books (tenant_id, title_search text_pattern_ops);

call bulkhead.protect('bulkhead.books', array['author_id', 'title', 'published_date']);
