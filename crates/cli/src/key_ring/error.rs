//! Why a ring cannot be used or rotated, and what to do about it. Times are for people; no text holds key material.

use std::io;
use std::path::{Path, PathBuf};

use bulkhead_auth::key_error::KeyError;
use bulkhead_auth::token_error::SettingsError;
use chrono::{DateTime, Utc};

use crate::config::variable_of;
use crate::failure::Exit;

/// Why a ring cannot be used or rotated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RingError {
    /// A file or the folder would not do what was tried.
    #[error("cannot {what} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold a key that can be used.
    #[error("{}: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: KeyError,
    },
    /// The key of the environment cannot be used.
    #[error(transparent)]
    Given(KeyError),
    /// No new key could be made.
    #[error("cannot make a new key: {0}")]
    Unmade(KeyError),
    /// The token settings contradict each other.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The key is in the environment.
    #[error("the signing key comes from the environment, where it cannot be rotated")]
    NotInFiles,
    /// Somebody else is rotating.
    #[error("another rotation is going on in {}", .0.display())]
    Busy(PathBuf),
    /// Readers of the published keys may not know the next key yet.
    #[error("the next key was published too recently; it may sign from {} on", moment(*.0))]
    NextTooNew(DateTime<Utc>),
    /// The previous key may have signed a token that is still valid.
    #[error("tokens of the previous key may still be valid; it can be dropped from {} on", moment(*.0))]
    PreviousTooNew(DateTime<Utc>),
}

impl RingError {
    /// Attaches what was tried to an error of the system.
    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { what, path: path.to_owned(), source }
    }

    /// The exit code.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Key { .. } | Self::Given(_) | Self::Settings(_) | Self::NotInFiles => Exit::Configuration,
            _ => Exit::Failure,
        }
    }

    /// What to do about it.
    pub(crate) fn help(&self) -> Option<String> {
        let file = variable_of("auth.signing_key_file");
        Some(match self {
            Self::Key { .. } => "docs/operations.md says what the files beside the signing key are for".into(),
            Self::Given(_) => format!("set {file} to a PEM file, or {} to the key itself", variable_of("auth.signing_key")),
            Self::NotInFiles => {
                format!("write it to a file that only the server's user may read, and set {file} instead; no session ends")
            }
            Self::Busy(_) => "wait for it to end; `bulkhead rotate-signing-key --status` shows the outcome".into(),
            Self::NextTooNew(_) => {
                "try again then; --force lets it sign at once, and whoever still keeps the older set of published keys \
                 refuses its tokens for some minutes"
                    .into()
            }
            Self::PreviousTooNew(_) => {
                "try again then; --force ends those tokens now, and whoever has a refresh token gets a new one".into()
            }
            _ => return None,
        })
    }
}

/// A time for a person.
pub(crate) fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
