//! `bulkhead rotate-api-client-secret` and `retire-api-client-secret`.

use bulkhead_auth::client_secret;
use bulkhead_domain::clock::now;
use bulkhead_persistence::{ApiClients, Retirement, Rotated, Secret};
use chrono::TimeDelta;
use clap::Args;
use secrecy::ExposeSecret as _;
use serde_json::json;
use uuid::Uuid;

use super::{ClientArguments, on_client, parse_time};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::table;

/// The arguments of rotating.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bulkhead rotate-api-client-secret --client client_... --overlap 24h

The old secrets go on working for the overlap, so that the new one can be deployed meanwhile. The last use of each is
shown here and in GET /api/v1/api-clients/ID/secrets/. --overlap 0 is for a secret that leaked: it ends the old ones and
every token that was obtained with them at once.")]
pub(crate) struct RotateArguments {
    #[command(flatten)]
    client: ClientArguments,
    /// How long the old secrets go on working: 0, 15m, 24h, up to 90d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_overlap)]
    overlap: TimeDelta,
    /// For how long the new secret is good [default: until it is rotated]
    #[arg(long, value_name = "TIME", value_parser = parse_life)]
    expires_in: Option<TimeDelta>,
}

/// The arguments of retiring.
#[derive(Debug, Args)]
pub(crate) struct RetireArguments {
    #[command(flatten)]
    client: ClientArguments,
    /// The secret's id, as rotating showed it
    #[arg(long)]
    secret: Uuid,
    /// Even if it was used in the last 24 hours, or is the only one
    #[arg(long)]
    force: bool,
}

fn parse_overlap(text: &str) -> Result<TimeDelta, &'static str> {
    let overlap = parse_time(text)?;
    if overlap <= bulkhead_http::LONGEST_OVERLAP { Ok(overlap) } else { Err("at most 90d") }
}

/// A secret without a life would leave a client without any, once the others have ended.
fn parse_life(text: &str) -> Result<TimeDelta, &'static str> {
    let life = parse_time(text)?;
    if life.is_zero() { Err("at least 1s") } else { Ok(life) }
}

/// Makes a new secret.
pub(in crate::commands) fn rotate(context: &Context, arguments: &RotateArguments) -> Result<(), Failure> {
    let secret = client_secret::generate();
    let stored = bulkhead_http::stored_secret(&secret, arguments.expires_in.map(|time| now() + time));
    let (_, (client, rotated)) = on_client(context, &arguments.client, async |tx, client| {
        let rotated = ApiClients::rotate(tx, client.id, stored, arguments.overlap).await?;
        Ok((client, rotated))
    })?;
    let Rotated::Done(secrets, _) = rotated else {
        return Err(Failure::SecretInUse("the client has 10 live secrets; retire one first".to_owned()));
    };
    let plain = secret.plain.expose_secret();
    let document = json!({
        "id": stored.id, "client_id": client.client_id, "client_secret": plain, "secrets": secrets,
    });
    let text = format!(
        "client_id      {}\nclient_secret  {plain}\n\nKeep the secret now: it cannot be shown again.\n\n{}",
        client.client_id,
        shown(&secrets)
    );
    context.output.tell(&document, &text);
    Ok(())
}

/// Ends a secret.
pub(in crate::commands) fn retire(context: &Context, arguments: &RetireArguments) -> Result<(), Failure> {
    let used_after = now() - bulkhead_http::SECRET_IN_USE;
    let (_, (outcome, secrets)) = on_client(context, &arguments.client, async |tx, client| {
        let outcome =
            ApiClients::retire(tx, client.id, arguments.secret, arguments.force, used_after).await?;
        Ok((outcome, ApiClients::secrets_in(tx, client.id).await?))
    })?;
    match outcome {
        Retirement::Retired(_) => {
            context.output.tell(&json!({ "secrets": secrets }), &shown(&secrets));
            Ok(())
        }
        Retirement::InUse(at) => {
            Err(Failure::SecretInUse(format!("the secret is in use: last at {}", at.to_rfc3339())))
        }
        Retirement::Last => Err(Failure::SecretInUse("the secret is the client's only one".to_owned())),
    }
}

fn shown(secrets: &[Secret]) -> String {
    let date = |at: Option<chrono::DateTime<chrono::Utc>>, none: &str| {
        at.map_or_else(|| none.to_owned(), |at| at.format("%F %R").to_string())
    };
    let head = ["SECRET", "ENDS WITH", "STATE", "UNTIL", "LAST USED"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(secrets.iter().map(|secret| {
        let state = if secret.is_live(now()) { "live" } else { "ended" };
        let until = date(secret.retired_at.or(secret.expires_at), "-");
        let (id, hint) = (secret.id.to_string(), secret.hint.clone());
        vec![id, hint, state.to_owned(), until, date(secret.last_used_at, "never")]
    }));
    table(&rows)
}
