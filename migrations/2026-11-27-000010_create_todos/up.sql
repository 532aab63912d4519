-- Todos: what somebody wants to remember to do, once or every so many days.

create table bulkhead.todos (
    tenant_id           uuid        not null constraint todos_tenant_fk references bulkhead.tenants (id),
    id                  uuid        not null,
    title               text        not null constraint todos_title_length check (length(title) between 1 and 255),
    title_search        text        not null generated always as (lower(title)) stored,
    description         text        not null default '' constraint todos_description_length check (length(description) <= 20000),
    completed           boolean     not null default false,
    -- Days from one occurrence to the next; null: there is only this one.
    recurrence_interval bigint      constraint todos_recurrence_interval_range check (recurrence_interval between 1 and 3650),
    completion_time     timestamptz constraint todos_completion_time_state check (completed = (completion_time is not null)),
    due_date            date,
    -- Whether its next occurrence was made: it has one at the most, however often it is completed.
    recurred            boolean     not null default false,
    version             bigint      not null default 1,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),
    constraint todos_pkey primary key (tenant_id, id)
);

create index todos_newest on bulkhead.todos (tenant_id, created_at desc, id desc);
create index todos_updated on bulkhead.todos (tenant_id, updated_at desc, id desc);
create index todos_completed on bulkhead.todos (tenant_id, completed, created_at desc, id desc);
create index todos_due on bulkhead.todos (tenant_id, due_date, id);
create index todos_title_search on bulkhead.todos (tenant_id, title_search text_pattern_ops);

call bulkhead.protect('bulkhead.todos', array['title', 'description', 'completed', 'recurrence_interval', 'completion_time',
    'due_date', 'recurred']);
