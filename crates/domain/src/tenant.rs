//! Tenants: the slug that names one before log-in, its states, and [`TenantScope`], the capability that every
//! access to tenant rows asks for.

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

use crate::ids::TenantId;
use crate::principal::PrincipalKind;

/// Names that would collide with hosts and paths of the service itself (`www.example.com` is not a tenant).
const RESERVED: [&str; 14] = [
    "admin", "api", "app", "assets", "auth", "console", "docs", "health", "mail", "oauth", "public",
    "static", "status", "www",
];

/// A tenant's short name: lower-case letters and digits in groups joined by single hyphens, 2 to 63 characters,
/// so that it can stand as one label of a host name (RFC 1035 §2.3.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    /// Reads a slug; `None` when it is malformed or reserved.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let groups_are_sound = text.split('-').all(|group| {
            !group.is_empty() && group.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        let sound = (2..=63).contains(&text.len()) && groups_are_sound && !RESERVED.contains(&text);
        sound.then(|| Self(text.to_owned()))
    }

    /// The slug's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a client names its tenant before it has a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantName {
    /// By id.
    Id(TenantId),
    /// By slug. Not necessarily a sound one: an unsound slug simply names nobody.
    Slug(String),
    /// By the host the request was sent to.
    Host(String),
}

impl TenantName {
    /// Reads the `tenant` member of a log-in body: a UUID or a slug, in either case.
    #[must_use]
    pub fn from_body(text: &str) -> Self {
        TenantId::parse(text).map_or_else(|| Self::Slug(text.to_lowercase()), Self::Id)
    }
}

/// The right to work inside one tenant, held by whoever was authenticated for it.
///
/// Its fields are private and its one constructor is named so that a reader stops: `clippy.toml` forbids the call
/// everywhere but in the token verifier. There is no `Default`, no `From<Uuid>` and no way to change the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantScope {
    tenant: TenantId,
    kind: PrincipalKind,
    actor: Uuid,
}

impl TenantScope {
    /// Asserts that `actor` was authenticated as a principal of `tenant`.
    ///
    /// Only the verifier of access tokens can truthfully say so.
    #[must_use]
    pub const fn assert_authenticated(tenant: TenantId, kind: PrincipalKind, actor: Uuid) -> Self {
        Self { tenant, kind, actor }
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// What kind of principal the work is done for.
    #[must_use]
    pub const fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// The person on whose behalf the work is done, if it is a person.
    #[must_use]
    pub fn person(&self) -> Option<Uuid> {
        (self.kind == PrincipalKind::User).then_some(self.actor)
    }

    /// The principal on whose behalf the work is done.
    #[must_use]
    pub const fn actor(&self) -> Uuid {
        self.actor
    }
}

#[cfg(test)]
mod tests {
    use super::Slug;

    #[test]
    fn a_slug_is_one_host_label_and_not_a_reserved_one() {
        for good in ["acme", "a1", "north-wind-2", &"a".repeat(63)] {
            assert!(Slug::parse(good).is_some(), "{good}");
        }
        for bad in
            ["", "a", "Acme", "-a", "a-", "a--b", "a_b", "www", "admin", "аcme", "a b", &"a".repeat(64)]
        {
            assert!(Slug::parse(bad).is_none(), "{bad}");
        }
    }
}
