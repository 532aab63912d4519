//! Projects: what a tenant's work is grouped by.

use crate::field::{Choice, LongText, Person, Text};
use crate::list::{Filter, Kind, Ordering};
use crate::resource::{Resource, Rights};
use crate::search::Texts;

crate::choice! {
    /// Where a project stands.
    pub enum ProjectStatus {
        /// Being worked on.
        Active = "active",
        /// Finished.
        Completed = "completed",
        /// Out of sight.
        Archived = "archived",
    }
}

crate::fields! {
    /// What a client may write in a project.
    pub ProjectFields, ProjectPatch {
        /// The project's name, unique within the tenant.
        name: Text<255>,
        /// Free text.
        description: LongText<20_000> = LongText::default(),
        /// Where the project stands.
        status: ProjectStatus = ProjectStatus::Active,
        /// Who answers for it, a person of the tenant; whoever makes it, unless given. A PUT without it keeps
        /// who it was.
        owner: Person = Person::default(),
    }
}

/// The resource.
pub const PROJECTS: Resource = Resource {
    name: "projects",
    table: "projects",
    singular: "project",
    about: "What a tenant's work is grouped by.",
    rights: Rights::ByAction,
    changes: true,
    filters: &[
        Filter::equals("status", "status", Kind::Choice(ProjectStatus::words)),
        Filter::equals("name", "name", Kind::Text),
        Filter::equals("owner", "owner_id", Kind::Id),
    ],
    orderings: &[Ordering::by("name", Kind::Text), Ordering::by("status", Kind::Text)],
    search_column: Some("name_search"),
    texts: Some(Texts { title: "name", body: &["description"] }),
};
