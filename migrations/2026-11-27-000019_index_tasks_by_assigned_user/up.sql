-- bulkhead: no transaction
create index concurrently tasks_assigned_user on bulkhead.tasks (tenant_id, assigned_user_id, created_at desc, id desc);
