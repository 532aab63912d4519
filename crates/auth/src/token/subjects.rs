//! For whom access tokens are made: people, clients and services, as the database knows them at that moment.

use std::time::Duration;

use bulkhead_domain::ids::{ClientId, FamilyId, TenantId, UserId};
use bulkhead_domain::principal::SecretUse;
use bulkhead_domain::scope::{Role, ScopeSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A user to make a token for, as the database knows it at this moment.
#[derive(Clone, Copy, Debug)]
pub struct UserToken<'a> {
    /// The user's tenant.
    pub tenant: TenantId,
    /// The tenant's slug.
    pub tenant_slug: &'a str,
    /// The user.
    pub user: UserId,
    /// The name that it logs in with.
    pub username: &'a str,
    /// Its address, if tokens are to carry it.
    pub email: Option<&'a str>,
    /// Its role, which says what the token may do.
    pub role: Role,
    /// The session that the token belongs to.
    pub session: FamilyId,
    /// The user's epoch: tokens of an older one are refused. Not negative.
    pub token_version: i64,
    /// The tenant's epoch: tokens of an older one are refused. Not negative.
    pub tenant_version: i64,
}

/// A client to make a token for, as the database knows it at this moment.
#[derive(Clone, Debug)]
pub struct ClientToken<'a> {
    /// The client's tenant.
    pub tenant: TenantId,
    /// The tenant's slug.
    pub tenant_slug: &'a str,
    /// The client.
    pub client: ClientId,
    /// Its client identifier.
    pub identifier: &'a str,
    /// Its roles, for readers of the token; what it may do is said by `scopes`.
    pub roles: &'a [&'a str],
    /// What the token may do: the client's rights, or the part of them that was asked for.
    pub scopes: &'a ScopeSet,
    /// The secret that it proved itself with.
    pub secret: SecretUse,
    /// The session, when the token can be refreshed.
    pub session: Option<FamilyId>,
    /// The networks that it may call from; none: from anywhere.
    pub allowed_ips: &'a [String],
    /// Its own limit of requests an hour.
    pub rate_limit: Option<u32>,
    /// The moment at which its secret or the client itself ends, which the token must not outlive.
    pub ends: Option<DateTime<Utc>>,
    /// The client's epoch: tokens of an older one are refused. Not negative.
    pub token_version: i64,
    /// The tenant's epoch: tokens of an older one are refused. Not negative.
    pub tenant_version: i64,
}

/// A service to make a token for.
#[derive(Clone, Debug)]
pub struct ServiceToken<'a> {
    /// The tenant it works in.
    pub tenant: TenantId,
    /// The tenant's slug.
    pub tenant_slug: &'a str,
    /// The token's own id, under which it is audited and revoked.
    pub id: Uuid,
    /// The service's name.
    pub service: &'a str,
    /// What the token may do.
    pub scopes: &'a ScopeSet,
    /// How long it lives: 1 second to 24 hours.
    pub lifetime: Duration,
    /// The tenant's epoch: tokens of an older one are refused. Not negative.
    pub tenant_version: i64,
}
