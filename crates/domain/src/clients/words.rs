//! The fields that only a client has: lists of roles, scopes and networks, its own rate, and an end in the future.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde_json::Value;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use super::ClientRole;
use crate::clock::now;
use crate::field::Field;
use crate::scope::ScopeSet;

/// The most entries of a list of roles, of scopes and of networks: a token carries all of them.
const MOST_ROLES: usize = 10;
const MOST_SCOPES: usize = 50;
const MOST_NETWORKS: usize = 32;

/// Reads a list of words, each once, each put into its one spelling by `read`.
fn words(value: Value, most: usize, read: impl Fn(&str) -> Option<String>) -> Result<Vec<String>, String> {
    let Value::Array(items) = value else { return Err("Expected a list of texts.".to_owned()) };
    if items.len() > most {
        return Err(format!("Ensure this field has no more than {most} entries."));
    }
    let mut words: Vec<String> = Vec::new();
    for item in items {
        let Value::String(text) = &item else { return Err("Expected a list of texts.".to_owned()) };
        let word = read(text.trim()).ok_or_else(|| format!("{item} is not a valid choice."))?;
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words)
}

fn schema_of_words(most: usize, words: Option<Vec<&'static str>>) -> Schema {
    let item = ObjectBuilder::new().schema_type(Type::String).enum_values(words);
    ArrayBuilder::new().items(item).max_items(Some(most)).into()
}

/// Roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleWords(Vec<String>);

impl Field for RoleWords {
    type Column = Vec<String>;

    fn parse(value: Value) -> Result<Self, String> {
        words(value, MOST_ROLES, |text| Some(ClientRole::parse(text)?.as_str().to_owned())).map(Self)
    }

    fn schema() -> Schema {
        schema_of_words(MOST_ROLES, Some(ClientRole::ALL.map(ClientRole::as_str).to_vec()))
    }

    fn into_column(self) -> Vec<String> {
        self.0
    }
}

/// Scopes, by their form. Whether an operation asks for one is for the table of operations to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeWords(Vec<String>);

impl Field for ScopeWords {
    type Column = Vec<String>;

    fn parse(value: Value) -> Result<Self, String> {
        words(value, MOST_SCOPES, |text| ScopeSet::parse_one(text)?.words().pop()).map(Self)
    }

    fn schema() -> Schema {
        schema_of_words(MOST_SCOPES, None)
    }

    fn into_column(self) -> Vec<String> {
        self.0
    }
}

/// Networks, as CIDR (RFC 4632 §3.1); a single address is a network of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<String>);

impl Field for Networks {
    type Column = Vec<String>;

    fn parse(value: Value) -> Result<Self, String> {
        words(value, MOST_NETWORKS, |text| network(text).map(|network| network.to_string())).map(Self)
    }

    fn schema() -> Schema {
        schema_of_words(MOST_NETWORKS, None)
    }

    fn into_column(self) -> Vec<String> {
        self.0
    }
}

/// Bits beyond the prefix are cut off, so that one network has one spelling.
fn network(text: &str) -> Option<IpNet> {
    let single = || text.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address.to_canonical()));
    text.parse::<IpNet>().ok().or_else(single).map(|network| network.trunc())
}

/// Requests an hour, 1 to 2 000 000 000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourlyRate(i32);

impl HourlyRate {
    const MAX: i32 = 2_000_000_000;
}

impl Field for HourlyRate {
    type Column = i32;

    fn parse(value: Value) -> Result<Self, String> {
        let number = value.as_i64().ok_or_else(|| "A valid integer is required.".to_owned())?;
        match i32::try_from(number) {
            Ok(rate) if (1..=Self::MAX).contains(&rate) => Ok(Self(rate)),
            _ => Err(format!("Ensure this value is between 1 and {}.", Self::MAX)),
        }
    }

    fn schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(i64::from(Self::MAX)))
            .build()
            .into()
    }

    fn into_column(self) -> i32 {
        self.0
    }
}

/// A point in time that lies ahead (RFC 3339).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Future(DateTime<Utc>);

impl Field for Future {
    type Column = DateTime<Utc>;

    fn parse(value: Value) -> Result<Self, String> {
        let text = value.as_str().unwrap_or_default();
        // A year of four digits, so that every reader of the answer can read it.
        let time = DateTime::parse_from_rfc3339(text).ok().filter(|_| !text.starts_with(['+', '-']));
        let time = time.ok_or_else(|| "Must be a time such as 2026-01-31T12:00:00Z.".to_owned())?.to_utc();
        if time <= now() { Err("Must lie in the future.".to_owned()) } else { Ok(Self(time)) }
    }

    fn schema() -> Schema {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build().into()
    }

    fn into_column(self) -> DateTime<Utc> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Future, HourlyRate, Networks, RoleWords, ScopeWords};
    use crate::field::Field as _;

    #[test]
    fn networks_have_one_spelling() {
        let given = json!(["10.1.2.3/8", "10.0.0.0/8", "192.0.2.7", "2001:DB8::1/32", "::ffff:192.0.2.8"]);
        let kept = Networks::parse(given).unwrap().into_column();
        assert_eq!(kept, ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "192.0.2.8/32"]);
        for bad in
            [json!(["everywhere"]), json!([""]), json!(["10.0.0.0/33"]), json!("10.0.0.0/8"), json!([1])]
        {
            assert!(Networks::parse(bad.clone()).is_err(), "{bad}");
        }
        assert!(Networks::parse(json!(vec!["10.0.0.1"; 33])).is_err());
    }

    #[test]
    fn roles_and_scopes_are_known_words_each_once() {
        assert_eq!(
            RoleWords::parse(json!(["read", " write", "read"])).unwrap().into_column(),
            ["read", "write"]
        );
        assert!(RoleWords::parse(json!(["owner"])).is_err());
        let scopes = ScopeWords::parse(json!(["read:*", "admin", "tenant:admin"])).unwrap();
        assert_eq!(scopes.into_column(), ["read:*", "tenant:admin"]);
        for bad in ["read", "read:", "*", "READ:projects", "read:a b", ""] {
            assert!(ScopeWords::parse(json!([bad])).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rate_is_at_least_one_and_an_end_lies_ahead() {
        assert!(HourlyRate::parse(json!(1)).is_ok());
        for bad in [json!(0), json!(-1), json!(1.5), json!("1"), json!(i64::MAX), json!(null)] {
            assert!(HourlyRate::parse(bad.clone()).is_err(), "{bad}");
        }
        assert!(Future::parse(json!("2999-01-01T00:00:00Z")).is_ok());
        for bad in ["2001-01-01T00:00:00Z", "tomorrow", "", "+12026-01-01T00:00:00Z", "2999-01-01"] {
            assert!(Future::parse(json!(bad)).is_err(), "{bad}");
        }
    }
}
