-- The data of the benchmark: :tenants tenants with one user, one API client (all with the secret :secret) and :rows projects
-- each. Always the same rows, so that two runs measure the same thing. Needs a database that `bulkhead migrate` made and that holds the tenant `bench-model`,
-- whose user's password hash every user gets. Not for a database that anybody uses.
--
-- Ids are version 7 UUIDs whose digits are all decimal, so that a load generator without string functions can make
-- them from two numbers t and r of four digits, counted from 1000:
--   tenant   01930000-0000-7000-8000-00000000tttt
--   user     01930000-0000-7000-8001-00000000tttt
--   client   01930000-0000-7000-8002-00000000tttt
--   project  0193rrrr-tttt-7000-8000-000000000000     in the order of creation within a tenant, as real ones are

\set ON_ERROR_STOP on
-- The keys match by construction; looking up two million of them would take longer than the rest.
set session_replication_role = replica;
-- Nothing may tidy up in the middle of a measurement.
alter table bulkhead.projects set (autovacuum_enabled = off);
alter table bulkhead.idempotency_keys set (autovacuum_enabled = off);
alter table bulkhead.api_clients set (autovacuum_enabled = off);
alter table bulkhead.api_client_secrets set (autovacuum_enabled = off);
alter table bulkhead.api_client_attempts set (autovacuum_enabled = off);
alter table bulkhead.api_client_usage set (autovacuum_enabled = off);
set role bulkhead_owner;
set bulkhead.maintenance = 'on';
-- Read once, not for every row.
select password_hash as hash from bulkhead.user_credentials \gset

insert into bulkhead.tenants (id, slug, name)
select ('01930000-0000-7000-8000-00000000' || t)::uuid, 'bench-' || t, 'Benchmark ' || t
from generate_series(1000, 999 + :tenants) as t;

insert into bulkhead.users (tenant_id, id, username, username_norm, email, email_norm, role)
select ('01930000-0000-7000-8000-00000000' || t)::uuid, ('01930000-0000-7000-8001-00000000' || t)::uuid,
    'bench', 'bench', 'bench@example.com', 'bench@example.com', 'member'
from generate_series(1000, 999 + :tenants) as t;

insert into bulkhead.user_credentials (tenant_id, user_id, password_hash)
select ('01930000-0000-7000-8000-00000000' || t)::uuid, ('01930000-0000-7000-8001-00000000' || t)::uuid, :'hash'
from generate_series(1000, 999 + :tenants) as t;

-- They may do what the users may.
insert into bulkhead.api_clients (tenant_id, id, name, roles)
select ('01930000-0000-7000-8000-00000000' || t)::uuid, ('01930000-0000-7000-8002-00000000' || t)::uuid,
    'Benchmark', array['write']
from generate_series(1000, 999 + :tenants) as t;

insert into bulkhead.api_client_secrets (tenant_id, id, api_client_id, secret_hash, hint)
select ('01930000-0000-7000-8000-00000000' || t)::uuid, ('01930000-0000-7000-8003-00000000' || t)::uuid,
    ('01930000-0000-7000-8002-00000000' || t)::uuid, sha256(convert_to(:'secret', 'UTF8')), right(:'secret', 4)
from generate_series(1000, 999 + :tenants) as t;

-- By age, not by tenant: the rows of a tenant lie apart, as they do when a thousand tenants work at the same time.
insert into bulkhead.projects (tenant_id, id, name, description, status, created_at, updated_at)
select ('01930000-0000-7000-8000-00000000' || t)::uuid,
    ('0193' || r || t || '70008000000000000000')::uuid,
    'Project ' || r,
    'A project of the benchmark, with a description of about a hundred characters, which is what people write.',
    (array['active', 'active', 'completed', 'archived'])[1 + r % 4],
    timestamptz '2026-01-01 00:00:00+00' + r * interval '1 hour' + t * interval '1 second',
    timestamptz '2026-01-01 00:00:00+00' + r * interval '1 hour' + t * interval '1 second'
from generate_series(1000, 999 + :rows) as r, generate_series(1000, 999 + :tenants) as t;

reset role;
vacuum (analyze) bulkhead.tenants, bulkhead.users, bulkhead.user_credentials, bulkhead.api_clients,
    bulkhead.api_client_secrets, bulkhead.projects;
checkpoint;
