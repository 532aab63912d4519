//! Books: each by one author.

use crate::field::{Day, Reference, Text};
use crate::list::{Filter, Kind, Ordering};
use crate::resource::{Resource, Rights};
use crate::search::Texts;

crate::fields! {
    /// What a client may write in a book.
    pub BookFields, BookPatch {
        /// The title.
        title: Text<255>,
        /// Who wrote it, of the same tenant.
        author: Reference,
        /// The day on which it came out.
        published_date: Option<Day> = None,
    }
}

/// The resource.
pub const BOOKS: Resource = Resource {
    name: "books",
    table: "books",
    singular: "book",
    about: "Books, each by one author.",
    rights: Rights::ByAction,
    changes: true,
    filters: &[
        Filter::equals("author", "author_id", Kind::Id),
        Filter::from("published_after", "published_date", Kind::Day),
        Filter::before("published_before", "published_date", Kind::Day),
    ],
    orderings: &[Ordering::by("title", Kind::Text), Ordering::by_nullable("published_date", Kind::Day)],
    search_column: Some("title_search"),
    texts: Some(Texts { title: "title", body: &[] }),
};
