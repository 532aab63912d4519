-- The keys of projects and tasks that were added without a look at the rows that were there. Looking blocks no request.

alter table bulkhead.projects validate constraint projects_owner_fk;
alter table bulkhead.tasks validate constraint tasks_todo_fk;
alter table bulkhead.tasks validate constraint tasks_assigned_user_fk;
