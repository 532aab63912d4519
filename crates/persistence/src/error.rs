//! What can go wrong in the database, in the words of the product. The only place that reads PostgreSQL's errors.

use diesel::result::{DatabaseErrorKind, Error};

/// The outcome of work in the database.
pub type DbResult<T> = Result<T, DbError>;

/// Why work in the database did not succeed. Whatever it is, the transaction was rolled back.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No such row within the tenant.
    #[error("no such row")]
    NotFound,
    /// The row exists in another version than the one expected.
    #[error("the row was changed meanwhile")]
    Stale,
    /// A unique constraint, named `{table}_{field}_unique`.
    #[error("unique constraint {0}")]
    Duplicate(String),
    /// A foreign key, named `{table}_{field}_fk`.
    #[error("foreign key {0}")]
    BadReference(String),
    /// Rows of this table refer to the row that was to be deleted, and do not go with it.
    #[error("rows of {0} refer to it")]
    Referenced(String),
    /// One of many rows, counted from 0.
    #[error("row {0}: {1}")]
    InRow(usize, Box<DbError>),
    /// A check constraint or a missing value that validation should have caught.
    #[error("refused by constraint {0}")]
    Rejected(String),
    /// Another transaction holds what this one needs: a lock wait that ran out, or a deadlock.
    #[error("busy: {0}")]
    Busy(String),
    /// The idempotency key was used for another request.
    #[error("idempotency key used for another request")]
    KeyReused,
    /// The work thought better of it: whoever did it found within the transaction that it must not be done.
    #[error("withdrawn")]
    Withdrawn,
    /// The database is away, shutting down, full or read-only, or did not answer in time.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Row-level security refused a statement that the first barrier should never have let through.
    #[error("row-level security violation: {0}")]
    TenantBarrier(String),
    /// A defect.
    #[error("internal: {0}")]
    Internal(String),
}

/// Beginnings of PostgreSQL's messages that mean "try again shortly". diesel does not hand out the SQLSTATE; the
/// roles are set to `lc_messages = 'C'` (see `bootstrap`), so the texts are those of the source.
const BUSY: [&str; 3] =
    ["canceling statement due to lock timeout", "deadlock detected", "could not serialize access"];

/// Beginnings of messages that mean "the database cannot serve now".
const UNAVAILABLE: [&str; 10] = [
    "canceling statement due to statement timeout",
    "canceling statement due to conflict with recovery",
    "terminating connection",
    "the database system is",
    "sorry, too many clients",
    "remaining connection slots",
    "too many connections",
    "could not extend file",
    "could not write",
    "cannot execute",
];

/// Beginning of the message about a foreign key that a deletion would leave without its row.
const REFERENCED: &str = "update or delete on table";

/// The message of every statement that comes after the one that failed.
const ABORTED: &str = "current transaction is aborted";

/// Whether a statement failed only because one before it in its transaction had.
pub(crate) fn is_consequence(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(_, info) if info.message().starts_with(ABORTED))
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            Error::DatabaseError(kind, info) => {
                let constraint = || info.constraint_name().unwrap_or_default().to_owned();
                match kind {
                    DatabaseErrorKind::UniqueViolation => Self::Duplicate(constraint()),
                    DatabaseErrorKind::ForeignKeyViolation if info.message().starts_with(REFERENCED) => {
                        Self::Referenced(info.table_name().unwrap_or_default().to_owned())
                    }
                    DatabaseErrorKind::ForeignKeyViolation => Self::BadReference(constraint()),
                    DatabaseErrorKind::CheckViolation | DatabaseErrorKind::NotNullViolation => {
                        Self::Rejected(constraint())
                    }
                    DatabaseErrorKind::SerializationFailure => Self::Busy(info.message().to_owned()),
                    DatabaseErrorKind::ReadOnlyTransaction
                    | DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::UnableToSendCommand => Self::Unavailable(info.message().to_owned()),
                    _ => Self::from_message(info.message()),
                }
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

impl DbError {
    fn from_message(message: &str) -> Self {
        let starts = |list: &[&str]| list.iter().any(|start| message.starts_with(start));
        if starts(&BUSY) {
            Self::Busy(message.to_owned())
        } else if starts(&UNAVAILABLE) {
            Self::Unavailable(message.to_owned())
        } else if message.contains("row-level security") || message.starts_with("permission denied") {
            Self::TenantBarrier(message.to_owned())
        } else {
            Self::Internal(message.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DbError;

    #[test]
    fn messages_of_the_server_become_kinds() {
        let kind = DbError::from_message;
        assert!(matches!(kind("canceling statement due to lock timeout"), DbError::Busy(_)));
        assert!(matches!(kind("deadlock detected"), DbError::Busy(_)));
        assert!(matches!(
            kind("terminating connection due to administrator command"),
            DbError::Unavailable(_)
        ));
        assert!(matches!(kind("the database system is shutting down"), DbError::Unavailable(_)));
        assert!(matches!(
            kind("new row violates row-level security policy for table \"projects\""),
            DbError::TenantBarrier(_)
        ));
        assert!(matches!(kind("permission denied for table user_credentials"), DbError::TenantBarrier(_)));
        assert!(matches!(kind("relation \"x\" does not exist"), DbError::Internal(_)));
    }
}
