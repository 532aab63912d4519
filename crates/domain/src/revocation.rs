//! Revocations: what ends an access token before it expires.

use uuid::Uuid;

use crate::ids::{ClientId, FamilyId, SecretId, TenantId, UserId};

/// What was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Everybody's tokens of the tenant.
    Tenant,
    /// One person's tokens.
    User(UserId),
    /// One API client's tokens.
    Client(ClientId),
    /// The tokens of one session.
    Session(FamilyId),
    /// The tokens that were obtained with one of a client's secrets.
    Secret(SecretId),
    /// One token, by its `jti`.
    Token(Uuid),
}

/// One revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The tenant it happened in.
    pub tenant: TenantId,
    /// What was revoked.
    pub subject: Subject,
    /// Tokens of an older epoch are refused. Sessions, secrets and single tokens have no epochs: they end as a whole.
    pub epoch: i64,
}
