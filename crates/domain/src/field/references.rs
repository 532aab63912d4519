//! Members that name another row by its id: of any kind, or a person's. Whether there is such a row is not asked here.

use serde_json::Value;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use uuid::Uuid;

use super::Field;
use crate::ids::parse_id;

/// The id of another row of the same tenant. Whether it exists is the database's to say, by its composite key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference(Uuid);

impl Field for Reference {
    type Column = Uuid;

    fn parse(value: Value) -> Result<Self, String> {
        value.as_str().and_then(parse_id).map(Self).ok_or_else(|| "Must be a valid UUID.".to_owned())
    }

    fn schema() -> Schema {
        let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build().into()
    }

    fn into_column(self) -> Uuid {
        self.0
    }
}

/// A person of the tenant, or nobody. Where the body does not say, a new row is its maker's, and a row that is there keeps
/// whom it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Person(Option<Option<Reference>>);

impl Field for Person {
    type Column = Option<Uuid>;

    fn parse(value: Value) -> Result<Self, String> {
        Option::parse(value).map(|person| Self(Some(person)))
    }

    fn schema() -> Schema {
        Option::<Reference>::schema()
    }

    fn into_column(self) -> Option<Uuid> {
        self.for_new(None)
    }

    fn for_new(self, maker: Option<Uuid>) -> Option<Uuid> {
        self.0.map_or(maker, Field::into_column)
    }

    fn for_change(self) -> Option<Option<Uuid>> {
        self.0.map(Field::into_column)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::{Field, Person, Reference};

    #[test]
    fn a_reference_is_a_uuid_in_its_one_spelling() {
        assert!(Reference::parse(json!("0191e4a0-7b5c-7c3e-8f00-0123456789ab")).is_ok());
        assert!(Reference::parse(json!("{0191e4a0-7b5c-7c3e-8f00-0123456789ab}")).is_err());
        assert!(Reference::parse(json!(7)).is_err());
    }
    #[test]
    fn a_person_that_is_not_named_is_the_maker_of_a_new_row_and_whoever_an_old_row_has() {
        let (maker, other) = (Some(Uuid::from_u128(1)), Uuid::from_u128(2));
        assert_eq!((Person::default().for_new(maker), Person::default().for_change()), (maker, None));
        let nobody = Person::parse(json!(null)).unwrap();
        assert_eq!((nobody.for_new(maker), nobody.for_change()), (None, Some(None)));
        let named = Person::parse(json!(other)).unwrap();
        assert_eq!((named.for_new(maker), named.for_change()), (Some(other), Some(Some(other))));
        assert!(Person::parse(json!("somebody")).is_err());
    }
}
