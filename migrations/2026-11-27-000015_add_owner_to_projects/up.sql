-- A project has an owner, a person of its tenant. Those from before have none. The key is checked for new rows from now on
-- and for the others in a later migration, so that nobody waits while the whole table is read.

alter table bulkhead.projects
    add column owner_id uuid,
    -- Without an action: whoever owns something is deactivated, not deleted.
    add constraint projects_owner_fk foreign key (tenant_id, owner_id) references bulkhead.users (tenant_id, id) not valid;

grant update (owner_id) on bulkhead.projects to bulkhead_app;
