//! Documents: what is known about a file that lives elsewhere. No bytes are kept here.

use crate::field::{Count, JsonObject, LongText, Reference, Text};
use crate::list::{Filter, Kind, Ordering};
use crate::resource::{Resource, Rights};
use crate::search::Texts;

crate::fields! {
    /// What a client may write in a document.
    pub DocumentFields, DocumentPatch {
        /// The project that it belongs to, of the same tenant, or none.
        project: Option<Reference> = None,
        /// The file's name.
        name: Text<255>,
        /// Where the file lies.
        file_path: LongText<500> = LongText::default(),
        /// The file's size in bytes.
        file_size: Count = Count::default(),
        /// The file's media type.
        content_type: LongText<100> = LongText::default(),
        /// Whatever else the client wants to keep.
        metadata: JsonObject = JsonObject::default(),
    }
}

/// The resource.
pub const DOCUMENTS: Resource = Resource {
    name: "documents",
    table: "documents",
    singular: "document",
    about: "What is known about a file that lives elsewhere.",
    rights: Rights::ByAction,
    changes: true,
    filters: &[
        Filter::equals("project", "project_id", Kind::Id),
        Filter::equals("name", "name", Kind::Text),
        Filter::equals("content_type", "content_type", Kind::Text),
    ],
    orderings: &[Ordering::by("name", Kind::Text), Ordering::by("file_size", Kind::Integer)],
    search_column: Some("name_search"),
    texts: Some(Texts { title: "name", body: &["file_path"] }),
};
