//! `BULKHEAD_SECTION__KEY` variables, and how a variable's text becomes a value. Older names are in `aliases`.

use figment::value::Value;

use super::error::ConfigError;
use super::keys::{Keys, Kind};
use super::layers::Layer;

/// What every variable of ours starts with.
const PREFIX: &str = "BULKHEAD_";

/// Variables with our prefix that are not settings: where to find the file, and where development keeps its things.
const NOT_SETTINGS: [&str; 2] = ["BULKHEAD_CONFIG", "BULKHEAD_DEV_DIR"];

/// The process's variables, copied once so that tests can hand in their own.
pub(crate) type Variables = std::collections::BTreeMap<String, String>;

/// Copies the environment. A variable that is not UTF-8 is left out: nothing of ours needs one.
pub(crate) fn variables() -> Variables {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The variable that sets `key`.
pub(crate) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}

/// The layers of all `BULKHEAD_` variables.
///
/// # Errors
/// [`ConfigError::UnknownKey`] for a variable that names no key, [`ConfigError::WrongKind`] for text that does not fit.
pub(crate) fn layers(variables: &Variables, keys: &Keys) -> Result<Vec<Layer>, ConfigError> {
    let ours = variables
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name.as_str()))
        // The tests' and the benchmark's own switches reach the programs they start.
        .filter(|(name, _)| !name.starts_with("BULKHEAD_TEST_") && !name.starts_with("BULKHEAD_BENCH_"));
    ours.map(|(name, text)| {
        let key = name.trim_start_matches(PREFIX).to_ascii_lowercase().replace("__", ".");
        layer(name, &key, text, keys)
    })
    .collect()
}

/// The layer in which the variable `name` sets `key` to `text`.
///
/// # Errors
/// As [`layers`].
pub(crate) fn layer(name: &str, key: &str, text: &str, keys: &Keys) -> Result<Layer, ConfigError> {
    let place = format!("environment variable {name}");
    let Some(kind) = keys.kind(key) else {
        let nearest = keys.nearest(key);
        return Err(ConfigError::UnknownKey { key: key.to_owned(), nearest: variable_of(&nearest), place });
    };
    let value = parse(text, kind).ok_or_else(|| ConfigError::WrongKind {
        key: key.to_owned(),
        expected: kind.describe(),
        place: place.clone(),
    })?;
    Ok(Layer::single(place, key, value))
}

/// Reads text as the kind that the key takes. The kind decides, so a password of digits stays text.
fn parse(text: &str, kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::Text => Value::from(text),
        Kind::Number => Value::from(text.trim().parse::<u64>().ok()?),
        Kind::Switch => Value::from(parse_switch(text)?),
        Kind::List => Value::from(split_list(text)),
    })
}

/// Reads the usual spellings of yes and no.
pub(crate) fn parse_switch(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Splits at commas, without surrounding blanks and empty items.
fn split_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}
