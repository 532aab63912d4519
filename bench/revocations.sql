-- Three hundred revocations of the last hour, none of which ends a token of the benchmark: epochs of tenants and of clients
-- that the tokens already have, so that looking them up succeeds, and secrets that nobody uses. Run it where load.sql
-- was run. They are old enough that a server reads them once, when it starts.

\set ON_ERROR_STOP on
set session_replication_role = replica;

insert into bulkhead.revocations (tenant_id, id, kind, subject, epoch, revoked_at)
select ('01930000-0000-7000-8000-00000000' || t)::uuid,
    gen_random_uuid(),
    kind,
    case kind
        when 'tenant' then ('01930000-0000-7000-8000-00000000' || t)::uuid
        when 'client' then ('01930000-0000-7000-8002-00000000' || t)::uuid
        else gen_random_uuid()
    end,
    0,
    now() - interval '1 minute' - (t - 1000) * interval '30 seconds'
from generate_series(1000, 1099) as t, unnest(array['tenant', 'client', 'secret']) as kind;
