-- Blogs: texts for readers, each by a person of the tenant.

create table bulkhead.blogs (
    tenant_id    uuid        not null constraint blogs_tenant_fk references bulkhead.tenants (id),
    id           uuid        not null,
    title        text        not null constraint blogs_title_length check (length(title) between 1 and 255),
    title_search text        not null generated always as (lower(title)) stored,
    description  text        not null default '' constraint blogs_description_length check (length(description) <= 20000),
    body         text        not null default '' constraint blogs_body_length check (length(body) <= 200000),
    author_id    uuid,
    status       text        not null default 'draft' constraint blogs_status_choice check (status in ('draft', 'published', 'archived')),
    published_at timestamptz constraint blogs_published_at_state check ((status = 'published') = (published_at is not null)),
    version      bigint      not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    constraint blogs_pkey primary key (tenant_id, id),
    -- Without an action: whoever wrote something is deactivated, not deleted.
    constraint blogs_author_fk foreign key (tenant_id, author_id) references bulkhead.users (tenant_id, id)
);

create index blogs_newest on bulkhead.blogs (tenant_id, created_at desc, id desc);
create index blogs_updated on bulkhead.blogs (tenant_id, updated_at desc, id desc);
create index blogs_author on bulkhead.blogs (tenant_id, author_id, created_at desc, id desc);
create index blogs_status on bulkhead.blogs (tenant_id, status, created_at desc, id desc);
create index blogs_published on bulkhead.blogs (tenant_id, published_at, id);
create index blogs_title_search on bulkhead.blogs (tenant_id, title_search text_pattern_ops);

call bulkhead.protect('bulkhead.blogs', array['title', 'description', 'body', 'author_id', 'status', 'published_at']);
