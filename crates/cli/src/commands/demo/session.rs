//! A session for a demo user, as a log-in would open it, without the password: it was set a moment ago.

use bulkhead_auth::token::Tokens;
use bulkhead_domain::tenant::TenantName;
use bulkhead_http::{Session, open_session};
use bulkhead_persistence::credentials::AuthDb;
use bulkhead_persistence::families::Origin;
use bulkhead_persistence::platform::TenantSummary;

use crate::context::Context;
use crate::failure::Failure;

/// Opens a session for the user of that name.
///
/// # Errors
/// The database's, or the user was removed meanwhile.
pub(super) async fn open(
    context: &Context,
    auth: &AuthDb,
    tokens: &Tokens,
    tenant: &TenantSummary,
    username: &str,
) -> Result<Session, Failure> {
    let entry = auth.find_tenant(&TenantName::Id(tenant.id)).await?.ok_or(Failure::DemoData("tenants"))?;
    let account = auth.find_account(tenant.id, username).await?.ok_or(Failure::DemoData("users"))?.account;
    let origin = Origin { user_agent: "bulkhead create-test-data".to_owned(), ..Origin::default() };
    let lifetime = context.configuration.settings.auth.refresh_lifetime;
    Ok(open_session(auth, tokens, lifetime, &entry, &account, &origin).await?)
}
