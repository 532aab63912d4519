//! Fields of request bodies: how one is read, refused and described. The types of single fields are in the
//! submodules, the bodies themselves (`ProjectFields` and its like) beside their resource, made by [`fields!`](crate::fields).

mod json;
mod macros;
mod reader;
mod references;
mod rows;
mod types;

pub use json::JsonObject;
pub use macros::__private;
pub use reader::{FieldErrors, Fields, Reader, of_row};
pub use references::{Person, Reference};
pub use rows::{MOST_ROWS, Rows};
pub use types::{Choice, Count, Day, LongText, Switch, Text, Whole};

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};
use uuid::Uuid;

/// A value that may stand in one member of a request body.
pub trait Field: Sized {
    /// What storage keeps of it.
    type Column;

    /// Reads the member.
    ///
    /// # Errors
    /// A sentence for the person who sent it, in the words that users of Django REST framework know.
    fn parse(value: Value) -> Result<Self, String>;

    /// Describes the member for OpenAPI.
    fn schema() -> Schema;

    /// Gives the value to storage.
    fn into_column(self) -> Self::Column;

    /// Gives the value to a new row, which this person makes, if a person does.
    fn for_new(self, _maker: Option<Uuid>) -> Self::Column {
        self.into_column()
    }

    /// Gives the value to a row that is there; `None`: it stays as it is.
    fn for_change(self) -> Option<Self::Column> {
        Some(self.into_column())
    }
}

/// `null` is a value of its own: it clears the member.
impl<T: Field> Field for Option<T> {
    type Column = Option<T::Column>;

    fn parse(value: Value) -> Result<Self, String> {
        if value.is_null() { Ok(None) } else { T::parse(value).map(Some) }
    }

    fn schema() -> Schema {
        let null = Schema::Object(ObjectBuilder::new().schema_type(Type::Null).build());
        Schema::AnyOf(AnyOfBuilder::new().item(RefOr::T(T::schema())).item(RefOr::T(null)).build())
    }

    fn into_column(self) -> Self::Column {
        self.map(T::into_column)
    }
}
