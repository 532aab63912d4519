//! The audit trail: who did what that took a privilege.

use crate::list::{Filter, Kind};
use crate::resource::{Resource, Rights};

/// The resource.
pub const AUDIT: Resource = Resource {
    name: "audit",
    table: "audit_log",
    singular: "audit entry",
    about: "Who did what that took a privilege. Entries are written with the deed and never change.",
    rights: Rights::Administrators,
    changes: false,
    filters: &[
        Filter::equals("action", "action", Kind::Text),
        Filter::equals("actor_kind", "actor_kind", Kind::Text),
        Filter::equals("actor_id", "actor_id", Kind::Text),
    ],
    orderings: &[],
    search_column: None,
    texts: None,
};
