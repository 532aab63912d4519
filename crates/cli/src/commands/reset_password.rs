//! `bulkhead reset-password`: a token with which a person sets a password. It lets in the first administrator of a tenant
//! without anybody else having chosen the password, and those whom no mail reaches.

use bulkhead_auth::one_time::{self, Purpose as TokenPurpose};
use bulkhead_domain::clock::now;
use bulkhead_domain::ids::{TenantId, new_id};
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::password_resets::NewReset;
use bulkhead_persistence::platform::{Platform, PlatformError};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;

/// Long enough to reach somebody by whatever way an operator has, and over with the next day.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// Its arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bulkhead reset-password --tenant acme --username anna

The token is shown once, alone on standard output, and is good once, for 24 hours. Earlier ones of the person end. The
password stays as it is until the token is used; then every session of the person ends.")]
pub(crate) struct ResetPasswordArguments {
    /// The tenant, by slug or id
    #[arg(long)]
    tenant: String,
    /// The person, by user name or e-mail address
    #[arg(long)]
    username: String,
}

/// A token with which a person sets a password.
pub(super) struct PasswordToken {
    token: SecretString,
    expires_at: DateTime<Utc>,
}

/// Makes a token for a person of an active tenant.
///
/// # Errors
/// [`PlatformError::UnknownUser`]; the tenant is unknown or not active; the database is away.
pub(super) async fn issue(
    platform: &mut Platform,
    tenant: TenantId,
    name: &str,
) -> Result<PasswordToken, PlatformError> {
    let (id, expires_at) = (new_id(), now() + LIFETIME);
    let made = one_time::generate(TokenPurpose::PasswordReset, tenant, id);
    let new = NewReset { id, digest: made.digest.as_bytes(), expires_at };
    let allowing = platform.in_active_tenant(tenant, async |tx| tx.allow_password_reset(name, new).await);
    match allowing.await {
        Ok(_) => Ok(PasswordToken { token: made.plain, expires_at }),
        Err(PlatformError::UnknownClient) => Err(PlatformError::UnknownUser),
        Err(error) => Err(error),
    }
}

impl PasswordToken {
    /// Tells it, beside what else was done: the token alone on standard output, so that it can be put into a variable.
    pub(super) fn tell(&self, context: &Context, mut document: Value, done: &str) {
        let token = self.token.expose_secret();
        let page = context.configuration.settings.mail.frontend_url.as_deref();
        let page = page.map(|url| format!("{}/reset-password", url.trim_end_matches('/')));
        let link = page.as_ref().map(|page| format!("{page}#token={token}"));
        let told = [("token", json!(token)), ("expires_at", json!(self.expires_at)), ("link", json!(link))];
        if let Some(document) = document.as_object_mut() {
            document.extend(told.map(|(name, value)| (name.to_owned(), value)));
        }
        let way = page.map_or_else(
            || "POST /api/v1/auth/password/reset/confirm/ with this \"token\" and a \"password\"".to_owned(),
            |page| format!("{page}#token=TOKEN"),
        );
        let until = self.expires_at.format("%F %R UTC");
        context.output.note(&format!("{done}; sets the password once, until {until}: {way}"));
        context.output.tell(&document, token);
    }
}

/// Makes a token.
pub(super) fn run(context: &Context, arguments: &ResetPasswordArguments) -> Result<(), Failure> {
    let databases = Databases::open(context)?;
    let connection = databases.connect(Purpose::Platform)?;
    let (slug, token) = block_on(async {
        let mut platform = Platform::connect(&connection, &context.operator).await?;
        let name = TenantName::from_body(&arguments.tenant);
        let tenant = platform.find_tenant(&name).await?.ok_or(PlatformError::UnknownTenant)?;
        let token = issue(&mut platform, tenant.id, &arguments.username).await?;
        Ok((tenant.slug, token))
    })?;
    let document = json!({ "tenant": slug, "username": arguments.username });
    token.tell(context, document, &format!("a token for {} in {slug}", arguments.username));
    Ok(())
}
