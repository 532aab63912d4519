//! `bulkhead list-api-clients`: a tenant's clients, with what they may do and when they were last seen.

use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::{ApiClient, ApiClients};
use serde_json::json;

use super::{TenantArguments, in_tenant};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::table;

/// Lists the clients by name.
pub(in crate::commands) fn run(context: &Context, arguments: &TenantArguments) -> Result<(), Failure> {
    let name = TenantName::from_body(&arguments.tenant);
    let (tenant, clients) = in_tenant(context, &name, async |tx| ApiClients::all(tx).await)?;
    let document = json!({ "count": clients.len(), "tenant": tenant.slug, "api_clients": clients });
    let head = ["NAME", "STATUS", "MAY", "LAST USED", "CLIENT ID"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(clients.iter().map(row));
    let none = || format!("{} has no API clients yet; see `bulkhead create-api-client`", tenant.slug);
    context.output.tell(&document, &if clients.is_empty() { none() } else { table(&rows) });
    Ok(())
}

fn row(client: &ApiClient) -> Vec<String> {
    let seen = client.last_used_at.map_or_else(|| "never".to_owned(), |at| at.format("%F %R").to_string());
    let rights = client.rights().words();
    let rights = if rights.is_empty() { "nothing".to_owned() } else { rights.join(" ") };
    vec![client.name.clone(), client.status.clone(), rights, seen, client.client_id.clone()]
}
