//! What must hold before the first request: the schema is the one this binary was built for, and no barrier between
//! tenants is missing. A server that cannot prove it does not serve.

use bulkhead_persistence::connect::{ConnectError, ConnectSettings};
use bulkhead_persistence::error::DbError;
use bulkhead_persistence::inspect::{InspectError, Inspection, inspect};
use bulkhead_persistence::lint::Finding;
use bulkhead_persistence::migrate::SchemaState;

/// Why the server does not serve on this database.
#[derive(Debug, thiserror::Error)]
pub enum UnfitDatabase {
    /// It cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] ConnectError),
    /// It did not answer a question of the checks.
    #[error("the database cannot be checked: {0}")]
    Unreadable(#[from] DbError),
    /// Its schema is older than this binary.
    #[error("{0} migration(s) are pending; run `bulkhead migrate` first")]
    Pending(usize),
    /// Its schema is newer than this binary.
    #[error("the schema is newer than this binary; run the newer version of bulkhead")]
    Newer,
    /// A barrier between tenants is missing.
    #[error("a barrier between tenants is missing, so nothing is served:{}", listed(.0))]
    Barrier(Vec<Finding>),
}

fn listed(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("\n  {finding}")).collect()
}

/// Checks the database as the roles that serve: that of requests and that of credentials.
///
/// # Errors
/// See [`UnfitDatabase`].
pub async fn check_databases(app: &ConnectSettings, auth: &ConnectSettings) -> Result<(), UnfitDatabase> {
    let (app, auth) = tokio::join!(check_as(app), check_as(auth));
    app.and(auth)
}

async fn check_as(settings: &ConnectSettings) -> Result<(), UnfitDatabase> {
    let Inspection { findings, schema } = inspect(settings).await?;
    if !findings.is_empty() {
        return Err(UnfitDatabase::Barrier(findings));
    }
    match schema {
        SchemaState::UpToDate => Ok(()),
        SchemaState::Pending(count) => Err(UnfitDatabase::Pending(count)),
        SchemaState::Newer => Err(UnfitDatabase::Newer),
    }
}

impl From<InspectError> for UnfitDatabase {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Unreachable(error) => Self::Unreachable(error),
            InspectError::Unreadable(error) => Self::Unreadable(error),
        }
    }
}
