//! A member that is a JSON object of the client's own.

use serde_json::{Map, Value};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::Field;
use super::types::NULL_CHARACTER;

/// A JSON object of the client's own, at most 16 KiB when written out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonObject(Map<String, Value>);

impl JsonObject {
    const MAX_BYTES: usize = 16 * 1024;
}

impl Field for JsonObject {
    type Column = Value;

    fn parse(value: Value) -> Result<Self, String> {
        let Value::Object(map) = value else { return Err("Value must be a JSON object.".to_owned()) };
        let value = Value::Object(map);
        if has_nul(&value) {
            return Err(NULL_CHARACTER.to_owned());
        }
        if !has_modest_numbers(&value) {
            return Err("Ensure numbers are 0, or of a size between 1e-20 and 1e20.".to_owned());
        }
        if value.to_string().len() > Self::MAX_BYTES {
            return Err(format!("Ensure this field has no more than {} bytes.", Self::MAX_BYTES));
        }
        match value {
            Value::Object(map) => Ok(Self(map)),
            _ => Ok(Self::default()),
        }
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::Object).build().into()
    }

    fn into_column(self) -> Value {
        Value::Object(self.0)
    }
}

/// PostgreSQL's `jsonb` keeps every digit: `1e308` is five characters here, and 309 digits there and in every answer.
fn has_modest_numbers(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.as_f64().is_some_and(|size| size == 0.0 || (1e-20..=1e20).contains(&size.abs()))
        }
        Value::Array(items) => items.iter().all(has_modest_numbers),
        Value::Object(map) => map.values().all(has_modest_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

/// PostgreSQL's `jsonb` cannot hold U+0000 (it answers 22P05). Recursion is bounded by the parser's own limit of 128.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Field, JsonObject};

    #[test]
    fn json_objects_are_objects_without_nul_and_of_bounded_size() {
        assert!(JsonObject::parse(json!({"a": {"b": [1, "x"]}})).is_ok());
        for bad in [
            json!([]),
            json!("{}"),
            json!({"a": "\u{0}"}),
            json!({"\u{0}": 1}),
            json!({"a": "x".repeat(16_384)}),
            json!({"a": [1e308]}),
            json!({"a": 1e-300}),
        ] {
            assert!(JsonObject::parse(bad.clone()).is_err());
        }
    }
}
