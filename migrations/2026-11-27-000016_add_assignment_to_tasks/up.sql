-- A task may serve a todo, may be somebody's, and says since when it is done; of those that were done before, that is not
-- known. The keys are checked for new rows from now on and for the others in a later migration.

alter table bulkhead.tasks
    add column todo_id uuid,
    add column assigned_user_id uuid,
    add column completed_at timestamptz,
    -- Both without an action: a todo that tasks serve is not deleted, and a person who has tasks is deactivated.
    add constraint tasks_todo_fk foreign key (tenant_id, todo_id) references bulkhead.todos (tenant_id, id) not valid,
    add constraint tasks_assigned_user_fk foreign key (tenant_id, assigned_user_id) references bulkhead.users (tenant_id, id) not valid;

grant update (todo_id, assigned_user_id, completed_at) on bulkhead.tasks to bulkhead_app;
