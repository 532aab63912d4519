//! Typed values in query strings: strict readers, because PostgreSQL would take more (`infinity`, year 294276).

use bulkhead_domain::field::Day;
use bulkhead_domain::ids::parse_id;
use bulkhead_domain::list::{Kind, Value};
use chrono::{DateTime, Datelike, NaiveTime, Timelike, Utc};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

/// Longest text that is compared with a column.
const LONGEST: usize = 500;

/// Reads a value of this kind, or says what is wrong with it.
pub(crate) fn read(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Choice(words) => {
            let known = words().contains(&text);
            known
                .then(|| Value::Text(text.to_owned()))
                .ok_or_else(|| format!("\"{text}\" is not a valid choice."))
        }
        Kind::Id => parse_id(text).map(Value::Id).ok_or_else(|| "Must be a valid UUID.".to_owned()),
        Kind::Day => {
            Day::from_text(text).map(Value::Day).ok_or_else(|| "Must be a date, YYYY-MM-DD.".to_owned())
        }
        Kind::Instant => instant(text)
            .map(Value::Instant)
            .ok_or_else(|| "Must be a date, or a date and time with offset (RFC 3339).".to_owned()),
        Kind::Integer => {
            text.parse().map(Value::Integer).map_err(|_error| "A valid integer is required.".to_owned())
        }
        Kind::Switch => text.parse().map(Value::Switch).map_err(|_error| "Must be true or false.".to_owned()),
        Kind::Text if text.contains('\0') => Err("Null characters are not allowed.".to_owned()),
        Kind::Text if text.chars().count() > LONGEST => {
            Err(format!("Must have no more than {LONGEST} characters."))
        }
        Kind::Text => Ok(Value::Text(text.to_owned())),
    }
}

/// RFC 3339, or a bare day for its midnight in UTC. Leap seconds and years that PostgreSQL would reject are refused.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let time = match Day::from_text(text) {
        Some(day) => day.and_time(NaiveTime::MIN).and_utc(),
        None => DateTime::parse_from_rfc3339(text).ok()?.to_utc(),
    };
    ((1..=9999).contains(&time.year()) && time.nanosecond() < 1_000_000_000).then_some(time)
}

/// The column's value of a row that was written out, for a cursor.
pub(crate) fn of_row(kind: Kind, row: &serde_json::Value, name: &str) -> Option<Value> {
    match (kind, row.get(name)?) {
        (Kind::Integer, serde_json::Value::Number(number)) => number.as_i64().map(Value::Integer),
        (Kind::Switch, serde_json::Value::Bool(switch)) => Some(Value::Switch(*switch)),
        (_, serde_json::Value::String(text)) => read(kind, text).ok(),
        _ => None,
    }
}

/// Describes the kind for OpenAPI.
pub(crate) fn schema(kind: Kind) -> RefOr<Schema> {
    let object = ObjectBuilder::new();
    let known = |format| Some(SchemaFormat::KnownFormat(format));
    let object = match kind {
        Kind::Choice(words) => object.schema_type(Type::String).enum_values(Some(words())),
        Kind::Id => object.schema_type(Type::String).format(known(KnownFormat::Uuid)),
        Kind::Day => object.schema_type(Type::String).format(known(KnownFormat::Date)),
        Kind::Instant => object.schema_type(Type::String).format(known(KnownFormat::DateTime)),
        Kind::Integer => object.schema_type(Type::Integer),
        Kind::Switch => object.schema_type(Type::Boolean),
        Kind::Text => object.schema_type(Type::String).max_length(Some(LONGEST)),
    };
    RefOr::T(object.build().into())
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn instants_are_rfc_3339_or_a_day_and_nothing_that_postgresql_would_choke_on() {
        for good in ["2026-11-20", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00.123456+02:00"] {
            assert!(instant(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "now",
            "infinity",
            "0000-01-01",
            "-5000-01-01",
            "294277-01-01T00:00:00Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T10:00:00",
            "2026-11-20T10:00:00+99:99",
            "2026-11-20T23:59:60Z",
            "10000-01-01T00:00:00Z",
            "Fri, 20 Nov 2026 10:00:00 GMT",
        ] {
            assert!(instant(bad).is_none(), "{bad}");
        }
    }
}
