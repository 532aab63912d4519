//! Tokens for services that work for a tenant without being one of its clients: made by an operator's command, or by a
//! program that embeds the server. Each is written down before it is handed out, so that it is audited and can be ended.

use bulkhead_auth::token::{Issued, ServiceToken, Tokens};
use bulkhead_persistence::error::{DbError, DbResult};
use bulkhead_persistence::service_tokens::{NewServiceToken, ServiceTokens};
use bulkhead_persistence::tenant_db::WriteTx;

/// Makes a token within a transaction of its tenant, whose COMMIT makes it known. `token.id` is what it is revoked by, and
/// has to be new. The name has 1 to 100 characters.
///
/// # Errors
/// The life-time or the name is out of bounds, or the database is away.
pub async fn issue_service_token(
    tx: &mut WriteTx<'_>,
    tokens: &Tokens,
    token: &ServiceToken<'_>,
) -> DbResult<Issued> {
    let issued = tokens.issue_service(token).map_err(|error| DbError::Internal(error.to_string()))?;
    let ServiceToken { id, service, scopes, .. } = *token;
    ServiceTokens::record(tx, &NewServiceToken { id, service, scopes, expires_at: issued.expires_at })
        .await?;
    Ok(issued)
}
