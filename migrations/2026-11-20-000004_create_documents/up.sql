-- Documents: what is known about a file that lives elsewhere. They go with their project, if they have one.

create table bulkhead.documents (
    tenant_id    uuid        not null constraint documents_tenant_fk references bulkhead.tenants (id),
    id           uuid        not null,
    project_id   uuid,
    name         text        not null constraint documents_name_length check (length(name) between 1 and 255),
    name_search  text        not null generated always as (lower(name)) stored,
    file_path    text        not null default '' constraint documents_file_path_length check (length(file_path) <= 500),
    file_size    bigint      not null default 0 constraint documents_file_size_range check (file_size >= 0),
    content_type text        not null default '' constraint documents_content_type_length check (length(content_type) <= 100),
    metadata     jsonb       not null default '{}',
    version      bigint      not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint documents_project_fk foreign key (tenant_id, project_id) references bulkhead.projects (tenant_id, id) on delete cascade
);

create index documents_newest on bulkhead.documents (tenant_id, created_at desc, id desc);
create index documents_updated on bulkhead.documents (tenant_id, updated_at desc, id desc);
create index documents_project on bulkhead.documents (tenant_id, project_id, created_at desc, id desc);
create index documents_name_search on bulkhead.documents (tenant_id, name_search text_pattern_ops);

call bulkhead.protect('bulkhead.documents', array['project_id', 'name', 'file_path', 'file_size', 'content_type', 'metadata']);
