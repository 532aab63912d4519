//! `bulkhead issue-service-token`, `list-service-tokens` and `revoke-service-token`.

use std::time::Duration;

use bulkhead_auth::token::ServiceToken;
use bulkhead_domain::field::FieldErrors;
use bulkhead_domain::ids::new_id;
use bulkhead_domain::scope::ScopeSet;
use bulkhead_domain::tenant::TenantName;
use bulkhead_http::issue_service_token;
use bulkhead_persistence::platform::{Platform, PlatformError};
use bulkhead_persistence::service_tokens::ServiceTokens;
use clap::Args;
use secrecy::ExposeSecret as _;
use serde_json::json;
use uuid::Uuid;

use super::clients::{TenantArguments, in_tenant};
use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;
use crate::output::table;
use crate::services;

/// The longest name of a service, in characters.
const LONGEST_NAME: usize = 100;

/// The arguments of issuing.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bulkhead issue-service-token --tenant acme --service nightly-report --minutes 30 --scopes read:projects,read:tasks

The token cannot be refreshed and is shown once. It is signed with the server's key, so this runs where the server's
configuration is. List the live ones with list-service-tokens, end one with revoke-service-token.")]
pub(crate) struct IssueArguments {
    /// The tenant, by slug or id
    #[arg(long)]
    tenant: String,
    /// The service's name, for the audit log
    #[arg(long, value_parser = parse_service)]
    service: String,
    /// How long it lives, in minutes
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,
    /// Scopes: read:projects, write:*, tenant:admin and their like
    #[arg(long, required = true, value_delimiter = ',', num_args = 1..)]
    scopes: Vec<String>,
}

/// The arguments of revoking.
#[derive(Debug, Args)]
pub(crate) struct RevokeArguments {
    /// The tenant, by slug or id
    #[arg(long)]
    tenant: String,
    /// The token's id
    #[arg(long)]
    id: Uuid,
}

fn parse_service(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    let sound = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if sound { Ok(name.to_owned()) } else { Err("1 to 100 printable characters") }
}

fn scopes(words: &[String]) -> Result<ScopeSet, Failure> {
    let wrong =
        |sentence: String| Failure::Invalid(FieldErrors::from([("scopes".to_owned(), vec![sentence])]));
    let mut scopes = ScopeSet::default();
    for word in words {
        let one = ScopeSet::parse_one(word).ok_or_else(|| wrong(format!("{word} is not a scope.")))?;
        scopes = scopes.union(&one);
    }
    match bulkhead_http::unknown_scopes(&scopes.words()) {
        Some(sentence) => Err(wrong(sentence)),
        None => Ok(scopes),
    }
}

/// Makes a token.
pub(super) fn issue(context: &Context, arguments: &IssueArguments) -> Result<(), Failure> {
    let scopes = scopes(&arguments.scopes)?;
    let tokens = services::tokens(context)?;
    let databases = Databases::open(context)?;
    let connection = databases.connect(Purpose::Platform)?;
    let (tenant, (id, issued)) = block_on(async {
        let mut platform = Platform::connect(&connection, &context.operator).await?;
        let name = TenantName::from_body(&arguments.tenant);
        let tenant = platform.find_tenant(&name).await?.ok_or(PlatformError::UnknownTenant)?;
        let token = ServiceToken {
            tenant: tenant.id,
            tenant_slug: &tenant.slug,
            id: new_id(),
            tenant_version: tenant.token_epoch,
            service: &arguments.service,
            scopes: &scopes,
            lifetime: Duration::from_secs(arguments.minutes * 60),
        };
        let issued = platform
            .in_active_tenant(tenant.id, async |tx| issue_service_token(tx, &tokens, &token).await)
            .await?;
        Ok((tenant.slug.clone(), (token.id, issued)))
    })?;
    let token = issued.token.expose_secret();
    let document = json!({
        "id": id, "service": arguments.service, "tenant": tenant, "scopes": scopes.words(),
        "access_token": token, "token_type": "Bearer", "expires_at": issued.expires_at,
    });
    // The token alone on standard output, so that it can be put into a variable.
    context.output.note(&format!(
        "service token {id} for {} in {}, until {}",
        arguments.service,
        tenant,
        issued.expires_at.to_rfc3339()
    ));
    context.output.tell(&document, token);
    Ok(())
}

/// Lists the tokens that still work.
pub(super) fn list(context: &Context, arguments: &TenantArguments) -> Result<(), Failure> {
    let name = TenantName::from_body(&arguments.tenant);
    let (_, live) = in_tenant(context, &name, async |tx| ServiceTokens::live(tx).await)?;
    let mut rows = vec![["SERVICE", "SCOPES", "UNTIL", "ISSUED BY", "ID"].map(str::to_owned).to_vec()];
    rows.extend(live.iter().map(|token| {
        let until = token.expires_at.format("%F %R").to_string();
        vec![
            token.service.clone(),
            token.scopes.join(" "),
            until,
            token.issued_by.clone(),
            token.id.to_string(),
        ]
    }));
    let text = if live.is_empty() { "no service token is live".to_owned() } else { table(&rows) };
    context.output.tell(&json!({ "count": live.len(), "service_tokens": live }), &text);
    Ok(())
}

/// Ends a token.
pub(super) fn revoke(context: &Context, arguments: &RevokeArguments) -> Result<(), Failure> {
    let name = TenantName::from_body(&arguments.tenant);
    let revoking = in_tenant(context, &name, async |tx| ServiceTokens::revoke(tx, arguments.id).await);
    match revoking {
        Err(Failure::Platform(PlatformError::UnknownClient)) => {
            Err(Failure::Platform(PlatformError::UnknownServiceToken))
        }
        Err(error) => Err(error),
        Ok(_) => {
            let text = format!("service token {} has ended", arguments.id);
            context.output.tell(&json!({ "id": arguments.id, "revoked": true }), &text);
            Ok(())
        }
    }
}
