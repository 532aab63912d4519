//! `bulkhead usage-log`: who tried to get a token, and what became of it.

use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::ApiClients;
use bulkhead_persistence::usage::{Attempt, latest_attempts};
use clap::Args;
use serde_json::json;

use super::in_tenant;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::table;

/// Its arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Outcomes: granted, client_not_found, invalid_secret, secret_expired, client_disabled, client_expired, ip_not_allowed,
tenant_inactive. Attempts under an identifier of no tenant are in the server's log only.")]
pub(crate) struct UsageLogArguments {
    /// The tenant, by slug or id
    #[arg(long)]
    tenant: String,
    /// One client only, by its client_id or its id
    #[arg(long)]
    client: Option<String>,
    /// How many, the latest first
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
}

/// Shows the attempts.
pub(in crate::commands) fn run(context: &Context, arguments: &UsageLogArguments) -> Result<(), Failure> {
    let name = TenantName::from_body(&arguments.tenant);
    let (_, attempts) = in_tenant(context, &name, async |tx| {
        let client = match &arguments.client {
            Some(client) => Some(ApiClients::named(tx, client).await?.id),
            None => None,
        };
        latest_attempts(tx, client, arguments.limit).await
    })?;
    let document = json!({ "count": attempts.len(), "attempts": attempts });
    let mut rows = vec![["TIME", "OUTCOME", "FROM", "CLIENT ID", "USER AGENT"].map(str::to_owned).to_vec()];
    rows.extend(attempts.iter().map(row));
    let text = if attempts.is_empty() { "no attempts".to_owned() } else { table(&rows) };
    context.output.tell(&document, &text);
    Ok(())
}

fn row(attempt: &Attempt) -> Vec<String> {
    vec![
        attempt.created_at.format("%F %T").to_string(),
        attempt.outcome.clone(),
        attempt.ip_address.clone().unwrap_or_else(|| "-".to_owned()),
        attempt.client_id.clone(),
        // Whatever the caller says it is; a terminal must not obey it.
        attempt.user_agent.chars().filter(|letter| !letter.is_control()).collect(),
    ]
}
