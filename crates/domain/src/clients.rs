//! API clients: machines that work for a tenant. What a client may be told, how it is named outside, and what its roles
//! and scopes allow together. Secrets and tokens are `auth`'s business.

use std::fmt;

use crate::field::{JsonObject, LongText, Text};
use crate::ids::{ClientId, TenantId};
use crate::list::{Filter, Kind, Ordering};
use crate::resource::{Resource, Rights};
use crate::scope::{Role, ScopeSet};

mod words;

pub use words::{Future, HourlyRate, Networks, RoleWords, ScopeWords};

/// A client identifier (RFC 6749 §2.2): `client_`, the tenant's id and the last 24 digits of the client's, in
/// hexadecimal. It names the tenant, so that looking a client up never crosses tenants; it proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentifier {
    tenant: TenantId,
    text: String,
}

const PREFIX: &str = "client_";
const TENANT_DIGITS: usize = 32;
const CLIENT_DIGITS: usize = 24;

impl ClientIdentifier {
    /// The identifier of a client.
    #[must_use]
    pub fn of(tenant: TenantId, client: ClientId) -> Self {
        let client = client.uuid().simple().to_string();
        let digits = client.get(client.len().saturating_sub(CLIENT_DIGITS)..).unwrap_or_default();
        Self { tenant, text: format!("{PREFIX}{}{digits}", tenant.uuid().simple()) }
    }

    /// Reads a presented identifier; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let is_digit = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
        if digits.len() != TENANT_DIGITS + CLIENT_DIGITS || !digits.bytes().all(is_digit) {
            return None;
        }
        let tenant = uuid::Uuid::try_parse(digits.get(..TENANT_DIGITS)?).ok()?;
        Some(Self { tenant: TenantId::from_uuid(tenant), text: text.to_owned() })
    }

    /// The tenant in which to look the client up.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The identifier as it is presented and stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ClientIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

crate::choice! {
    /// Whether a client may get tokens.
    pub enum ClientStatus {
        /// It may.
        Active = "active",
        /// It may not, for now.
        Disabled = "disabled",
    }
}

/// A client's role: the names that the older system gave to the rights of viewers, members and administrators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRole {
    /// Sees every resource.
    Read,
    /// Works with every resource: sees, changes and deletes.
    Write,
    /// Manages the tenant's people and clients as well.
    Admin,
}

impl ClientRole {
    /// Every role, the weakest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The role's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// Reads a role's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// The scopes that the role stands for.
    #[must_use]
    pub fn scopes(self) -> ScopeSet {
        match self {
            Self::Read => Role::Viewer,
            Self::Write => Role::Member,
            Self::Admin => Role::Admin,
        }
        .scopes()
    }
}

/// What a client may do: what its roles allow, narrowed to its scopes if it has any. Scopes alone stand for themselves;
/// neither roles nor scopes allow nothing. A stored word that is no longer known grants nothing.
#[must_use]
pub fn rights(roles: &[String], scopes: &[String]) -> ScopeSet {
    let of_scopes = ScopeSet::parse(scopes.iter().map(String::as_str));
    if roles.is_empty() {
        return of_scopes;
    }
    let known = roles.iter().filter_map(|role| ClientRole::parse(role));
    let of_roles = known.fold(ScopeSet::default(), |all, role| all.union(&role.scopes()));
    if scopes.is_empty() { of_roles } else { of_roles.intersection(&of_scopes) }
}

crate::fields! {
    /// What an administrator may write in a client.
    pub ApiClientFields, ApiClientPatch {
        /// The name, unique within the tenant.
        name: Text<255>,
        /// What it is for.
        description: LongText<20_000> = LongText::default(),
        /// Roles: `read`, `write` or `admin`.
        roles: RoleWords = RoleWords::default(),
        /// Scopes, which narrow what the roles allow, or stand alone.
        scopes: ScopeWords = ScopeWords::default(),
        /// Addresses and networks that it may call from, as CIDR. Empty: from anywhere.
        allowed_ips: Networks = Networks::default(),
        /// Requests an hour. Null: the server's usual limit.
        rate_limit: Option<HourlyRate> = None,
        /// When it ends, if ever.
        expires_at: Option<Future> = None,
        /// Whatever else is worth keeping.
        metadata: JsonObject = JsonObject::default(),
    }
}

/// The resource.
pub const API_CLIENTS: Resource = Resource {
    name: "api-clients",
    table: "api_clients",
    singular: "API client",
    about: "Machines that work for the tenant, with an identifier and secrets instead of a password.",
    rights: Rights::Administrators,
    changes: true,
    filters: &[
        Filter::equals("status", "status", Kind::Choice(<ClientStatus as crate::field::Choice>::words)),
        Filter::equals("name", "name", Kind::Text),
        Filter::equals("client_id", "client_id", Kind::Text),
    ],
    orderings: &[Ordering::by("name", Kind::Text), Ordering::by_nullable("last_used_at", Kind::Instant)],
    search_column: Some("name_search"),
    texts: None,
};

/// Attempts of clients to get a token.
pub const ATTEMPTS: Resource = Resource {
    name: "api-client-attempts",
    table: "api_client_attempts",
    singular: "attempt",
    about: "Attempts of clients to get a token, and what became of them.",
    rights: Rights::Administrators,
    changes: false,
    filters: &[
        Filter::equals("api_client", "api_client", Kind::Id),
        Filter::equals("client_id", "client_id", Kind::Text),
        Filter::equals("outcome", "outcome", Kind::Text),
    ],
    orderings: &[],
    search_column: None,
    texts: None,
};

#[cfg(test)]
mod tests {
    use super::{ClientIdentifier, rights};
    use crate::ids::{ClientId, TenantId};
    use crate::scope::{Action, Scope, ScopeSet};

    #[test]
    fn an_identifier_reads_back_and_names_its_tenant() {
        let (tenant, client) = (TenantId::generate(), ClientId::generate());
        let identifier = ClientIdentifier::of(tenant, client);
        assert_eq!(identifier.as_str().len(), 63);
        assert!(identifier.as_str().ends_with(&client.to_string()[24..]));
        let read = ClientIdentifier::parse(identifier.as_str()).unwrap();
        assert_eq!((read.tenant(), &read), (tenant, &identifier));
        let good = identifier.as_str();
        for bad in
            ["", "client_", "client_a1b2c3d4e5f6", &good.to_uppercase(), &good[..62], &format!("{good}0")]
        {
            assert_eq!(ClientIdentifier::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn rights_are_the_roles_narrowed_by_the_scopes() {
        let of = |roles: &[&str], scopes: &[&str]| {
            let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            rights(&owned(roles), &owned(scopes))
        };
        let write = Scope::Resource(Action::Write, "projects");
        assert!(of(&[], &[]).is_empty());
        assert!(of(&["write"], &[]).allows(write));
        assert!(of(&[], &["write:projects"]).allows(write));
        assert!(of(&["read", "write"], &["read:*", "write:projects"]).allows(write));
        assert!(!of(&["read"], &["write:projects"]).allows(write), "a scope never widens a role");
        assert!(!of(&["write"], &["read:projects"]).allows(write), "a scope narrows");
        assert!(!of(&["admin"], &["write:projects"]).allows(Scope::TenantAdmin));
        assert_eq!(
            of(&["nobody"], &["write:projects"]),
            ScopeSet::default(),
            "an unknown role is no role at all"
        );
    }
}
