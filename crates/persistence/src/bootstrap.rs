//! Setting up a server, once, as its superuser: the roles, the database, the schema and who may use them. Idempotent:
//! run again it repairs what was changed by hand. Tables and policies are the migrations' matter.

mod database;
mod roles;

use secrecy::SecretString;
use thiserror::Error;
use tokio_postgres::Client;

use crate::connect::{ConnectError, ConnectSettings, connect_plain, connect_plain_to};

/// The schema that everything lives in.
pub const SCHEMA: &str = "bulkhead";
/// Owns every object, cannot log in.
pub const OWNER: &str = "bulkhead_owner";
/// Becomes the owner in order to migrate.
pub const MIGRATOR: &str = "bulkhead_migrator";
/// Serves tenants' requests.
pub const APP: &str = "bulkhead_app";
/// Reads and writes credentials.
pub const AUTH: &str = "bulkhead_auth";
/// Serves operators.
pub const PLATFORM: &str = "bulkhead_platform";
/// Owns the functions that search, cannot log in.
pub const SEARCH: &str = "bulkhead_search";

/// Held while bootstrapping, so that two at once take turns.
const BOOTSTRAP_LOCK: i64 = 0x6275_6c6b_0001;

/// The roles' passwords. An absent one is left as it is, for servers that authenticate otherwise.
#[derive(Clone, Debug, Default)]
pub struct RolePasswords {
    /// Of [`MIGRATOR`].
    pub migrator: Option<SecretString>,
    /// Of [`APP`].
    pub app: Option<SecretString>,
    /// Of [`AUTH`].
    pub auth: Option<SecretString>,
    /// Of [`PLATFORM`].
    pub platform: Option<SecretString>,
}

/// What was done. Settings and grants are made afresh each time and not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootstrapReport {
    /// Roles that did not exist.
    pub created_roles: Vec<&'static str>,
    /// Roles that had a privilege or a membership they must not have, or lacked one they need.
    pub repaired_roles: Vec<&'static str>,
    /// Roles that were given the password.
    pub passwords_set: Vec<&'static str>,
    /// Whether the database did not exist.
    pub created_database: bool,
}

/// Why bootstrapping stopped. What was done until then stays done; run it again.
#[derive(Debug, Error)]
pub enum BootstrapError {
    /// No connection as the superuser, or to the new database.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The role of the URL is no superuser.
    #[error("role \"{0}\" is not a superuser; bootstrap needs one, once")]
    NotSuperuser(String),
    /// An empty password, which PostgreSQL would take for none.
    #[error("the password given for role \"{0}\" is empty")]
    EmptyPassword(&'static str),
    /// The server refused a statement.
    #[error("while setting up {step}: {reason}")]
    Refused {
        /// What was being set up.
        step: &'static str,
        /// The server's words. They hold no password: only verifiers are ever sent.
        reason: String,
    },
}

/// Creates or repairs roles, database, schema, grants and settings. `superuser` names a superuser and any database of
/// the server other than the one to make; `database` is the one to make.
///
/// # Errors
/// No connection, no superuser, an empty password, or a statement that the server refused.
pub async fn bootstrap(
    superuser: &ConnectSettings,
    database: &str,
    passwords: RolePasswords,
) -> Result<BootstrapReport, BootstrapError> {
    let server = connect_plain(superuser).await?;
    require_superuser(&server).await?;
    let step = "the bootstrap lock";
    server.execute("select pg_advisory_lock($1)", &[&BOOTSTRAP_LOCK]).await.map_err(refused(step))?;
    let mut report = BootstrapReport::default();
    roles::settle(&server, &passwords, &mut report).await?;
    report.created_database = database::settle(&server, database).await?;
    let inside = connect_plain_to(superuser, database).await?;
    database::settle_inside(&inside, database).await?;
    // The lock goes with the connection.
    Ok(report)
}

async fn require_superuser(server: &Client) -> Result<(), BootstrapError> {
    let query = "select current_user::text, rolsuper from pg_roles where rolname = current_user";
    let row = server.query_one(query, &[]).await.map_err(refused("the superuser"))?;
    let (name, is_superuser): (String, bool) = (row.get(0), row.get(1));
    if is_superuser { Ok(()) } else { Err(BootstrapError::NotSuperuser(name)) }
}

fn refused(step: &'static str) -> impl Fn(tokio_postgres::Error) -> BootstrapError {
    move |error| {
        let reason =
            error.as_db_error().map_or_else(|| error.to_string(), |refusal| refusal.message().to_owned());
        BootstrapError::Refused { step, reason }
    }
}
