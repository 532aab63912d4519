//! Why an operator's command was not carried out. The texts are for the operator.

use diesel::result::Error;
use thiserror::Error as ThisError;

use crate::connect::ConnectError;
use crate::error::DbError;

/// Why nothing was done. Whatever it is, the transaction was rolled back.
#[derive(Debug, ThisError)]
pub enum PlatformError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The operator's name is empty, too long, or holds control characters.
    #[error("an operator's name has 1 to 200 printable characters")]
    BadActor,
    /// The tenant's name is empty or too long.
    #[error("a tenant's name has 1 to 200 characters")]
    BadTenantName,
    /// The domain is no host name.
    #[error(
        "\"{0}\" is not a host name; give it without scheme, port or path, international ones in punycode"
    )]
    BadDomain(String),
    /// A first or last name is too long.
    #[error("first and last names have at most 150 characters each")]
    BadPersonName,
    /// Another tenant has the slug.
    #[error("another tenant has this slug")]
    SlugTaken,
    /// A tenant has the domain.
    #[error("the domain belongs to a tenant already")]
    DomainTaken,
    /// No tenant has the domain.
    #[error("no tenant has this domain")]
    UnknownDomain,
    /// Another user of the tenant has the name.
    #[error("another user of the tenant has this user name")]
    UsernameTaken,
    /// Another user of the tenant has the address.
    #[error("another user of the tenant has this e-mail address")]
    EmailTaken,
    /// Another client of the tenant has the name.
    #[error("another API client of the tenant has this name")]
    ClientNameTaken,
    /// There is no such active user in the tenant.
    #[error("there is no such user in the tenant, or it is deactivated")]
    UnknownUser,
    /// A row of an import was refused.
    #[error("row {row}: {why}")]
    Row {
        /// Which.
        row: usize,
        /// Why.
        why: Box<PlatformError>,
    },
    /// There is no such client in the tenant.
    #[error("there is no such API client")]
    UnknownClient,
    /// There is no such service token that still works.
    #[error("there is no such service token, or it has ended")]
    UnknownServiceToken,
    /// There is no such tenant.
    #[error("there is no such tenant")]
    UnknownTenant,
    /// The tenant is suspended or being deleted.
    #[error("the tenant is not active")]
    TenantNotActive,
    /// The database is away or too busy; try again.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Anything else the database said.
    #[error(transparent)]
    Database(DbError),
}

impl From<Error> for PlatformError {
    fn from(error: Error) -> Self {
        DbError::from(error).into()
    }
}

impl From<DbError> for PlatformError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(reason) | DbError::Busy(reason) => Self::Unavailable(reason),
            DbError::Duplicate(constraint) => match constraint.as_str() {
                "tenants_slug_unique" => Self::SlugTaken,
                "tenant_domains_pkey" => Self::DomainTaken,
                "users_username_unique" => Self::UsernameTaken,
                "users_email_unique" => Self::EmailTaken,
                "api_clients_name_unique" => Self::ClientNameTaken,
                _ => Self::Database(DbError::Duplicate(constraint)),
            },
            DbError::Rejected(constraint) => match constraint.as_str() {
                "tenants_name_check" => Self::BadTenantName,
                "users_first_name_check" | "users_last_name_check" => Self::BadPersonName,
                _ => Self::Database(DbError::Rejected(constraint)),
            },
            other => Self::Database(other),
        }
    }
}
