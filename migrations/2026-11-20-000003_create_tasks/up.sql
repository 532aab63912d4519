-- Tasks: one piece of work within a project. They go with their project.

create table bulkhead.tasks (
    tenant_id    uuid        not null constraint tasks_tenant_fk references bulkhead.tenants (id),
    id           uuid        not null,
    project_id   uuid        not null,
    title        text        not null constraint tasks_title_length check (length(title) between 1 and 255),
    title_search text        not null generated always as (lower(title)) stored,
    description  text        not null default '' constraint tasks_description_length check (length(description) <= 20000),
    status       text        not null default 'todo' constraint tasks_status_choice check (status in ('todo', 'in_progress', 'done')),
    priority     text        not null default 'medium' constraint tasks_priority_choice check (priority in ('low', 'medium', 'high', 'critical')),
    due_date     date,
    version      bigint      not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    primary key (tenant_id, id),
    -- Both columns: a key on project_id alone would let one tenant point at another's project.
    constraint tasks_project_fk foreign key (tenant_id, project_id) references bulkhead.projects (tenant_id, id) on delete cascade
);

create index tasks_newest on bulkhead.tasks (tenant_id, created_at desc, id desc);
create index tasks_updated on bulkhead.tasks (tenant_id, updated_at desc, id desc);
create index tasks_project on bulkhead.tasks (tenant_id, project_id, created_at desc, id desc);
create index tasks_status on bulkhead.tasks (tenant_id, status, created_at desc, id desc);
create index tasks_due on bulkhead.tasks (tenant_id, due_date, id);
create index tasks_title_search on bulkhead.tasks (tenant_id, title_search text_pattern_ops);

call bulkhead.protect('bulkhead.tasks', array['project_id', 'title', 'description', 'status', 'priority', 'due_date']);
