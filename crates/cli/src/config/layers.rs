//! One layer of configuration: a document with a name that says where it came from. Nothing about precedence.

use std::path::Path;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::error::ConfigError;

/// The documented defaults.
const DEFAULT: &str = include_str!("../../../../config/default.toml");
/// What development changes.
const DEVELOPMENT: &str = include_str!("../../../../config/development.toml");
/// What production changes.
const PRODUCTION: &str = include_str!("../../../../config/production.toml");

/// Values from one place. Its name becomes the provenance of each of them.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// "default", "file NAME", "environment variable NAME".
    pub(crate) name: String,
    /// The values, nested by section.
    pub(crate) values: Dict,
}

impl Layer {
    /// The embedded defaults, which name every key.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`], if the build embedded a broken document; a test reads it.
    pub(crate) fn defaults() -> Result<Self, ConfigError> {
        Self::from_toml("default".to_owned(), DEFAULT)
    }

    /// The embedded changes of one environment. An unknown name has none: the settings' own type refuses it.
    ///
    /// # Errors
    /// As [`Layer::defaults`].
    pub(crate) fn of_environment(name: &str) -> Result<Self, ConfigError> {
        let text = match name {
            "development" => DEVELOPMENT,
            "production" => PRODUCTION,
            _ => "",
        };
        Self::from_toml(format!("built-in {name}.toml"), text)
    }

    /// The operator's file.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] with the reason, when it is absent or not TOML.
    pub(crate) fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let name = format!("file {}", path.display());
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { place: name.clone(), reason: error.to_string() })?;
        Self::from_toml(name, &text)
    }

    /// One value that a variable gave.
    pub(crate) fn single(name: String, key: &str, value: Value) -> Self {
        let values = match figment::util::nest(key, value) {
            Value::Dict(_, values) => values,
            _ => Dict::new(),
        };
        Self { name, values }
    }

    /// Parses a document. The parser's own text is cut to its first line: the rest quotes the file, secrets included.
    fn from_toml(name: String, text: &str) -> Result<Self, ConfigError> {
        match <Toml as Format>::from_str(text) {
            Ok(values) => Ok(Self { name, values }),
            Err(error) => Err(ConfigError::Unreadable { place: name, reason: where_and_why(text, &error) }),
        }
    }
}

/// "line 3: expected `=`", without the offending line itself.
fn where_and_why(text: &str, error: &<Toml as Format>::Error) -> String {
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map_or(1, |before| before.bytes().filter(|&byte| byte == b'\n').count().saturating_add(1));
    format!("line {line}: {}", error.message().lines().next().unwrap_or("not TOML"))
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}
