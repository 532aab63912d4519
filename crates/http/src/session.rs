//! Sessions: opening one for an account whose right to it was proved, and the access tokens that belong to it. Also for
//! programs, which open one without HTTP.

use std::time::Duration;

use bulkhead_auth::refresh;
use bulkhead_auth::token::{Issued, Tokens, UserToken};
use bulkhead_auth::token_error::IssueError;
use bulkhead_domain::clock::now;
use bulkhead_domain::ids::FamilyId;
use bulkhead_persistence::credentials::{Account, AuthDb, DirectoryEntry};
use bulkhead_persistence::error::DbError;
use bulkhead_persistence::families::{FirstToken, Origin};
use chrono::{DateTime, Utc};
use secrecy::SecretString;

/// A session with its first pair of tokens.
#[derive(Debug)]
pub struct Session {
    /// For requests.
    pub access: Issued,
    /// For the next pair.
    pub refresh: SecretString,
    /// When the session ends, however often it is refreshed.
    pub ends: DateTime<Utc>,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The database refused or is away.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The access token could not be made.
    #[error(transparent)]
    Token(#[from] IssueError),
}

/// Opens a session of at most `lifetime`. Whether the account may have one is the caller's to know.
///
/// # Errors
/// See [`SessionError`].
pub async fn open_session(
    auth: &AuthDb,
    tokens: &Tokens,
    lifetime: Duration,
    tenant: &DirectoryEntry,
    account: &Account,
    origin: &Origin,
) -> Result<Session, SessionError> {
    let family = FamilyId::generate();
    let first = refresh::generate(tenant.id(), family);
    let ends = now() + lifetime;
    let stored =
        FirstToken { lineage: first.lineage.as_bytes(), token: first.digest.as_bytes(), expires_at: ends };
    auth.open_family(tenant.id(), account, family, stored, origin).await?;
    let access = access_token(tokens, tenant, account, family)?;
    Ok(Session { access, refresh: first.plain, ends })
}

/// An access token of a session, for the account as it is now.
pub(crate) fn access_token(
    tokens: &Tokens,
    tenant: &DirectoryEntry,
    account: &Account,
    session: FamilyId,
) -> Result<Issued, SessionError> {
    let user = UserToken {
        tenant: tenant.id(),
        tenant_slug: &tenant.slug,
        user: account.id(),
        username: &account.username,
        email: Some(&account.email),
        role: account.role()?,
        session,
        token_version: account.token_epoch,
        tenant_version: tenant.token_epoch,
    };
    Ok(tokens.issue_user(&user)?)
}
