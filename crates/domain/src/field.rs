//! Fields of request bodies: how one is read, refused and described. The types of single fields are in the
//! submodules, the bodies themselves (`ProjectFields` and its like) beside their resource, made by [`fields!`](crate::fields).

mod macros;
mod reader;
mod types;

pub use macros::__private;
pub use reader::{FieldErrors, Fields, Reader};
pub use types::{Choice, Count, Day, JsonObject, LongText, Reference, Switch, Text};

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};

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
