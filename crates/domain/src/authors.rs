//! Authors: who wrote the books.

use crate::field::{LongText, Text};
use crate::list::{Filter, Kind, Ordering};
use crate::resource::{Resource, Rights};

crate::fields! {
    /// What a client may write in an author.
    pub AuthorFields, AuthorPatch {
        /// The name.
        name: Text<255>,
        /// What there is to know.
        bio: LongText<20_000> = LongText::default(),
    }
}

/// The resource.
pub const AUTHORS: Resource = Resource {
    name: "authors",
    table: "authors",
    singular: "author",
    about: "Who wrote the books.",
    rights: Rights::ByAction,
    changes: true,
    filters: &[Filter::equals("name", "name", Kind::Text)],
    orderings: &[Ordering::by("name", Kind::Text)],
    search_column: Some("name_search"),
    texts: None,
};
