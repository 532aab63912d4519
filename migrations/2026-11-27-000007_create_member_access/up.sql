-- What people need beyond a password: sessions that end as a whole, guesses that are counted, second factors, passwords
-- that are reset, invitations, and accounts of one person in several tenants.

-- ── people ──

-- Grows when every session of a person shall end. Unlike the token epoch, which grows whenever tokens say what is no longer
-- so (a role was changed) and leaves sessions alone.
alter table bulkhead.users add column session_epoch bigint not null default 0;
grant update (session_epoch) on bulkhead.users to bulkhead_app, bulkhead_auth;
create index users_updated on bulkhead.users (tenant_id, updated_at desc, id desc);
create index users_role on bulkhead.users (tenant_id, role, created_at desc, id desc);
create index users_status on bulkhead.users (tenant_id, status, created_at desc, id desc);
create index users_username_search on bulkhead.users (tenant_id, username_norm text_pattern_ops);

-- ── guesses: see credential_guards ──

alter table bulkhead.user_credentials drop column failed_count, drop column locked_until;

-- How often credentials of an account were tried, by the network that they were tried from, and over all networks where
-- they never were right (`network` is empty). An account is a user's id, or is derived from a name that nobody has: the
-- two must not be told apart. Hence no keys to users and tenants.
create table bulkhead.credential_guards (
    tenant_id uuid        not null,
    account   uuid        not null,
    network   text        not null constraint credential_guards_network_length check (length(network) <= 64),
    -- Attempts since credentials were last right, which is assumed of none until it is shown.
    failures  integer     not null,
    -- When the next attempt may be made.
    free_at   timestamptz not null,
    -- When credentials were last right from there.
    proven_at timestamptz,
    constraint credential_guards_pkey primary key (tenant_id, account, network)
);
create index credential_guards_free_at on bulkhead.credential_guards (tenant_id, free_at);
call bulkhead.protect_for_auth('bulkhead.credential_guards', array['failures', 'free_at', 'proven_at']);

-- ── sessions ──

alter table bulkhead.refresh_families
    -- The person's epoch at the time: a session of an older one has ended.
    add column session_epoch bigint not null default 0,
    add column ip_address text,
    add column user_agent text not null default '' constraint refresh_families_user_agent_length check (length(user_agent) <= 255),
    -- The link by which another account of the same person opened the session, and that account's tenant.
    add column via_link uuid,
    add column via_tenant uuid;
grant update (session_epoch) on bulkhead.refresh_families to bulkhead_auth;
create index refresh_families_via_link on bulkhead.refresh_families (tenant_id, via_link) where via_link is not null;
create index refresh_families_via_tenant on bulkhead.refresh_families (via_tenant) where via_tenant is not null;

-- ── second factors ──

-- One authenticator app per person. The secret is sealed with a key that the database does not have.
create table bulkhead.second_factors (
    tenant_id    uuid        not null,
    user_id      uuid        not null,
    secret       bytea       not null,
    -- Null until its first code was given; it asks for nothing before.
    confirmed_at timestamptz,
    -- The last time step whose code was taken: none is taken twice.
    last_step    bigint,
    created_at   timestamptz not null default now(),
    constraint second_factors_pkey primary key (tenant_id, user_id),
    constraint second_factors_user_fk foreign key (tenant_id, user_id)
        references bulkhead.users (tenant_id, id) on delete cascade
);
call bulkhead.protect_for_auth('bulkhead.second_factors', array['secret', 'confirmed_at', 'last_step']);

create table bulkhead.recovery_codes (
    tenant_id uuid  not null,
    user_id   uuid  not null,
    code_hash bytea not null constraint recovery_codes_code_hash_check check (length(code_hash) = 32),
    constraint recovery_codes_pkey primary key (tenant_id, user_id, code_hash),
    constraint recovery_codes_user_fk foreign key (tenant_id, user_id)
        references bulkhead.second_factors (tenant_id, user_id) on delete cascade
);
-- A used code is a removed one.
call bulkhead.protect_for_auth('bulkhead.recovery_codes', array[]::text[]);

-- ── passwords that are set by whoever holds a mailed token ──

create table bulkhead.password_resets (
    tenant_id  uuid        not null,
    id         uuid        not null,
    user_id    uuid        not null,
    token_hash bytea       not null constraint password_resets_token_hash_check check (length(token_hash) = 32),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    constraint password_resets_pkey primary key (tenant_id, id),
    constraint password_resets_user_fk foreign key (tenant_id, user_id)
        references bulkhead.users (tenant_id, id) on delete cascade
);
create index password_resets_user on bulkhead.password_resets (tenant_id, user_id);
-- A used token is a removed one.
call bulkhead.protect_for_auth('bulkhead.password_resets', array[]::text[]);

-- ── invitations, by an administrator or, where a tenant is open, by oneself ──

create table bulkhead.invitations (
    tenant_id    uuid        not null constraint invitations_tenant_fk references bulkhead.tenants (id),
    id           uuid        not null,
    email        text        not null,
    email_norm   text        not null,
    email_search text        not null generated always as (lower(email)) stored,
    first_name   text        not null default '' constraint invitations_first_name_length check (length(first_name) <= 150),
    last_name    text        not null default '' constraint invitations_last_name_length check (length(last_name) <= 150),
    role         text        not null constraint invitations_role_choice check (role in ('owner', 'admin', 'member', 'viewer')),
    status       text        not null default 'open' constraint invitations_status_choice check (status in ('open', 'accepted', 'revoked')),
    -- Who invites; null: whoever registers. No key: an invitation outlives whoever made it.
    invited_by   uuid,
    token_hash   bytea       not null constraint invitations_token_hash_check check (length(token_hash) = 32),
    version      bigint      not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    expires_at   timestamptz not null,
    constraint invitations_pkey primary key (tenant_id, id),
    constraint invitations_email_check check (length(email) between 3 and 254 and length(email_norm) between 3 and 254)
);
create index invitations_newest on bulkhead.invitations (tenant_id, created_at desc, id desc);
create index invitations_updated on bulkhead.invitations (tenant_id, updated_at desc, id desc);
create index invitations_email_norm on bulkhead.invitations (tenant_id, email_norm);
create index invitations_status on bulkhead.invitations (tenant_id, status, created_at desc, id desc);
create index invitations_email_search on bulkhead.invitations (tenant_id, email_search text_pattern_ops);
call bulkhead.isolate('bulkhead.invitations');
-- A request makes them and takes them back. It can never read a hash back.
grant select (tenant_id, id, email, email_norm, email_search, first_name, last_name, role, status, invited_by, version, created_at,
    updated_at, expires_at), insert, update (status, version, updated_at, token_hash, expires_at) on bulkhead.invitations to bulkhead_app;
grant select, insert, update (status, version, updated_at) on bulkhead.invitations to bulkhead_auth;

-- ── one person's accounts in several tenants ──

-- One half of a link: each of the two tenants has a row with the link's id, about its own account, and neither row
-- says anything without the other. So nothing ever reads two tenants at once: a switch reads the one half within its tenant,
-- and then the other half within the other. A half whose epochs are not those of its account and tenant has ended.
create table bulkhead.account_links (
    tenant_id     uuid        not null,
    id            uuid        not null,
    user_id       uuid        not null,
    session_epoch bigint      not null,
    tenant_epoch  bigint      not null,
    other_tenant  uuid        not null,
    other_user    uuid        not null,
    created_at    timestamptz not null default now(),
    constraint account_links_pkey primary key (tenant_id, id),
    constraint account_links_user_fk foreign key (tenant_id, user_id)
        references bulkhead.users (tenant_id, id) on delete cascade
);
create index account_links_user on bulkhead.account_links (tenant_id, user_id);
call bulkhead.protect_for_auth('bulkhead.account_links', array[]::text[]);
