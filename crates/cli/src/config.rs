//! The configuration: defaults, files and variables, each value with its provenance. Reads the environment once and
//! writes nothing. What a setting does is not known here.

mod aliases;
mod check;
mod database_parts;
mod environment;
mod error;
mod keys;
mod layers;
mod lifetime;
mod mail;
mod report;
mod settings;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use figment::Figment;

pub(crate) use aliases::Unused;
pub(crate) use check::{sealing_keys, serving_refusals};
pub(crate) use database_parts::percent_encode;
pub(crate) use environment::{Variables, variable_of, variables};
pub(crate) use error::ConfigError;
use keys::Keys;
use layers::Layer;
pub(crate) use lifetime::seconds;
pub(crate) use report::Entry;
pub(crate) use settings::{Environment, Limits, Log, LogFormat, LogLevel, Settings, Tls};

/// Secrets that must not stand in a file, where backups and repositories would copy them.
const NOT_IN_FILES: [&str; 3] = ["auth.encryption_key", "auth.signing_key", "mail.password"];

/// The settings together with how they came about.
#[derive(Debug)]
pub(crate) struct Configuration {
    /// The effective settings.
    pub(crate) settings: Settings,
    /// Every key with its value as it may be shown, and its provenance.
    pub(crate) entries: Vec<Entry>,
    /// Older variables that are set and have no effect.
    pub(crate) unused: Vec<Unused>,
}

/// Reads the configuration: defaults, environment file, the operator's file, older variables, `BULKHEAD_` variables.
///
/// # Errors
/// The first [`ConfigError`] of the sources, or [`ConfigError::Refused`] with everything that is unfit at once.
pub(crate) fn load(file: Option<&Path>, variables: &Variables) -> Result<Configuration, ConfigError> {
    let defaults = Layer::defaults()?;
    let keys = Keys::of(&defaults.values);
    let from_file = read_file(file, variables, &keys)?;
    let (older, unused) = aliases::layers(variables, &keys)?;
    let ours = environment::layers(variables, &keys)?;

    // The environment's own file stands below the operator's, so it is chosen before anything is merged.
    let explicit = || from_file.iter().chain(&older).chain(&ours);
    let chosen = merge(std::iter::once(&defaults).chain(explicit()));
    let environment =
        chosen.extract_inner::<String>("environment").map_err(|error| invalid(&chosen, &error))?;
    let built_in = Layer::of_environment(&environment)?;
    keys.check(&built_in.values, &built_in.name)?;

    let merged = merge([&defaults, &built_in].into_iter().chain(explicit()));
    let settings = merged.extract::<Settings>().map_err(|error| invalid(&merged, &error))?;
    match check::refusals(&settings) {
        none if none.is_empty() => {}
        refusals => return Err(ConfigError::Refused(refusals)),
    }
    Ok(Configuration { entries: report::entries(&merged, &keys), settings, unused })
}

/// The operator's file: the argument, or else the variable.
fn read_file(file: Option<&Path>, variables: &Variables, keys: &Keys) -> Result<Option<Layer>, ConfigError> {
    let named = || variables.get("BULKHEAD_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    let Some(path) = file.map(Path::to_path_buf).or_else(named) else { return Ok(None) };
    let layer = Layer::from_file(&path)?;
    keys.check(&layer.values, &layer.name)?;
    let values = figment::value::Value::from(layer.values.clone());
    for key in NOT_IN_FILES {
        let value = values.find_ref(key).and_then(figment::value::Value::as_str);
        if value.is_some_and(|text| !text.is_empty()) {
            let variable = variable_of(key);
            return Err(ConfigError::SecretInFile { key: key.to_owned(), place: layer.name, variable });
        }
    }
    Ok(Some(layer))
}

/// Later layers win.
fn merge<'a>(layers: impl Iterator<Item = &'a Layer>) -> Figment {
    layers.fold(Figment::new(), |merged, layer| merged.merge(layer.clone()))
}

/// A value that its type refused, with the place it came from. Only enumerations, numbers and addresses can be
/// refused here, so the reason may quote the value; a secret is text and is always taken.
fn invalid(merged: &Figment, error: &figment::Error) -> ConfigError {
    let key = error.path.join(".");
    let place = merged.find_metadata(&key).map_or_else(|| "the defaults".into(), |found| found.name.clone());
    ConfigError::Invalid { key, reason: error.kind.to_string(), place: place.into_owned() }
}
