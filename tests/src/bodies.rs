//! Sound bodies, made from the served OpenAPI document: what a resource needs is not written down a second time here.

use bulkhead_domain::ids::new_id;
use serde_json::{Map, Value, json};

use crate::contract::{Contract, Operation};
use crate::rows::Rows;

/// A body that the operation takes, if it takes one: `text` in every text, and of all else what must be there. References
/// are to the rows that are there already.
#[must_use]
pub fn sound(contract: &Contract, operation: &Operation, text: &str, rows: &Rows) -> Option<Value> {
    operation.body().map(|schema| object(contract, schema, text, rows))
}

fn object(contract: &Contract, schema: &Value, text: &str, rows: &Rows) -> Value {
    let schema = contract.resolve(schema);
    let needed = schema["required"].as_array().cloned().unwrap_or_default();
    let mut body = Map::new();
    for (name, member) in schema["properties"].as_object().expect("members") {
        let is_needed = needed.contains(&json!(name));
        let value = match (member["type"].as_str(), member["format"].as_str()) {
            (Some("string"), _) if name == "email" => Some(json!(format!("{text}@example.test"))),
            (Some("string"), None) if name == "username" => Some(json!(text)),
            (Some("string"), None) if member["enum"].is_null() => Some(line(member, text, name)),
            (Some("string"), Some("uuid")) if is_needed => {
                let row = rows.find(&format!("{name}s"));
                Some(row.map_or_else(|| json!(new_id()), |row| row["id"].clone()))
            }
            (Some("string"), Some("date")) if is_needed => Some(json!("2026-01-31")),
            (Some("string"), None) if is_needed => Some(member["enum"][0].clone()),
            (Some("integer"), _) if is_needed => Some(member.get("minimum").cloned().unwrap_or(json!(1))),
            (Some("boolean"), _) if is_needed => Some(json!(true)),
            (Some("array"), _) if is_needed => Some(json!([object(contract, &member["items"], text, rows)])),
            _ => None,
        };
        body.extend(value.map(|value| (name.clone(), value)));
    }
    Value::Object(body)
}

/// A text, cut where the member ends.
fn line(member: &Value, text: &str, name: &str) -> Value {
    let longest = member["maxLength"].as_u64().and_then(|longest| usize::try_from(longest).ok());
    let line = format!("{text} {name}");
    json!(line.chars().take(longest.unwrap_or(usize::MAX)).collect::<String>())
}
