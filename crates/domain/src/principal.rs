//! Who a request acts as, once its token was verified.

use ipnet::IpNet;
use uuid::Uuid;

use crate::ids::{FamilyId, SecretId, TenantId};
use crate::scope::ScopeSet;

/// A user, a client or a service, as its verified access token describes it.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The tenant it belongs to, from the token's `tenant` claim and from nowhere else.
    pub tenant: TenantId,
    /// The tenant's slug at the time the token was made. For logs only: it decides nothing.
    pub tenant_slug: String,
    /// Whether it is a person or a machine.
    pub kind: PrincipalKind,
    /// The user's, the client's or the service token's id, from the `sub` claim.
    pub id: Uuid,
    /// The session that the token belongs to. Every person's token has one; a machine's, when it can be refreshed.
    pub session: Option<FamilyId>,
    /// The secret that a client's token was obtained with.
    pub secret: Option<SecretUse>,
    /// What it may do.
    pub scopes: ScopeSet,
    /// What narrows it beyond its scopes. A person has no such restrictions.
    pub restrictions: Restrictions,
}

/// The secret behind a client's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretUse {
    /// Which of the client's secrets.
    pub id: SecretId,
    /// When the secret ends, in Unix seconds, if that is known: after a rotation the old one does.
    pub ends: Option<i64>,
}

/// What narrows a client beyond its scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restrictions {
    /// The networks that it may call from; none: from anywhere.
    pub networks: Vec<IpNet>,
    /// Requests an hour, where not the usual number.
    pub hourly_rate: Option<u32>,
}

/// The kinds of principal. A client whose id equals a user's id is still not that user (RFC 9700 §4.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// A person, who logged in with a password.
    User,
    /// A machine, with client id and secret.
    Client,
    /// A service, with a token that an operator made for it.
    Service,
}

impl PrincipalKind {
    /// The word that logs and audit rows use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Client => "client",
            Self::Service => "service",
        }
    }
}
