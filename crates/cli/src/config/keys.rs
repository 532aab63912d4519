//! The keys that exist, read from `config/default.toml`, and what kind of value each takes. No values.

use std::collections::BTreeMap;

use figment::value::{Dict, Value};

use super::error::ConfigError;

/// What may stand under a key. The default's own type decides, so that the documented file is the one truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Text,
    /// A whole number, 0 or more.
    Number,
    /// `true` or `false`.
    Switch,
    /// A list of texts.
    List,
}

impl Kind {
    /// The words an error message uses.
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a whole number, 0 or more",
            Self::Switch => "true or false",
            Self::List => "a list of texts",
        }
    }

    /// The kind of a value that was read, or `None` for what no key takes (a fraction, a table, a date).
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(..) | Value::Char(..) => Some(Self::Text),
            Value::Num(_, number) => number.to_u128_lossy().map(|_| Self::Number),
            Value::Bool(..) => Some(Self::Switch),
            Value::Array(_, items) => {
                items.iter().all(|item| matches!(item, Value::String(..))).then_some(Self::List)
            }
            _ => None,
        }
    }
}

/// Every known key, written `section.key`, with its kind.
#[derive(Debug)]
pub(crate) struct Keys(BTreeMap<String, Kind>);

impl Keys {
    /// Collects the keys of the default document.
    pub(crate) fn of(defaults: &Dict) -> Self {
        let known = flatten(defaults).into_iter().filter_map(|(key, value)| Some((key, Kind::of(value)?)));
        Self(known.collect())
    }

    /// The kind of `key`, if there is such a key.
    pub(crate) fn kind(&self, key: &str) -> Option<Kind> {
        self.0.get(key).copied()
    }

    /// Every key, in alphabetical order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The known key that looks most like `key`.
    pub(crate) fn nearest(&self, key: &str) -> String {
        // Underscores and dots are what people mix up in variable names, so they count as the same.
        let plain = |text: &str| text.replace(['.', '_'], "");
        let distance = |known: &&str| strsim::damerau_levenshtein(&plain(known), &plain(key));
        self.names().min_by_key(distance).unwrap_or_default().to_owned()
    }

    /// Refuses a document with a key that does not exist, or with a value of another kind.
    ///
    /// # Errors
    /// [`ConfigError::UnknownKey`] or [`ConfigError::WrongKind`]. Neither repeats the value: it may be a secret.
    pub(crate) fn check(&self, document: &Dict, place: &str) -> Result<(), ConfigError> {
        for (key, value) in flatten(document) {
            let expected = self.kind(&key).ok_or_else(|| ConfigError::UnknownKey {
                nearest: self.nearest(&key),
                key: key.clone(),
                place: place.to_owned(),
            })?;
            if Kind::of(value) != Some(expected) {
                let place = place.to_owned();
                return Err(ConfigError::WrongKind { key, expected: expected.describe(), place });
            }
        }
        Ok(())
    }
}

/// The leaves of a document with their dotted names. An empty table has none.
fn flatten(document: &Dict) -> Vec<(String, &Value)> {
    let mut leaves = Vec::new();
    for (name, value) in document {
        match value {
            Value::Dict(_, inner) => {
                let below = flatten(inner).into_iter().map(|(key, leaf)| (format!("{name}.{key}"), leaf));
                leaves.extend(below);
            }
            leaf => leaves.push((name.clone(), leaf)),
        }
    }
    leaves
}
