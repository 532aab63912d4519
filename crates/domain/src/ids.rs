//! Identifiers: how they are made (UUIDv7, by the server only) and how they are read from outside.
//! An id says what it names in its type; rows of tenant resources use a bare [`Uuid`] beside their tenant.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A new time-ordered id (RFC 9562 §5.7). Random enough (74 bits) that it tells nobody a volume.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that may")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// Reads the one accepted spelling of a UUID: 36 characters with hyphens, in either case.
///
/// The `uuid` crate also takes braces, `urn:uuid:` and bare hex; four spellings of one id would be four
/// cache keys and four chances for two components to disagree.
#[must_use]
pub fn parse_id(text: &str) -> Option<Uuid> {
    if text.len() != 36 {
        return None;
    }
    Uuid::try_parse(text).ok()
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id.
            #[must_use]
            pub fn generate() -> Self {
                Self(new_id())
            }

            /// Wraps an id that came from storage or from a verified token.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare UUID, for a query's parameter.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Reads the canonical spelling, as [`parse_id`].
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                parse_id(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

id_type!(
    /// Names a tenant: the unit that may never see another's rows.
    TenantId
);
id_type!(
    /// Names a person within one tenant.
    UserId
);
id_type!(
    /// Names a refresh token family, which is also the session that its access tokens belong to.
    FamilyId
);
id_type!(
    /// Names an API client within one tenant. What the client itself presents is its
    /// [`ClientIdentifier`](crate::clients::ClientIdentifier).
    ClientId
);
id_type!(
    /// Names one of a client's secrets. No secret itself.
    SecretId
);

#[cfg(test)]
mod tests {
    use super::parse_id;

    #[test]
    fn only_the_hyphenated_spelling_is_an_id() {
        let id = "0191e4a0-7b5c-7c3e-8f00-0123456789ab";
        assert!(parse_id(id).is_some());
        assert_eq!(parse_id(&id.to_uppercase()), parse_id(id));
        for other in [
            "",
            "0191e4a07b5c7c3e8f000123456789ab",
            "{0191e4a0-7b5c-7c3e-8f00-0123456789ab}",
            "urn:uuid:0191e4a0-7b5c-7c3e-8f00-0123456789ab",
            "0191e4a0-7b5c-7c3e-8f00-0123456789a",
            "٠191e4a0-7b5c-7c3e-8f00-0123456789a",
        ] {
            assert_eq!(parse_id(other), None, "{other}");
        }
    }
}
