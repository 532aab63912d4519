-- API clients: machines with an identifier and secrets, what they may do, the sessions that can be refreshed, what
-- became of their attempts, and how much they call. And tokens that operators make for services.

create table bulkhead.api_clients (
    tenant_id   uuid        not null constraint api_clients_tenant_fk references bulkhead.tenants (id),
    id          uuid        not null,
    -- What the client presents. It carries the tenant, so that looking it up never crosses tenants.
    client_id   text        not null generated always as ('client_' || replace(tenant_id::text, '-', '') || right(replace(id::text, '-', ''), 24)) stored,
    name        text        not null constraint api_clients_name_length check (length(name) between 1 and 255),
    name_search text        not null generated always as (lower(name)) stored,
    description text        not null default '' constraint api_clients_description_length check (length(description) <= 20000),
    status      text        not null default 'active' constraint api_clients_status_choice check (status in ('active', 'disabled')),
    roles       text[]      not null default '{}' constraint api_clients_roles_length check (cardinality(roles) <= 10),
    scopes      text[]      not null default '{}' constraint api_clients_scopes_length check (cardinality(scopes) <= 50),
    allowed_ips text[]      not null default '{}' constraint api_clients_allowed_ips_length check (cardinality(allowed_ips) <= 32),
    -- Requests an hour; null: the server's usual limit.
    rate_limit  integer     constraint api_clients_rate_limit_range check (rate_limit >= 1),
    metadata    jsonb       not null default '{}' constraint api_clients_metadata_object check (jsonb_typeof(metadata) = 'object'),
    expires_at  timestamptz,
    -- Tokens of an older epoch are refused.
    token_epoch bigint      not null default 0,
    version     bigint      not null default 1,
    last_used_at timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint api_clients_client_id_unique unique (tenant_id, client_id),
    constraint api_clients_name_unique unique (tenant_id, name)
);
create index api_clients_newest on bulkhead.api_clients (tenant_id, created_at desc, id desc);
create index api_clients_updated on bulkhead.api_clients (tenant_id, updated_at desc, id desc);
create index api_clients_status on bulkhead.api_clients (tenant_id, status, created_at desc, id desc);
create index api_clients_name_search on bulkhead.api_clients (tenant_id, name_search text_pattern_ops);
call bulkhead.protect('bulkhead.api_clients', array['name', 'description', 'status', 'roles', 'scopes', 'allowed_ips',
    'rate_limit', 'metadata', 'expires_at', 'token_epoch']);
-- The token endpoint reads clients and notes that they were there.
grant select, update (last_used_at) on bulkhead.api_clients to bulkhead_auth;

-- Several may be live at once, so that a secret can be replaced without a moment in which neither works.
create table bulkhead.api_client_secrets (
    tenant_id     uuid        not null,
    id            uuid        not null,
    api_client_id uuid        not null,
    secret_hash   bytea       not null constraint api_client_secrets_secret_hash_check check (length(secret_hash) = 32),
    -- The secret's last characters, to tell one from the other.
    hint          text        not null constraint api_client_secrets_hint_length check (length(hint) <= 8),
    created_at    timestamptz not null default now(),
    expires_at    timestamptz,
    retired_at    timestamptz,
    last_used_at  timestamptz,
    primary key (tenant_id, id),
    constraint api_client_secrets_api_client_fk foreign key (tenant_id, api_client_id)
        references bulkhead.api_clients (tenant_id, id) on delete cascade
);
create index api_client_secrets_api_client on bulkhead.api_client_secrets (tenant_id, api_client_id);
call bulkhead.isolate('bulkhead.api_client_secrets');
-- A request may add a secret and end one. It can never read a hash back.
grant select (tenant_id, id, api_client_id, hint, created_at, expires_at, retired_at, last_used_at), insert,
    update (expires_at, retired_at) on bulkhead.api_client_secrets to bulkhead_app;
grant select, update (last_used_at) on bulkhead.api_client_secrets to bulkhead_auth;

-- Sessions of the older systems' token endpoint, whose refresh token is used again and again.
create table bulkhead.api_client_sessions (
    tenant_id     uuid        not null,
    id            uuid        not null,
    api_client_id uuid        not null,
    secret_id     uuid        not null,
    token_hash    bytea       not null constraint api_client_sessions_token_hash_check check (length(token_hash) = 32),
    -- The client's epoch at the time: ending its tokens ends its sessions.
    token_epoch   bigint      not null,
    created_at    timestamptz not null default now(),
    expires_at    timestamptz not null,
    revoked_at    timestamptz,
    primary key (tenant_id, id),
    constraint api_client_sessions_api_client_fk foreign key (tenant_id, api_client_id)
        references bulkhead.api_clients (tenant_id, id) on delete cascade,
    constraint api_client_sessions_secret_fk foreign key (tenant_id, secret_id)
        references bulkhead.api_client_secrets (tenant_id, id) on delete cascade
);
create index api_client_sessions_api_client on bulkhead.api_client_sessions (tenant_id, api_client_id, expires_at);
create index api_client_sessions_secret on bulkhead.api_client_sessions (tenant_id, secret_id);
call bulkhead.protect_for_auth('bulkhead.api_client_sessions', array['revoked_at']);

-- Attempts to get a token, whatever became of them. No keys to clients and secrets: an attempt outlives them, and some
-- name a client that never was.
create table bulkhead.api_client_attempts (
    tenant_id  uuid        not null,
    id         uuid        not null,
    client_id  text        not null constraint api_client_attempts_client_id_length check (length(client_id) <= 64),
    api_client uuid,
    secret     uuid,
    success    boolean     not null,
    outcome    text        not null constraint api_client_attempts_outcome_length check (length(outcome) <= 40),
    ip_address text,
    user_agent text        not null default '' constraint api_client_attempts_user_agent_length check (length(user_agent) <= 255),
    created_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
create index api_client_attempts_newest on bulkhead.api_client_attempts (tenant_id, created_at desc, id desc);
create index api_client_attempts_api_client on bulkhead.api_client_attempts (tenant_id, api_client, created_at desc, id desc);
create index api_client_attempts_client_id on bulkhead.api_client_attempts (tenant_id, client_id, created_at desc, id desc);
create index api_client_attempts_outcome on bulkhead.api_client_attempts (tenant_id, outcome, created_at desc, id desc);
call bulkhead.isolate('bulkhead.api_client_attempts');
grant select on bulkhead.api_client_attempts to bulkhead_app;
grant select, insert, delete on bulkhead.api_client_attempts to bulkhead_auth;

-- Requests by client, secret, hour and operation. Counted in memory and added up here every second.
create table bulkhead.api_client_usage (
    tenant_id  uuid        not null,
    api_client uuid        not null,
    hour       timestamptz not null,
    operation  text        not null constraint api_client_usage_operation_length check (length(operation) <= 100),
    secret     uuid        not null,
    requests   bigint      not null,
    refused    bigint      not null,
    primary key (tenant_id, api_client, hour, operation, secret)
);
call bulkhead.isolate('bulkhead.api_client_usage');
grant select on bulkhead.api_client_usage to bulkhead_app;
grant select, insert, update (requests, refused), delete on bulkhead.api_client_usage to bulkhead_auth;

-- Tokens that operators made for services, so that they are known and can be ended. The token itself is not kept.
create table bulkhead.service_tokens (
    tenant_id  uuid        not null constraint service_tokens_tenant_fk references bulkhead.tenants (id),
    id         uuid        not null,
    service    text        not null constraint service_tokens_service_length check (length(service) between 1 and 100),
    scopes     text[]      not null,
    issued_by  text        not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    primary key (tenant_id, id)
);
create index service_tokens_newest on bulkhead.service_tokens (tenant_id, created_at desc, id desc);
call bulkhead.isolate('bulkhead.service_tokens');
-- The library call issues them in a tenant's request; `expires_at` and the rest never change.
grant select, insert, update (revoked_at) on bulkhead.service_tokens to bulkhead_app;

-- What else can be revoked. A request that ends a client's tokens says so in its own transaction.
alter table bulkhead.revocations drop constraint revocations_kind_choice;
alter table bulkhead.revocations add constraint revocations_kind_choice
    check (kind in ('tenant', 'user', 'client', 'session', 'secret', 'token'));
grant insert on bulkhead.revocations to bulkhead_app;

-- The audit trail is now read through the API, where a time is called as everywhere else.
alter table bulkhead.audit_log rename column at to created_at;
create index audit_log_actor_id on bulkhead.audit_log (tenant_id, actor_id, created_at desc, id desc);
create index audit_log_action on bulkhead.audit_log (tenant_id, action, created_at desc, id desc);
alter table bulkhead.audit_log drop constraint audit_log_actor_kind_check;
alter table bulkhead.audit_log add constraint audit_log_actor_kind_check
    check (actor_kind in ('user', 'client', 'service', 'operator', 'system'));
