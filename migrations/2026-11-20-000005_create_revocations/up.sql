-- Revocations: what was ended before its time. Every server reads the recent ones a few times a second, so that a live
-- access token is refused at once and no request has to ask. A row matters as long as a token from before it can live.

create table bulkhead.revocations (
    tenant_id  uuid        not null constraint revocations_tenant_fk references bulkhead.tenants (id),
    id         uuid        not null,
    kind       text        not null constraint revocations_kind_choice check (kind in ('tenant', 'user', 'session')),
    -- The tenant, the user or the refresh token family. No key to it: a revocation outlives what it ended.
    subject    uuid        not null,
    -- Tokens of an older epoch are refused; a session has none and is refused as a whole.
    epoch      bigint      not null default 0,
    revoked_at timestamptz not null default now(),
    constraint revocations_pkey primary key (tenant_id, id)
);
-- The one question is across tenants: what happened lately?
create index revocations_recent on bulkhead.revocations (revoked_at);

call bulkhead.protect_for_auth('bulkhead.revocations', array[]::text[]);

-- Ids and numbers, of every tenant: a server must know them all.
create policy directory on bulkhead.revocations for select to bulkhead_auth using (true);
