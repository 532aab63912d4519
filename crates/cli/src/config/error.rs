//! What can be wrong with the configuration. The texts name keys, places and remedies, and never a value.

/// One fault. Several can be reported at once by [`ConfigError::Refused`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// A key that does not exist.
    #[error("unknown key `{key}` in {place}; the nearest known key is `{nearest}`")]
    UnknownKey {
        /// The key as it was written.
        key: String,
        /// The known key that looks most like it.
        nearest: String,
        /// Where it was written.
        place: String,
    },
    /// A value of another type than the key takes.
    #[error("`{key}` in {place} must be {expected}")]
    WrongKind {
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// Where the value was written.
        place: String,
    },
    /// A value of the right type that is not one of those allowed.
    #[error("`{key}` is not usable: {reason} (from {place})")]
    Invalid {
        /// The key, or keys, concerned.
        key: String,
        /// Why, without the value where that could be secret.
        reason: String,
        /// Where the value came from.
        place: String,
    },
    /// A file that cannot be read.
    #[error("cannot read the configuration {place}: {reason}")]
    Unreadable {
        /// The file.
        place: String,
        /// Why.
        reason: String,
    },
    /// A secret in a file, where backups and repositories would copy it.
    #[error("`{key}` must not stand in {place}; set the variable {variable} instead")]
    SecretInFile {
        /// The key.
        key: String,
        /// The file.
        place: String,
        /// The variable to use.
        variable: String,
    },
    /// The values are well formed, but unsafe or not enough for the environment. One line each.
    #[error("{}", .0.join("\nerror: "))]
    Refused(Vec<String>),
}
