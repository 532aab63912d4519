//! Tokens for services that work for a tenant without being one of its clients: made by an operator's command, or by a
//! program that embeds the server. Each is written down before it is handed out, so that it is audited and can be ended.

use std::time::Duration;

use bulkhead_auth::token::{Issued, ServiceToken, Tokens};
use bulkhead_domain::ids::{TenantId, new_id};
use bulkhead_domain::scope::ScopeSet;
use bulkhead_persistence::error::{DbError, DbResult};
use bulkhead_persistence::service_tokens::{NewServiceToken, ServiceTokens};
use bulkhead_persistence::tenant_db::WriteTx;
use uuid::Uuid;

/// A token to make.
#[derive(Clone, Debug)]
pub struct ServiceTokenRequest<'a> {
    /// The tenant it works in, which is the transaction's.
    pub tenant: TenantId,
    /// The tenant's slug.
    pub tenant_slug: &'a str,
    /// The tenant's epoch.
    pub tenant_version: i64,
    /// The service's name, 1 to 100 characters.
    pub service: &'a str,
    /// What it may do.
    pub scopes: &'a ScopeSet,
    /// How long it lives: 1 second to 24 hours.
    pub lifetime: Duration,
}

/// Makes a token within a transaction of its tenant, whose COMMIT makes it known. Its id is what it is revoked by.
///
/// # Errors
/// The life-time is out of bounds, the name is too long, or the database is away.
pub async fn issue_service_token(
    tx: &mut WriteTx<'_>,
    tokens: &Tokens,
    request: &ServiceTokenRequest<'_>,
) -> DbResult<(Uuid, Issued)> {
    let id = new_id();
    let token = ServiceToken {
        tenant: request.tenant,
        tenant_slug: request.tenant_slug,
        id,
        service: request.service,
        scopes: request.scopes,
        lifetime: request.lifetime,
        tenant_version: request.tenant_version,
    };
    let issued = tokens.issue_service(&token).map_err(|error| DbError::Internal(error.to_string()))?;
    let (service, scopes) = (request.service, request.scopes);
    let new = NewServiceToken { id, service, scopes, expires_at: issued.expires_at };
    ServiceTokens::record(tx, &new).await?;
    Ok((id, issued))
}
