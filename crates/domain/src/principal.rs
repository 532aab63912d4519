//! Who a request acts as, once its token was verified.

use uuid::Uuid;

use crate::ids::{FamilyId, TenantId};
use crate::scope::ScopeSet;

/// A user or a client, as its verified access token describes it.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The tenant it belongs to, from the token's `tenant` claim and from nowhere else.
    pub tenant: TenantId,
    /// The tenant's slug at the time the token was made. For logs only: it decides nothing.
    pub tenant_slug: String,
    /// Whether it is a person or a machine.
    pub kind: PrincipalKind,
    /// The user's or the client's id, from the `sub` claim.
    pub id: Uuid,
    /// The session that the token belongs to; a machine has none.
    pub session: Option<FamilyId>,
    /// What it may do.
    pub scopes: ScopeSet,
}

/// The two kinds of principal. A client whose id equals a user's id is still not that user (RFC 9700 §4.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A person, who logged in with a password.
    User,
    /// A machine, with client id and secret.
    Client,
}

impl PrincipalKind {
    /// The word that logs and audit rows use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Client => "client",
        }
    }
}
