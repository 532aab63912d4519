//! Members: the people of a tenant, and what its administrators and they themselves may write in them. Who may do what to
//! whom is in `rules`.

mod rules;

use serde_json::Value;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use crate::field::{__private, Choice, Field};
use crate::list::{Filter, Kind, Ordering};
use crate::person::{EMAIL_MAX, Email, USERNAME_MAX, Username};
use crate::resource::{Resource, Rights};
use crate::scope::Role;

pub use rules::{Manager, Refusal, Standing};

crate::choice! {
    /// Whether a person may log in.
    pub enum MemberStatus {
        /// It may.
        Active = "active",
        /// It may not, for now.
        Disabled = "disabled",
    }
}

impl Choice for Role {
    const ALL: &'static [Self] = &Self::ALL;

    fn as_str(self) -> &'static str {
        Self::as_str(self)
    }
}

impl Field for Role {
    type Column = Self;

    fn parse(value: Value) -> Result<Self, String> {
        __private::parse_choice(&value)
    }

    fn schema() -> Schema {
        __private::choice_schema::<Self>()
    }

    fn into_column(self) -> Self {
        self
    }
}

crate::__schema_impl!(Role, __private::choice_schema::<Role>());

impl Field for Username {
    type Column = Self;

    fn parse(value: Value) -> Result<Self, String> {
        Self::parse(text_of(&value)?).map_err(|error| error.to_string())
    }

    fn schema() -> Schema {
        text(1, USERNAME_MAX).build().into()
    }

    fn into_column(self) -> Self {
        self
    }
}

impl Field for Email {
    type Column = Self;

    fn parse(value: Value) -> Result<Self, String> {
        Self::parse(text_of(&value)?).map_err(|error| error.to_string())
    }

    fn schema() -> Schema {
        text(3, EMAIL_MAX).format(Some(SchemaFormat::KnownFormat(KnownFormat::Email))).build().into()
    }

    fn into_column(self) -> Self {
        self
    }
}

/// A first or last name: one line of at most 150 characters, without surrounding white space; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    const MAX: usize = 150;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Field for PersonName {
    type Column = String;

    fn parse(value: Value) -> Result<Self, String> {
        let text = text_of(&value)?.trim();
        if text.chars().any(char::is_control) {
            return Err("This field may not contain control characters.".to_owned());
        }
        if text.chars().count() > Self::MAX {
            return Err(format!("Ensure this field has no more than {} characters.", Self::MAX));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Schema {
        text(0, Self::MAX).build().into()
    }

    fn into_column(self) -> String {
        self.0
    }
}

fn text_of(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "Not a valid string.".to_owned())
}

fn text(least: usize, most: usize) -> ObjectBuilder {
    let least = (least > 0).then_some(least);
    ObjectBuilder::new().schema_type(Type::String).min_length(least).max_length(Some(most))
}

crate::fields! {
    /// What an administrator may write in a person.
    pub MemberFields, MemberPatch {
        /// The name to log in with, unique within the tenant.
        username: Username,
        /// The e-mail address, unique within the tenant.
        email: Email,
        /// The first name.
        first_name: PersonName = PersonName::default(),
        /// The last name.
        last_name: PersonName = PersonName::default(),
        /// What it may do. Never more than whoever gives it.
        role: Role = Role::Member,
        /// Whether it may log in.
        status: MemberStatus = MemberStatus::Active,
    }
}

crate::fields! {
    /// What people may write about themselves.
    pub ProfileFields, ProfilePatch {
        /// The first name.
        first_name: PersonName = PersonName::default(),
        /// The last name.
        last_name: PersonName = PersonName::default(),
    }
}

/// The resource.
pub const USERS: Resource = Resource {
    name: "users",
    table: "users",
    singular: "user",
    about: "The tenant's people, with their roles.",
    rights: Rights::Administrators,
    changes: true,
    filters: &[
        Filter::equals("role", "role", Kind::Choice(<Role as Choice>::words)),
        Filter::equals("status", "status", Kind::Choice(<MemberStatus as Choice>::words)),
        Filter::equals("username", "username_norm", Kind::Name),
        Filter::equals("email", "email_norm", Kind::Name),
    ],
    orderings: &[
        Ordering::by("username", Kind::Text),
        Ordering::by("email", Kind::Text),
        Ordering::by_nullable("last_login_at", Kind::Instant),
    ],
    search_column: Some("username_norm"),
    texts: None,
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PersonName;
    use crate::field::Field as _;

    #[test]
    fn a_persons_name_is_one_line_and_may_be_empty() {
        assert_eq!(PersonName::parse(json!(" Ada ")).expect("a name").into_column(), "Ada");
        assert!(PersonName::parse(json!("")).is_ok());
        for bad in [json!("a\nb"), json!("a\0b"), json!("x".repeat(151)), json!(null), json!(7)] {
            assert!(PersonName::parse(bad.clone()).is_err(), "{bad}");
        }
    }
}
