-- Tenants, the people in them, their credentials, idempotency keys and the audit trail; and `protect`, the one
-- procedure that puts a table behind row-level security, so that no table can half-remember how.
--
-- The policies call nothing but built-in functions, hold no sub-select and are all PERMISSIVE: a distributed
-- database re-creates them on its shards, and would drop the word RESTRICTIVE on the way.

-- ── helpers, used by migrations only ──

-- Row-level security for a table that has a tenant_id, with the three policies that every such table has:
-- a tenant sees its own rows, an operator who has given a name sees all, and a migration that says so sees all.
create procedure bulkhead.isolate(protected regclass)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    -- NULLIF, because a setting that was once set locally is '' afterwards, and ''::uuid is an error.
    own_rows constant text := $e$tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid$e$;
    operator constant text := $e$NULLIF(current_setting('bulkhead.platform_actor', true), '') IS NOT NULL$e$;
    upkeep constant text := $e$current_setting('bulkhead.maintenance', true) = 'on'$e$;
begin
    execute format('alter table %s enable row level security', protected);
    execute format('alter table %s force row level security', protected);
    execute format('create policy tenant_isolation on %s for all to bulkhead_app, bulkhead_auth
        using (%s) with check (%s)', protected, own_rows, own_rows);
    execute format('create policy platform_access on %s for all to bulkhead_platform
        using (%s) with check (%s)', protected, operator, operator);
    execute format('create policy owner_maintenance on %s for all to bulkhead_owner
        using (%s) with check (%s)', protected, upkeep, upkeep);
    execute format('grant select, insert, update, delete on %s to bulkhead_platform', protected);
end $$;

-- The four verbs for one role; UPDATE only of the columns named (and of version and updated_at where the table has
-- them), so that a row can never change its tenant, its id or its age.
create procedure bulkhead.grant_verbs(protected regclass, updatable text[], grantee name)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    columns text;
begin
    select string_agg(quote_ident(wanted), ', ') into columns
    from (
        select unnest(updatable)
        union
        select attname::text from pg_attribute
        where attrelid = protected and attname in ('version', 'updated_at') and not attisdropped
    ) as _ (wanted);
    execute format('grant select, insert, delete on %s to %I', protected, grantee);
    if columns is not null then
        execute format('grant update (%s) on %s to %I', columns, protected, grantee);
    end if;
end $$;

-- A table that tenants' requests work with.
create procedure bulkhead.protect(protected regclass, updatable text[])
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    call bulkhead.isolate(protected);
    call bulkhead.grant_verbs(protected, updatable, 'bulkhead_app');
end $$;

-- A table of credentials: only the log-in path may touch it, requests may not even read it.
create procedure bulkhead.protect_for_auth(protected regclass, updatable text[])
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    call bulkhead.isolate(protected);
    call bulkhead.grant_verbs(protected, updatable, 'bulkhead_auth');
end $$;

revoke all on procedure bulkhead.isolate, bulkhead.grant_verbs, bulkhead.protect, bulkhead.protect_for_auth from public;

-- ── tenants and their hosts: reference tables, the same on every node of a distributed database ──

create table bulkhead.tenants (
    id uuid not null,
    slug text not null,
    name text not null,
    status text not null default 'active',
    token_epoch bigint not null default 0,
    on_trial boolean not null default true,
    paid_until date,
    settings jsonb not null default '{}',
    registration text not null default 'closed',
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint tenants_pkey primary key (id),
    constraint tenants_slug_unique unique (slug),
    constraint tenants_slug_check check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) between 2 and 63),
    constraint tenants_name_check check (length(name) between 1 and 200),
    constraint tenants_status_check check (status in ('active', 'suspended', 'deleting')),
    constraint tenants_settings_check check (jsonb_typeof(settings) = 'object'),
    constraint tenants_registration_check check (registration in ('closed', 'invite', 'open'))
);

create table bulkhead.tenant_domains (
    domain text not null,
    tenant_id uuid not null,
    is_primary boolean not null default false,
    created_at timestamptz not null default now(),
    constraint tenant_domains_pkey primary key (domain),
    constraint tenant_domains_tenant_fk foreign key (tenant_id) references bulkhead.tenants (id),
    constraint tenant_domains_domain_check
        check (domain ~ '^[a-z0-9-]+(\.[a-z0-9-]+)*$' and length(domain) <= 253)
);
create unique index tenant_domains_primary_unique on bulkhead.tenant_domains (tenant_id) where is_primary;
create index tenant_domains_tenant on bulkhead.tenant_domains (tenant_id);

alter table bulkhead.tenants enable row level security;
alter table bulkhead.tenants force row level security;
alter table bulkhead.tenant_domains enable row level security;
alter table bulkhead.tenant_domains force row level security;

-- A request sees its own tenant and may change what a tenant decides about itself; log-in has to find any tenant
-- before it has one, and sees only what finding takes.
create policy self on bulkhead.tenants for all to bulkhead_app
    using (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
    with check (id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
create policy self on bulkhead.tenant_domains for all to bulkhead_app
    using (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
    with check (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
create policy directory on bulkhead.tenants for select to bulkhead_auth using (true);
create policy directory on bulkhead.tenant_domains for select to bulkhead_auth using (true);

create policy platform_access on bulkhead.tenants for all to bulkhead_platform
    using (NULLIF(current_setting('bulkhead.platform_actor', true), '') IS NOT NULL)
    with check (NULLIF(current_setting('bulkhead.platform_actor', true), '') IS NOT NULL);
create policy platform_access on bulkhead.tenant_domains for all to bulkhead_platform
    using (NULLIF(current_setting('bulkhead.platform_actor', true), '') IS NOT NULL)
    with check (NULLIF(current_setting('bulkhead.platform_actor', true), '') IS NOT NULL);
create policy owner_maintenance on bulkhead.tenants for all to bulkhead_owner
    using (current_setting('bulkhead.maintenance', true) = 'on')
    with check (current_setting('bulkhead.maintenance', true) = 'on');
create policy owner_maintenance on bulkhead.tenant_domains for all to bulkhead_owner
    using (current_setting('bulkhead.maintenance', true) = 'on')
    with check (current_setting('bulkhead.maintenance', true) = 'on');

grant select, update (name, settings, registration, version, updated_at) on bulkhead.tenants to bulkhead_app;
grant select on bulkhead.tenant_domains to bulkhead_app;
grant select (id, slug, name, status, token_epoch, registration, created_at, updated_at)
    on bulkhead.tenants to bulkhead_auth;
grant select (domain, tenant_id) on bulkhead.tenant_domains to bulkhead_auth;
grant select, insert, update, delete on bulkhead.tenants, bulkhead.tenant_domains to bulkhead_platform;

-- ── people ──

create table bulkhead.users (
    tenant_id uuid not null,
    id uuid not null,
    username text not null,
    username_norm text not null,
    email text not null,
    email_norm text not null,
    first_name text not null default '',
    last_name text not null default '',
    role text not null,
    status text not null default 'active',
    token_epoch bigint not null default 0,
    version bigint not null default 1,
    last_login_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint users_pkey primary key (tenant_id, id),
    constraint users_tenant_fk foreign key (tenant_id) references bulkhead.tenants (id),
    constraint users_username_unique unique (tenant_id, username_norm),
    constraint users_email_unique unique (tenant_id, email_norm),
    constraint users_username_check
        check (length(username) between 1 and 150 and length(username_norm) between 1 and 150),
    constraint users_email_check check (length(email) between 3 and 254 and length(email_norm) between 3 and 254),
    constraint users_first_name_check check (length(first_name) <= 150),
    constraint users_last_name_check check (length(last_name) <= 150),
    constraint users_role_check check (role in ('owner', 'admin', 'member', 'viewer')),
    constraint users_status_check check (status in ('active', 'disabled'))
);
create index users_newest on bulkhead.users (tenant_id, created_at desc, id desc);
call bulkhead.protect('bulkhead.users', array['username', 'username_norm', 'email', 'email_norm', 'first_name',
    'last_name', 'role', 'status', 'token_epoch']);
-- Log-in reads people, registers them and notes what it saw; who they are is changed by requests.
grant select, insert, update (token_epoch, last_login_at) on bulkhead.users to bulkhead_auth;

create table bulkhead.user_credentials (
    tenant_id uuid not null,
    user_id uuid not null,
    password_hash text not null,
    failed_count integer not null default 0,
    locked_until timestamptz,
    changed_at timestamptz not null default now(),
    constraint user_credentials_pkey primary key (tenant_id, user_id),
    constraint user_credentials_user_fk foreign key (tenant_id, user_id)
        references bulkhead.users (tenant_id, id) on delete cascade
);
call bulkhead.protect_for_auth('bulkhead.user_credentials',
    array['password_hash', 'failed_count', 'locked_until', 'changed_at']);

-- One row per log-in. `previous_hash` and `rotated_at` let the loser of two simultaneous refreshes (a second tab, a lost
-- reply) be told apart from a thief; `lineage_hash` tells a genuine old token from a guess.
create table bulkhead.refresh_families (
    tenant_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    lineage_hash bytea not null,
    current_hash bytea not null,
    generation integer not null default 0,
    previous_hash bytea,
    rotated_at timestamptz not null default now(),
    constraint refresh_families_pkey primary key (tenant_id, id),
    constraint refresh_families_user_fk foreign key (tenant_id, user_id)
        references bulkhead.users (tenant_id, id) on delete cascade,
    constraint refresh_families_lineage_hash_check check (length(lineage_hash) = 32),
    constraint refresh_families_current_hash_check check (length(current_hash) = 32),
    constraint refresh_families_previous_hash_check check (length(previous_hash) = 32)
);
create index refresh_families_user on bulkhead.refresh_families (tenant_id, user_id);
create index refresh_families_expires_at on bulkhead.refresh_families (tenant_id, expires_at);
call bulkhead.protect_for_auth('bulkhead.refresh_families', array['expires_at', 'revoked_at', 'current_hash',
    'generation', 'previous_hash', 'rotated_at']);

-- ── retries and the audit trail: no foreign keys, because every write inserts here, and each would lock the
--    tenant's one row ──

-- `status`, `headers` and `body` are null until the first request with the key has its answer.
create table bulkhead.idempotency_keys (
    tenant_id uuid not null,
    principal_id uuid not null,
    key text not null,
    fingerprint bytea not null,
    status smallint,
    headers jsonb,
    body bytea,
    created_at timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (tenant_id, principal_id, key),
    constraint idempotency_keys_key_check check (length(key) between 1 and 255),
    constraint idempotency_keys_status_check check (status between 100 and 599)
);
create index idempotency_keys_created_at on bulkhead.idempotency_keys (tenant_id, created_at);
-- A key that has expired is claimed anew in place, hence fingerprint and created_at.
call bulkhead.protect('bulkhead.idempotency_keys', array['fingerprint', 'status', 'headers', 'body', 'created_at']);

-- `actor_id` is the id of a user or a client, or the name that an operator gave.
create table bulkhead.audit_log (
    tenant_id uuid not null,
    id uuid not null,
    at timestamptz not null default now(),
    actor_kind text not null,
    actor_id text not null,
    action text not null,
    target jsonb not null default '{}',
    constraint audit_log_pkey primary key (tenant_id, id),
    constraint audit_log_actor_kind_check check (actor_kind in ('user', 'client', 'operator', 'system')),
    constraint audit_log_actor_id_check check (length(actor_id) between 1 and 200),
    constraint audit_log_action_check check (length(action) between 1 and 100)
);
create index audit_log_newest on bulkhead.audit_log (tenant_id, at desc, id desc);
-- Append-only for everybody but an operator, so not by `protect`.
call bulkhead.isolate('bulkhead.audit_log');
grant select, insert on bulkhead.audit_log to bulkhead_app;
grant insert on bulkhead.audit_log to bulkhead_auth;
