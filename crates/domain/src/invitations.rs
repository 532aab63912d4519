//! Invitations: how somebody becomes a member who is none yet, by invitation of an administrator or, where the tenant is
//! open, of itself. The token that proves an invitation is not here; it is `auth`'s matter.

use crate::field::Choice;
use crate::list::{Filter, Kind};
use crate::members::PersonName;
use crate::person::Email;
use crate::resource::{Resource, Rights};
use crate::scope::Role;

crate::choice! {
    /// What became of an invitation.
    pub enum InvitationStatus {
        /// Nothing yet. It ends by itself at its `expires_at`.
        Open = "open",
        /// Whoever was invited is a member.
        Accepted = "accepted",
        /// It was taken back, or replaced by a newer one.
        Revoked = "revoked",
    }
}

crate::fields! {
    /// What an administrator writes in an invitation. It cannot be changed, only revoked and made anew.
    pub InvitationFields, InvitationPatch {
        /// The address that is invited, and that receives the link.
        email: Email,
        /// What the person may do. Never more than whoever invites.
        role: Role = Role::Member,
        /// The first name; the person may write another.
        first_name: PersonName = PersonName::default(),
        /// The last name; the person may write another.
        last_name: PersonName = PersonName::default(),
    }
}

/// The resource.
pub const INVITATIONS: Resource = Resource {
    name: "invitations",
    table: "invitations",
    singular: "invitation",
    about: "Who was asked to join the tenant.",
    rights: Rights::Administrators,
    changes: true,
    filters: &[
        Filter::equals("status", "status", Kind::Choice(<InvitationStatus as Choice>::words)),
        Filter::equals("email", "email_norm", Kind::Name),
    ],
    orderings: &[],
    search_column: Some("email_search"),
    texts: None,
};
