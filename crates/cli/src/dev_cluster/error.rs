//! What can go wrong with the private cluster, and what a person can do about it.

use std::io;
use std::path::PathBuf;

/// Why there is no private cluster.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevClusterError {
    /// No PostgreSQL on this machine.
    #[error("no PostgreSQL server programs were found (looked on PATH and in the usual folders)")]
    NotInstalled,
    /// There are programs, but of another version than the folder's data.
    #[error("the development database in {folder} was made by PostgreSQL {wanted}, which is not installed")]
    OtherVersion {
        /// The cluster's folder.
        folder: PathBuf,
        /// The version that made it.
        wanted: u32,
    },
    /// Started as root on a machine without an account that could run PostgreSQL.
    #[error("PostgreSQL does not run as root, and neither a `postgres` nor a `nobody` account was found")]
    NoAccount,
    /// A file or folder did not allow something.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder in a shared place belongs to somebody else.
    #[error("the socket folder {} belongs to somebody else or is open to others", .0.display())]
    ForeignFolder(PathBuf),
    /// One of PostgreSQL's programs failed.
    #[error("{program} failed: {reason}")]
    Program {
        /// Which one.
        program: &'static str,
        /// The last line it wrote.
        reason: String,
    },
}

impl DevClusterError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::NotInstalled => {
                "run scripts/install-postgres, or set the BULKHEAD_DATABASE__..._URL variables \
                                   (see config/default.toml)"
                    .to_owned()
            }
            Self::OtherVersion { folder, wanted } => {
                format!("install PostgreSQL {wanted}, or delete {} with its demo data", folder.display())
            }
            Self::NoAccount => "run as an ordinary user, or create a user called postgres".to_owned(),
            Self::Io { .. } | Self::ForeignFolder(_) => {
                "set BULKHEAD_DEV_DIR to a folder that you can write to".to_owned()
            }
            Self::Program { .. } => {
                "see postgres.log below .bulkhead/postgres (or BULKHEAD_DEV_DIR)".to_owned()
            }
        }
    }
}

/// Attaches what was tried to an error of the system.
pub(super) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> DevClusterError {
    let path = path.into();
    move |source| DevClusterError::Io { what, path, source }
}
