-- Projects: what a tenant's work is grouped by.

create table bulkhead.projects (
    tenant_id   uuid        not null constraint projects_tenant_fk references bulkhead.tenants (id),
    id          uuid        not null,
    name        text        not null constraint projects_name_length check (length(name) between 1 and 255),
    name_search text        not null generated always as (lower(name)) stored,
    description text        not null default '' constraint projects_description_length check (length(description) <= 20000),
    status      text        not null default 'active' constraint projects_status_choice check (status in ('active', 'completed', 'archived')),
    version     bigint      not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint projects_name_unique unique (tenant_id, name)
);

-- The default list, newest first; the others serve one filter or ordering each.
create index projects_newest on bulkhead.projects (tenant_id, created_at desc, id desc);
create index projects_updated on bulkhead.projects (tenant_id, updated_at desc, id desc);
create index projects_status on bulkhead.projects (tenant_id, status, created_at desc, id desc);
-- `^@` is leakproof and uses this operator class, so that a prefix search keeps its index under row-level security.
create index projects_name_search on bulkhead.projects (tenant_id, name_search text_pattern_ops);

call bulkhead.protect('bulkhead.projects', array['name', 'description', 'status']);
