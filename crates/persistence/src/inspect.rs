//! Looks at a database as the role that is to serve on it: is the schema the one this binary was built for, and is every
//! barrier between tenants in place? Nothing but the answers leaves this crate, no connection does.

use crate::connect::{ConnectError, ConnectSettings, connect};
use crate::error::DbError;
use crate::lint::{Finding, lint};
use crate::migrate::{SchemaState, schema_state};

/// What was found.
#[derive(Debug)]
pub struct Inspection {
    /// Every barrier that is missing; none when all is well.
    pub findings: Vec<Finding>,
    /// How the schema compares with this binary.
    pub schema: SchemaState,
}

/// Why a database could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] ConnectError),
    /// It did not answer.
    #[error("the database cannot be checked: {0}")]
    Unreadable(#[from] DbError),
}

/// Looks.
///
/// # Errors
/// See [`InspectError`].
pub async fn inspect(settings: &ConnectSettings) -> Result<Inspection, InspectError> {
    let (mut connection, _closed) = connect(settings).await?;
    let findings = lint(&mut connection).await?;
    // Of a database whose barriers are missing nothing else is asked: it may not even let this role ask.
    let schema =
        if findings.is_empty() { schema_state(&mut connection).await? } else { SchemaState::UpToDate };
    Ok(Inspection { findings, schema })
}
