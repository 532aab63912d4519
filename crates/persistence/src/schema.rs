//! diesel's view of the tables that belong to no single resource: tenants, people, credentials, clients' secrets
//! and usage, idempotency keys, audit.
//! A resource's own table stands in the resource's own file.

diesel::table! {
    tenants (id) {
        id -> Uuid,
        slug -> Text,
        name -> Text,
        status -> Text,
        token_epoch -> BigInt,
        on_trial -> Bool,
        paid_until -> Nullable<Date>,
        settings -> Jsonb,
        registration -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    tenant_domains (domain) {
        domain -> Text,
        tenant_id -> Uuid,
        is_primary -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    users (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        username -> Text,
        username_norm -> Text,
        email -> Text,
        email_norm -> Text,
        first_name -> Text,
        last_name -> Text,
        role -> Text,
        status -> Text,
        token_epoch -> BigInt,
        session_epoch -> BigInt,
        version -> BigInt,
        last_login_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    user_credentials (tenant_id, user_id) {
        tenant_id -> Uuid,
        user_id -> Uuid,
        password_hash -> Text,
        changed_at -> Timestamptz,
    }
}

diesel::table! {
    refresh_families (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        user_id -> Uuid,
        lineage_hash -> Bytea,
        current_hash -> Bytea,
        previous_hash -> Nullable<Bytea>,
        generation -> Integer,
        created_at -> Timestamptz,
        rotated_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        session_epoch -> BigInt,
        ip_address -> Nullable<Text>,
        user_agent -> Text,
        via_link -> Nullable<Uuid>,
        via_tenant -> Nullable<Uuid>,
    }
}

diesel::table! {
    credential_guards (tenant_id, account, network) {
        tenant_id -> Uuid,
        account -> Uuid,
        network -> Text,
        failures -> Integer,
        free_at -> Timestamptz,
        proven_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    second_factors (tenant_id, user_id) {
        tenant_id -> Uuid,
        user_id -> Uuid,
        secret -> Bytea,
        confirmed_at -> Nullable<Timestamptz>,
        last_step -> Nullable<BigInt>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    recovery_codes (tenant_id, user_id, code_hash) {
        tenant_id -> Uuid,
        user_id -> Uuid,
        code_hash -> Bytea,
    }
}

diesel::table! {
    password_resets (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        user_id -> Uuid,
        token_hash -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    email_changes (tenant_id, user_id) {
        tenant_id -> Uuid,
        user_id -> Uuid,
        email -> Text,
        token_hash -> Bytea,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    invitations (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        email -> Text,
        email_norm -> Text,
        first_name -> Text,
        last_name -> Text,
        role -> Text,
        status -> Text,
        invited_by -> Nullable<Uuid>,
        token_hash -> Bytea,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    account_links (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        user_id -> Uuid,
        session_epoch -> BigInt,
        tenant_epoch -> BigInt,
        other_tenant -> Uuid,
        other_user -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    idempotency_keys (tenant_id, principal_id, key) {
        tenant_id -> Uuid,
        principal_id -> Uuid,
        key -> Text,
        fingerprint -> Bytea,
        status -> Nullable<SmallInt>,
        headers -> Nullable<Jsonb>,
        body -> Nullable<Bytea>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    revocations (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        subject -> Uuid,
        epoch -> BigInt,
        revoked_at -> Timestamptz,
    }
}

diesel::table! {
    audit_log (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        created_at -> Timestamptz,
        actor_kind -> Text,
        actor_id -> Text,
        action -> Text,
        target -> Jsonb,
    }
}

diesel::table! {
    api_client_secrets (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        api_client_id -> Uuid,
        secret_hash -> Bytea,
        hint -> Text,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        retired_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    api_client_sessions (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        api_client_id -> Uuid,
        secret_id -> Uuid,
        token_hash -> Bytea,
        token_epoch -> BigInt,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    api_client_attempts (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        client_id -> Text,
        api_client -> Nullable<Uuid>,
        secret -> Nullable<Uuid>,
        success -> Bool,
        outcome -> Text,
        ip_address -> Nullable<Text>,
        user_agent -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    api_client_usage (tenant_id, api_client, hour, operation, secret) {
        tenant_id -> Uuid,
        api_client -> Uuid,
        hour -> Timestamptz,
        operation -> Text,
        secret -> Uuid,
        requests -> BigInt,
        refused -> BigInt,
    }
}

diesel::table! {
    service_tokens (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        service -> Text,
        scopes -> Array<Text>,
        issued_by -> Text,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    schema_migrations (name) {
        name -> Text,
        checksum -> Text,
        applied_at -> Timestamptz,
    }
}
