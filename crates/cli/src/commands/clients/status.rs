//! `bulkhead disable-api-client`, `enable-api-client`, `delete-api-client` and `revoke-api-client-tokens`: what ends a
//! client's access, on every server within a second.

use std::io::{IsTerminal as _, Write as _};

use bulkhead_persistence::{ApiClient, ApiClients};
use clap::Args;
use serde_json::json;

use super::{ClientArguments, on_client};
use crate::context::Context;
use crate::failure::Failure;

/// The arguments of deleting.
#[derive(Debug, Args)]
pub(crate) struct DeleteArguments {
    #[command(flatten)]
    client: ClientArguments,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Disables or enables.
pub(in crate::commands) fn set_active(
    context: &Context,
    arguments: &ClientArguments,
    active: bool,
) -> Result<(), Failure> {
    let (_, changed) = on_client(context, arguments, async |tx, client| {
        ApiClients::set_active(tx, client.id, active).await
    })?;
    tell(
        context,
        &changed.client,
        if active { "may get tokens" } else { "is disabled; its tokens have ended" },
    );
    Ok(())
}

/// Ends every token.
pub(in crate::commands) fn end_tokens(context: &Context, arguments: &ClientArguments) -> Result<(), Failure> {
    let (_, changed) =
        on_client(context, arguments, async |tx, client| ApiClients::end_tokens(tx, client.id).await)?;
    tell(context, &changed.client, "has no token any more; it gets new ones with its secret");
    Ok(())
}

/// Deletes, once somebody has confirmed.
pub(in crate::commands) fn delete(context: &Context, arguments: &DeleteArguments) -> Result<(), Failure> {
    if !arguments.yes {
        let (tenant, client) = on_client(context, &arguments.client, async |_, client| Ok(client))?;
        confirm(context, &format!("API client {} of {}", client.name, tenant.slug), &client.name)?;
    }
    let (_, client) = on_client(context, &arguments.client, async |tx, client| {
        ApiClients::remove(tx, client.id, None).await?;
        Ok(client)
    })?;
    tell(context, &client, "is deleted; its secrets and tokens have ended");
    Ok(())
}

/// Asks for the name of what is to go. Without a terminal there is nobody to ask.
fn confirm(context: &Context, what: &str, name: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::NotConfirmed);
    }
    context.output.quieten();
    let mut answer = String::new();
    let asked = write!(std::io::stderr(), "This deletes {what}, for good. Type its name to go on: ");
    let read = asked.and_then(|()| std::io::stdin().read_line(&mut answer));
    read.map_err(|error| Failure::System("ask for confirmation", error))?;
    if answer.trim() == name { Ok(()) } else { Err(Failure::NotConfirmed) }
}

fn tell(context: &Context, client: &ApiClient, what: &str) {
    let document = json!({ "id": client.id, "client_id": client.client_id, "name": client.name, "status": client.status });
    context.output.tell(&document, &format!("API client {} {what}", client.name));
}
