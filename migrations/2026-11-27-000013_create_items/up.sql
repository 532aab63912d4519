-- Items: things that a tenant keeps a list of, each with the person who put it there.

create table bulkhead.items (
    tenant_id     uuid        not null constraint items_tenant_fk references bulkhead.tenants (id),
    id            uuid        not null,
    name          text        not null constraint items_name_length check (length(name) between 1 and 255),
    name_search   text        not null generated always as (lower(name)) stored,
    description   text        not null default '' constraint items_description_length check (length(description) <= 20000),
    -- Null: a machine made it.
    created_by_id uuid,
    version       bigint      not null default 1,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    constraint items_pkey primary key (tenant_id, id),
    -- Without an action: whoever made something is deactivated, not deleted.
    constraint items_created_by_fk foreign key (tenant_id, created_by_id) references bulkhead.users (tenant_id, id)
);

create index items_newest on bulkhead.items (tenant_id, created_at desc, id desc);
create index items_updated on bulkhead.items (tenant_id, updated_at desc, id desc);
create index items_created_by on bulkhead.items (tenant_id, created_by_id, created_at desc, id desc);
create index items_name_search on bulkhead.items (tenant_id, name_search text_pattern_ops);

-- Who made an item is never changed.
call bulkhead.protect('bulkhead.items', array['name', 'description']);
