-- bulkhead: no transaction
create index concurrently tasks_todo on bulkhead.tasks (tenant_id, todo_id, created_at desc, id desc);
