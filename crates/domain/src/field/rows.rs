//! The body that makes many rows at once: a list of bodies of one, each of which may be wrong in its own way.

use std::borrow::Cow;

use serde_json::Value;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::{FieldErrors, Fields, Reader};

/// The most rows that one request makes.
pub const MOST_ROWS: usize = 500;

/// `{"rows": [..]}`, with 1 to [`MOST_ROWS`] bodies of `F`.
#[derive(Clone, Debug)]
pub struct Rows<F>(pub Vec<F>);

impl<F: Fields> Fields for Rows<F> {
    fn read(reader: &mut Reader) -> Option<Self> {
        let items = match reader.take("rows") {
            None => return reader.complain("rows", "This field is required.".to_owned()),
            Some(Value::Array(items)) if items.is_empty() => {
                return reader.complain("rows", "This list may not be empty.".to_owned());
            }
            Some(Value::Array(items)) if items.len() > MOST_ROWS => {
                let sentence = format!("Ensure this field has no more than {MOST_ROWS} elements.");
                return reader.complain("rows", sentence);
            }
            Some(Value::Array(items)) => items,
            Some(_) => return reader.complain("rows", "Expected a list of items.".to_owned()),
        };
        let mut rows = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            match read_one::<F>(item) {
                Ok(row) => rows.push(row),
                Err(errors) => reader.complain_of_row(at, errors),
            }
        }
        Some(Self(rows))
    }
}

fn read_one<F: Fields>(item: Value) -> Result<F, FieldErrors> {
    match item {
        Value::Object(object) => F::from_object(object),
        _ => {
            let sentence = "Invalid data. Expected an object.".to_owned();
            Err(FieldErrors::from([(String::new(), vec![sentence])]))
        }
    }
}

impl<F: ToSchema> PartialSchema for Rows<F> {
    fn schema() -> RefOr<Schema> {
        let rows = ArrayBuilder::new()
            .items(Ref::from_schema_name(F::name()))
            .min_items(Some(1))
            .max_items(Some(MOST_ROWS));
        RefOr::T(ObjectBuilder::new().property("rows", rows).required("rows").build().into())
    }
}

impl<F: ToSchema> ToSchema for Rows<F> {
    fn name() -> Cow<'static, str> {
        format!("{}Rows", F::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        F::schemas(schemas);
        schemas.push((F::name().into_owned(), F::schema()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Rows;
    use crate::field::{FieldErrors, Fields};
    use crate::items::ItemFields;

    fn read(body: &Value) -> Result<usize, FieldErrors> {
        let object = body.as_object().unwrap().clone();
        Rows::<ItemFields>::from_object(object).map(|rows| rows.0.len())
    }

    #[test]
    fn each_row_is_read_as_one_body_and_what_is_wrong_is_said_by_row() {
        assert_eq!(read(&json!({ "rows": [{ "name": "a" }, { "name": "b" }] })), Ok(2));
        let wrong = json!({ "rows": [{ "name": "a" }, {}, 7, { "name": "" }] });
        let errors = read(&wrong).unwrap_err();
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["rows.1.name", "rows.2", "rows.3.name"]);
    }

    #[test]
    fn there_is_at_least_one_row_and_at_most_five_hundred() {
        let rows = |count| json!({ "rows": vec![json!({ "name": "a" }); count] });
        assert_eq!((read(&rows(1)), read(&rows(500))), (Ok(1), Ok(500)));
        for wrong in [rows(0), rows(501), json!({}), json!({ "rows": null }), json!({ "rows": {} })] {
            let errors = read(&wrong).unwrap_err();
            assert_eq!(errors.keys().collect::<Vec<_>>(), ["rows"]);
        }
    }
}
