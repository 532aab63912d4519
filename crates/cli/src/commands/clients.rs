//! The commands about API clients, and what they share: naming a tenant and a client, and lengths of time.

pub(crate) mod create;
pub(crate) mod explain;
pub(super) mod list;
pub(crate) mod secrets;
pub(crate) mod status;
pub(crate) mod usage_log;

use bulkhead_domain::clients::ClientIdentifier;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::ApiClient;
use bulkhead_persistence::ApiClients;
use bulkhead_persistence::error::DbResult;
use bulkhead_persistence::platform::{Platform, PlatformError, TenantSummary};
use bulkhead_persistence::tenant_db::WriteTx;
use chrono::TimeDelta;
use clap::Args;

use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;

/// Which tenant.
#[derive(Debug, Args)]
pub(crate) struct TenantArguments {
    /// The tenant, by slug or id
    #[arg(long)]
    pub(super) tenant: String,
}

/// Which client.
#[derive(Debug, Args)]
pub(crate) struct ClientArguments {
    /// The client, by its client_id or its id
    #[arg(long)]
    pub(super) client: String,
    /// The tenant, by slug or id; may be left out with a client_id, which names it
    #[arg(long)]
    pub(super) tenant: Option<String>,
}

/// Runs `work` on a tenant, in one transaction under the operator's name.
pub(super) fn in_tenant<T>(
    context: &Context,
    tenant: &TenantName,
    work: impl AsyncFnOnce(&mut WriteTx<'_>) -> DbResult<T>,
) -> Result<(TenantSummary, T), Failure> {
    let databases = Databases::open(context)?;
    let connection = databases.connect(Purpose::Platform)?;
    block_on(async {
        let mut platform = Platform::connect(&connection, &context.operator).await?;
        let tenant = platform.find_tenant(tenant).await?.ok_or(PlatformError::UnknownTenant)?;
        let done = platform.in_tenant(tenant.id, work).await?;
        Ok((tenant, done))
    })
}

/// Runs `work` on a client, in one transaction under the operator's name.
pub(super) fn on_client<T>(
    context: &Context,
    arguments: &ClientArguments,
    work: impl AsyncFnOnce(&mut WriteTx<'_>, ApiClient) -> DbResult<T>,
) -> Result<(TenantSummary, T), Failure> {
    let tenant = tenant_of(arguments).ok_or(PlatformError::UnknownClient)?;
    in_tenant(context, &tenant, async |tx| {
        let client = ApiClients::named(tx, &arguments.client).await?;
        work(tx, client).await
    })
}

fn tenant_of(arguments: &ClientArguments) -> Option<TenantName> {
    match &arguments.tenant {
        Some(tenant) => Some(TenantName::from_body(tenant)),
        None => ClientIdentifier::parse(&arguments.client).map(|named| TenantName::Id(named.tenant())),
    }
}

/// `90`, `90s`, `15m`, `24h` or `90d`.
pub(super) fn parse_time(text: &str) -> Result<TimeDelta, &'static str> {
    let wrong = "give a length of time: 90s, 15m, 24h or 90d";
    let seconds = crate::config::seconds(text).and_then(|seconds| seconds.parse().ok()).ok_or(wrong)?;
    // A hundred years, beyond which no date is meant.
    TimeDelta::try_seconds(seconds).filter(|time| *time <= TimeDelta::days(36_500)).ok_or(wrong)
}
