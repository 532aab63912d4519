//! A session for a demo user, as a log-in would open it, without the password: it was set a moment ago.

use bulkhead_auth::refresh;
use bulkhead_auth::token::{Tokens, UserToken};
use bulkhead_domain::clock::now;
use bulkhead_domain::ids::FamilyId;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::credentials::{AuthDb, FirstToken};
use bulkhead_persistence::platform::TenantSummary;
use chrono::TimeDelta;
use secrecy::SecretString;

use crate::context::Context;
use crate::failure::Failure;

/// The two tokens of a session.
pub(super) struct Session {
    /// For requests.
    pub(super) access: SecretString,
    /// For the next pair.
    pub(super) refresh: SecretString,
}

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
    let account = auth.find_account(tenant.id, username).await?.ok_or(Failure::DemoData("users"))?.0;
    let family = FamilyId::generate();
    let first = refresh::generate(tenant.id, family);
    let lifetime = context.configuration.settings.auth.refresh_lifetime;
    let stored = FirstToken {
        lineage: first.lineage.as_bytes(),
        token: first.digest.as_bytes(),
        // The bounds of the setting keep this from being cut.
        expires_at: now() + TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::MAX),
    };
    auth.open_family(tenant.id, account.id(), family, stored).await?;
    let access = tokens.issue_user(&UserToken {
        tenant: tenant.id,
        tenant_slug: &tenant.slug,
        user: account.id(),
        username: &account.username,
        email: Some(&account.email),
        role: account.role()?,
        session: family,
        token_version: account.token_epoch,
        tenant_version: entry.token_epoch,
    })?;
    Ok(Session { access: access.token, refresh: first.plain })
}
