-- bulkhead: no transaction
create index concurrently projects_owner on bulkhead.projects (tenant_id, owner_id, created_at desc, id desc);
