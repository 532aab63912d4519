//! Revocations: what ends an access token before it expires.

use crate::ids::{FamilyId, TenantId, UserId};

/// What was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Everybody's tokens of the tenant.
    Tenant,
    /// One person's tokens.
    User(UserId),
    /// The tokens of one session.
    Session(FamilyId),
}

/// One revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The tenant it happened in.
    pub tenant: TenantId,
    /// What was revoked.
    pub subject: Subject,
    /// Tokens of an older epoch are refused. A session has no epochs: all of its tokens are.
    pub epoch: i64,
}
