//! Items: things that a tenant keeps a list of, each with the person who put it there.

use crate::field::{LongText, Text};
use crate::list::{Filter, Kind, Ordering};
use crate::resource::{Resource, Rights};

crate::fields! {
    /// What a client may write in an item.
    pub ItemFields, ItemPatch {
        /// The name.
        name: Text<255>,
        /// Free text.
        description: LongText<20_000> = LongText::default(),
    }
}

/// The resource.
pub const ITEMS: Resource = Resource {
    name: "items",
    table: "items",
    singular: "item",
    about: "Things that a tenant keeps a list of.",
    rights: Rights::ByAction,
    changes: true,
    filters: &[
        Filter::equals("name", "name", Kind::Text),
        Filter::equals("created_by", "created_by_id", Kind::Id),
    ],
    orderings: &[Ordering::by("name", Kind::Text)],
    search_column: Some("name_search"),
    texts: None,
};
