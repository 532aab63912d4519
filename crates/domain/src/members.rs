//! Members: the people of a tenant, what its administrators may write in them, and the rules on who may do what to whom.
//! Whether somebody is who it says, and in which transaction the rules are asked, is decided elsewhere.

use serde_json::Value;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use uuid::Uuid;

use crate::code::Code;
use crate::field::{__private, Choice, Field};
use crate::list::{Filter, Kind, Ordering};
use crate::person::{EMAIL_MAX, Email, USERNAME_MAX, Username};
use crate::resource::{Resource, Rights};
use crate::scope::Role;

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

/// Why something is not done to a person or an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Whoever acts does not administrate the tenant, or no longer.
    NotAdministrator,
    /// It would give, or change, a role above that of whoever acts.
    AboveOwn,
    /// It would change the role or the status of whoever acts.
    OwnAccount,
    /// It would leave the tenant without an active owner.
    LastOwner,
    /// Other rows name the person.
    Referenced,
    /// The invitation was accepted or revoked before.
    InvitationOver,
}

impl Refusal {
    /// The code that it is told under.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::NotAdministrator | Self::AboveOwn | Self::OwnAccount => Code::PermissionDenied,
            Self::LastOwner => Code::LastOwner,
            Self::Referenced | Self::InvitationOver => Code::Conflict,
        }
    }

    /// What is told.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NotAdministrator => "Only an administrator of the tenant may do this.",
            Self::AboveOwn => "Nobody can give, change or remove a role above the own.",
            Self::OwnAccount => "Nobody can change the role or the status of the own account, or remove it.",
            Self::LastOwner => "A tenant keeps at least one active owner. Make somebody else one first.",
            Self::Referenced => "Other rows name this person. Deactivate the account instead of deleting it.",
            Self::InvitationOver => "The invitation was accepted or revoked before.",
        }
    }
}

/// What the rules look at in a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The role.
    pub role: Role,
    /// Whether it may log in.
    pub active: bool,
}

impl Standing {
    const fn is_active_owner(self) -> bool {
        matches!(self, Self { role: Role::Owner, active: true })
    }
}

/// Whoever administrates a tenant's people, as it is at the moment of the deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manager {
    role: Role,
    /// The person, unless it is a machine.
    id: Option<Uuid>,
}

impl Manager {
    /// A person of the tenant.
    ///
    /// # Errors
    /// [`Refusal::NotAdministrator`].
    pub fn person(id: Uuid, now: Standing) -> Result<Self, Refusal> {
        if !now.active || Role::Admin.is_above(now.role) {
            return Err(Refusal::NotAdministrator);
        }
        Ok(Self { role: now.role, id: Some(id) })
    }

    /// A machine that may administrate: it counts as an administrator, never as an owner.
    #[must_use]
    pub const fn machine() -> Self {
        Self { role: Role::Admin, id: None }
    }

    /// The person's id, unless it is a machine.
    #[must_use]
    pub const fn id(&self) -> Option<Uuid> {
        self.id
    }

    /// Whether it may give this role, or touch what has it.
    ///
    /// # Errors
    /// [`Refusal::AboveOwn`].
    pub fn reaches(&self, role: Role) -> Result<(), Refusal> {
        if role.is_above(self.role) { Err(Refusal::AboveOwn) } else { Ok(()) }
    }

    /// Whether it may make of a person what it shall be `after`; `None` is to remove it. `another_owner` says whether the
    /// tenant has another active owner.
    ///
    /// # Errors
    /// The first rule that is against it.
    pub fn judge(
        &self,
        person: Uuid,
        before: Standing,
        after: Option<Standing>,
        another_owner: bool,
    ) -> Result<(), Refusal> {
        self.reaches(before.role)?;
        after.map_or(Ok(()), |after| self.reaches(after.role))?;
        let stays_owner = after.is_some_and(Standing::is_active_owner);
        if before.is_active_owner() && !stays_owner && !another_owner {
            return Err(Refusal::LastOwner);
        }
        if self.id == Some(person) && after != Some(before) {
            return Err(Refusal::OwnAccount);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::{Manager, PersonName, Refusal, Standing};
    use crate::field::Field as _;
    use crate::scope::Role;

    const ME: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    const fn active(role: Role) -> Standing {
        Standing { role, active: true }
    }

    fn person(role: Role) -> Manager {
        Manager::person(ME, active(role)).expect("an administrator")
    }

    #[test]
    fn only_active_owners_and_admins_manage_anybody() {
        for role in Role::ALL {
            let manages = matches!(role, Role::Owner | Role::Admin);
            assert_eq!(Manager::person(ME, active(role)).is_ok(), manages, "{role:?}");
            let disabled = Standing { role, active: false };
            assert_eq!(Manager::person(ME, disabled), Err(Refusal::NotAdministrator));
        }
    }

    /// Every manager, every role before and every one after, or none: allowed exactly where neither is above the own.
    #[test]
    fn nobody_gives_changes_or_removes_a_role_above_the_own() {
        for (manager, own) in [
            (person(Role::Owner), Role::Owner),
            (person(Role::Admin), Role::Admin),
            (Manager::machine(), Role::Admin),
        ] {
            for before in Role::ALL {
                for after in Role::ALL.map(Some).into_iter().chain([None]) {
                    let above = |role: Role| role == Role::Owner && own == Role::Admin;
                    let expected = if above(before) || after.is_some_and(above) {
                        Err(Refusal::AboveOwn)
                    } else {
                        Ok(())
                    };
                    let judged = manager.judge(OTHER, active(before), after.map(active), true);
                    assert_eq!(judged, expected, "{own:?} makes {after:?} of {before:?}");
                }
            }
        }
    }

    #[test]
    fn nobody_changes_the_own_role_or_status_and_anybody_the_rest_of_itself() {
        let me = person(Role::Admin);
        let before = active(Role::Admin);
        assert_eq!(me.judge(ME, before, Some(before), true), Ok(()));
        let disabled = Standing { active: false, ..before };
        for after in [Some(active(Role::Member)), Some(disabled), None] {
            assert_eq!(me.judge(ME, before, after, true), Err(Refusal::OwnAccount), "{after:?}");
        }
    }

    #[test]
    fn the_last_active_owner_stays_one() {
        let me = person(Role::Owner);
        let before = active(Role::Owner);
        let disabled = Standing { active: false, ..before };
        for after in [Some(active(Role::Admin)), Some(disabled), None] {
            assert_eq!(me.judge(ME, before, after, false), Err(Refusal::LastOwner), "{after:?}");
            assert_eq!(me.judge(OTHER, before, after, false), Err(Refusal::LastOwner), "{after:?}");
            assert_eq!(me.judge(OTHER, before, after, true), Ok(()), "{after:?}");
            assert_eq!(me.judge(OTHER, disabled, after, false), Ok(()), "a disabled one counts for nothing");
        }
    }

    #[test]
    fn a_persons_name_is_one_line_and_may_be_empty() {
        assert_eq!(PersonName::parse(json!(" Ada ")).expect("a name").into_column(), "Ada");
        assert!(PersonName::parse(json!("")).is_ok());
        for bad in [json!("a\nb"), json!("a\0b"), json!("x".repeat(151)), json!(null), json!(7)] {
            assert!(PersonName::parse(bad.clone()).is_err(), "{bad}");
        }
    }
}
