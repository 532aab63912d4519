//! Every key with its value as it may be shown, and where the value came from. Secrets never leave this file.

use figment::Figment;
use figment::value::Value;
use serde::Serialize;

use super::keys::Keys;

/// Keys whose values nobody may see: a database URL has a password in it.
const SECRETS: [&str; 8] = [
    "auth.encryption_key",
    "auth.signing_key",
    "database.auth_url",
    "database.migrator_url",
    "database.platform_url",
    "database.superuser_url",
    "database.url",
    "mail.password",
];

/// One line of `bulkhead config`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// `section.key`.
    pub(crate) key: String,
    /// The value, as TOML would write it; "(hidden)" for a secret, "(not set)" for an empty text.
    pub(crate) value: String,
    /// "default", "file NAME", "environment variable NAME".
    pub(crate) from: String,
}

/// The entries of all keys, in alphabetical order.
pub(crate) fn entries(merged: &Figment, keys: &Keys) -> Vec<Entry> {
    keys.names()
        .map(|key| {
            let value = merged.find_value(key).ok();
            let from = merged.find_metadata(key).map_or_else(String::new, |found| found.name.to_string());
            Entry {
                key: key.to_owned(),
                value: value.map_or_else(String::new, |value| show(key, &value)),
                from,
            }
        })
        .collect()
}

fn show(key: &str, value: &Value) -> String {
    match value {
        Value::String(_, text) if text.is_empty() => "(not set)".to_owned(),
        _ if SECRETS.contains(&key) => "(hidden)".to_owned(),
        other => plain(other),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Array(_, items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Value::Bool(_, switch) => switch.to_string(),
        // No key takes anything but numbers besides these.
        other => other
            .to_u128()
            .or_else(|| other.to_i128().and_then(|n| u128::try_from(n).ok()))
            .map_or_else(|| "?".to_owned(), |number| number.to_string()),
    }
}
