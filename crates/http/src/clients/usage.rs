//! How much a client calls, by hour and operation.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_domain::clock::now;
use bulkhead_domain::list::{Kind, Value};
use bulkhead_domain::scope::Action;
use bulkhead_persistence::crud::Entity as _;
use bulkhead_persistence::usage::{HourlyUsage, hourly_usage};
use bulkhead_persistence::{ApiClient, ApiClients, Secret};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::manage::refused;
use crate::context::TenantCtx;
use crate::extract::id::PathId;
use crate::list::query::pairs;
use crate::list::value;
use crate::operation::Endpoint;
use crate::problem::{Outcome, Problem};
use crate::resource::{endpoint, member};
use crate::respond;

/// How far back the answer goes when nothing is said.
const USUAL: TimeDelta = TimeDelta::days(1);

/// What a client did.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsageReply {
    /// The client.
    client: ApiClient,
    /// Its secrets, with their last use.
    secrets: Vec<Secret>,
    /// From when on.
    since: DateTime<Utc>,
    /// Requests in all.
    requests: i64,
    /// Those that were refused.
    refused: i64,
    /// By hour, operation and secret; the latest hour first.
    hours: Vec<HourlyUsage>,
}

/// The operation.
pub(crate) fn endpoint_of() -> Endpoint {
    let path = format!("{}usage/", member::<ApiClients>());
    endpoint::<ApiClients, _, _>(Method::GET, path, "usage_retrieve", Action::Read, usage)
        .summary("How much an API client calls")
        .about("Counted in memory and written down once a second. Kept for 90 days.")
        .query("since", "From when on; a day ago unless given.", value::schema(Kind::Instant))
        .answers::<UsageReply>(200, "Requests by hour, operation and secret.", &[])
}

async fn usage(ctx: TenantCtx, id: PathId, request: HttpRequest) -> Outcome<HttpResponse> {
    let since = since(&request)?;
    // The counts first: what is counted by then was written together with its last use, which is read after it.
    let hours = hourly_usage(ctx.db(), id.0, since).await?;
    let secrets = ApiClients::secrets(ctx.db(), id.0).await?;
    let client = ApiClients::get(ctx.db(), id.0).await.map_err(refused)?;
    let sum = |of: fn(&HourlyUsage) -> i64| hours.iter().map(of).sum();
    respond::json(&UsageReply {
        client,
        secrets,
        since,
        requests: sum(|hour| hour.requests),
        refused: sum(|hour| hour.refused),
        hours,
    })
}

fn since(request: &HttpRequest) -> Outcome<DateTime<Utc>> {
    let mut since = now() - USUAL;
    for (name, text) in pairs(request.query_string())? {
        if name != "since" {
            return Err(Problem::parameter(&name, "Unknown. Known is: since."));
        }
        match value::read(Kind::Instant, &text) {
            Ok(Value::Instant(time)) => since = time,
            Ok(_) => {}
            Err(why) => return Err(Problem::parameter(&name, &why)),
        }
    }
    Ok(since)
}
