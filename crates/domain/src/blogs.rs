//! Blogs: texts for readers, each by a person of the tenant.

use crate::field::{Choice, LongText, Person, Text};
use crate::list::{Filter, Kind, Ordering};
use crate::resource::{Resource, Rights};
use crate::search::Texts;

crate::choice! {
    /// Where a blog stands.
    pub enum BlogStatus {
        /// Being written.
        Draft = "draft",
        /// For everybody to read.
        Published = "published",
        /// No longer.
        Archived = "archived",
    }
}

crate::fields! {
    /// What a client may write in a blog.
    pub BlogFields, BlogPatch {
        /// The title.
        title: Text<255>,
        /// What it is about, in short.
        description: LongText<20_000> = LongText::default(),
        /// The text.
        body: LongText<200_000> = LongText::default(),
        /// Who wrote it, a person of the tenant; whoever makes it, unless given. A PUT without it keeps who it was.
        author: Person = Person::default(),
        /// Where it stands. Since when it is published, the server notes.
        status: BlogStatus = BlogStatus::Draft,
    }
}

/// The resource.
pub const BLOGS: Resource = Resource {
    name: "blogs",
    table: "blogs",
    singular: "blog",
    about: "Texts for readers.",
    rights: Rights::ByAction,
    changes: true,
    filters: &[
        Filter::equals("author", "author_id", Kind::Id),
        Filter::equals("status", "status", Kind::Choice(BlogStatus::words)),
        Filter::from("published_after", "published_at", Kind::Instant),
        Filter::before("published_before", "published_at", Kind::Instant),
    ],
    orderings: &[
        Ordering::by("title", Kind::Text),
        Ordering::by("status", Kind::Text),
        Ordering::by_nullable("published_at", Kind::Instant),
    ],
    search_column: Some("title_search"),
    texts: Some(Texts { title: "title", body: &["description", "body"] }),
};
