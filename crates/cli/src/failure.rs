//! Why a command failed: the sentence for a person, what to do about it, and the exit code for a script.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use bulkhead_auth::key_error::KeyError;
use bulkhead_auth::password::HashError;
use bulkhead_auth::password_policy::PasswordWeakness;
use bulkhead_auth::sealed::SealingKeyError;
use bulkhead_domain::field::FieldErrors;
use bulkhead_http::{ServeError, SessionError, UnfitDatabase};
use bulkhead_mail::MailerError;
use bulkhead_persistence::bootstrap::BootstrapError;
use bulkhead_persistence::connect::ConnectError;
use bulkhead_persistence::error::DbError;
use bulkhead_persistence::migrate::MigrateError;
use bulkhead_persistence::platform::PlatformError;

use crate::config::{ConfigError, variable_of};
use crate::dev_cluster::DevClusterError;
use crate::key_ring::RingError;

/// Exit codes. 2, usage, is clap's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something did not work.
    Failure,
    /// The configuration is wrong or incomplete.
    Configuration,
    /// The database cannot be reached.
    Unreachable,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The configuration was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The command needs a database URL that is not configured.
    #[error("`{0}` is not set")]
    MissingUrl(&'static str),
    /// A configured database URL is not for the role it is meant for.
    #[error("`{key}` must name the role {role}")]
    WrongRole {
        /// The key.
        key: &'static str,
        /// The role it must name.
        role: &'static str,
    },
    /// No private cluster.
    #[error(transparent)]
    DevCluster(#[from] DevClusterError),
    /// Bootstrapping stopped.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// Migrating stopped.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// A row of a file of people was refused.
    #[error("row {row}: {what}")]
    ImportRow {
        /// Which; the first is 1.
        row: usize,
        /// Why.
        what: String,
    },
    /// There are migrations to apply.
    #[error("{0} migration(s) are pending")]
    Pending(usize),
    /// An operator's command was refused.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// What was given for a row is wrong, by field.
    #[error("{}", listed(.0))]
    Invalid(FieldErrors),
    /// A secret is in use, or the only one.
    #[error("{0}")]
    SecretInUse(String),
    /// Nobody confirmed.
    #[error("nothing was deleted: this was not confirmed")]
    NotConfirmed,
    /// There is no such operation.
    #[error("there is no operation {0}")]
    UnknownOperation(String),
    /// The database failed otherwise.
    #[error("the database: {0}")]
    Database(#[from] DbError),
    /// No signing key is configured.
    #[error("there is no signing key")]
    NoSigningKey,
    /// A file of ours cannot be read or written.
    #[error("cannot {what} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The signing keys cannot be used or rotated.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// A signing key could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The encryption keys cannot be used.
    #[error(transparent)]
    Sealing(#[from] SealingKeyError),
    /// Mail cannot be sent.
    #[error(transparent)]
    Mailer(#[from] MailerError),
    /// A session could not be opened.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A token that was just made did not verify, a defect.
    #[error("a token of our own did not verify")]
    OwnToken,
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The password is too weak.
    #[error(transparent)]
    WeakPassword(#[from] PasswordWeakness),
    /// The two passwords that were typed differ.
    #[error("the two passwords differ")]
    PasswordsDiffer,
    /// No password, and nobody to ask.
    #[error("there is no terminal to ask for the password on")]
    NoTerminal,
    /// The command makes accounts with a known password.
    #[error("{0} makes accounts with a published password and refuses to run in production")]
    NotInProduction(&'static str),
    /// Demo data that does not fit its own resource, a defect.
    #[error("the demo data of {0} is not valid")]
    DemoData(&'static str),
    /// The server did not start, or broke off.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The OpenAPI document could not be written out, a defect.
    #[error("the OpenAPI document: {0}")]
    Document(String),
    /// The system would not do something basic.
    #[error("cannot {0}: {1}")]
    System(&'static str, io::Error),
}

impl Failure {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Config(_)
            | Self::MissingUrl(_)
            | Self::WrongRole { .. }
            | Self::NoSigningKey
            | Self::Sealing(_)
            | Self::Mailer(MailerError::From | MailerError::Tls) => Exit::Configuration,
            Self::Ring(error) => error.exit(),
            Self::Platform(PlatformError::Connect(error))
            | Self::Migrate(MigrateError::Connect(error))
            | Self::Bootstrap(BootstrapError::Connect(error)) => connecting(error),
            Self::Serve(ServeError::Database(UnfitDatabase::Unreachable(error))) => connecting(error),
            Self::DevCluster(_)
            | Self::Platform(PlatformError::Unavailable(_))
            | Self::Database(DbError::Unavailable(_)) => Exit::Unreachable,
            _ => Exit::Failure,
        }
    }

    /// What to do about it, where the sentence itself does not say.
    pub(crate) fn help(&self) -> Option<String> {
        Some(match self {
            Self::Config(_) => {
                "config/default.toml explains every key; `bulkhead config` shows what is in force".into()
            }
            Self::MissingUrl(key) | Self::WrongRole { key, .. } => format!("set {}", variable_of(key)),
            Self::DevCluster(error) => error.help(),
            Self::Pending(_) => "run `bulkhead migrate`".into(),
            Self::Ring(error) => return error.help(),
            Self::NoSigningKey => format!(
                "set {} to a PEM file, or {} to the key itself",
                variable_of("auth.signing_key_file"),
                variable_of("auth.signing_key")
            ),
            Self::Sealing(_) => format!("mend the file in {}", variable_of("auth.encryption_key_file")),
            Self::Mailer(MailerError::From) => format!("set {}", variable_of("mail.from")),
            Self::Mailer(MailerError::Tls) => format!("set {}", variable_of("mail.host")),
            Self::NoTerminal => "give it on standard input: --password-stdin".into(),
            Self::Serve(ServeError::AddressInUse(_)) => "stop the other program, or set PORT to another port".into(),
            Self::Serve(ServeError::Database(UnfitDatabase::Barrier(_))) => {
                "docs/tenancy.md explains the barriers; a database that `bulkhead bootstrap` and `bulkhead migrate` made has them".into()
            }
            Self::NotInProduction(_) => "use create-tenant and create-user".into(),
            Self::Platform(PlatformError::UnknownClient) => "`bulkhead list-api-clients --tenant TENANT` shows them".into(),
            Self::SecretInUse(_) => "add --force if it must end all the same".into(),
            Self::NotConfirmed => "type the client's name, or add --yes".into(),
            Self::UnknownOperation(_) => "`bulkhead openapi` names them as operationId".into(),
            Self::Platform(PlatformError::UnknownDomain | PlatformError::DomainTaken) => {
                "`bulkhead list-domains` shows whose they are".into()
            }
            Self::Platform(PlatformError::UnknownTenant) => "`bulkhead list-tenants` shows them".into(),
            _ => return None,
        })
    }
}

fn listed(errors: &FieldErrors) -> String {
    let lines = errors.iter().map(|(field, why)| format!("--{}: {}", field.replace('_', "-"), why.join(" ")));
    lines.collect::<Vec<_>>().join("; ")
}

/// A URL that cannot be read is a matter of configuration; everything else is the server's.
const fn connecting(error: &ConnectError) -> Exit {
    match error {
        ConnectError::BadUrl | ConnectError::TlsWanted => Exit::Configuration,
        _ => Exit::Unreachable,
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Failure => 1,
            Exit::Configuration => 3,
            Exit::Unreachable => 4,
        })
    }
}
