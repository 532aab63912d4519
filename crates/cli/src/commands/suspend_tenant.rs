//! `bulkhead suspend-tenant` and `bulkhead resume-tenant`: whether a tenant's people may work.

use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::platform::{Platform, PlatformError};
use clap::Args;
use serde_json::json;

use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;

/// The arguments of both.
#[derive(Debug, Args)]
#[command(after_help = "\
Suspending ends every access token of the tenant: on all servers within a second, without a restart. Nobody of the
tenant can log in or refresh until it is resumed; its data stays as it is. Tokens from before stay dead after resuming.")]
pub(crate) struct TenantArguments {
    /// The tenant, by slug or id
    #[arg(long)]
    tenant: String,
}

/// Suspends or resumes.
pub(super) fn run(context: &Context, arguments: &TenantArguments, suspended: bool) -> Result<(), Failure> {
    let databases = Databases::open(context)?;
    let connection = databases.connect(Purpose::Platform)?;
    let tenant = block_on(async {
        let mut platform = Platform::connect(&connection, &context.operator).await?;
        let name = TenantName::from_body(&arguments.tenant);
        let tenant = platform.find_tenant(&name).await?.ok_or(PlatformError::UnknownTenant)?;
        platform.set_suspended(tenant.id, suspended).await?;
        Ok(tenant)
    })?;
    let status = if suspended { "suspended" } else { "active" };
    let document = json!({ "id": tenant.id, "slug": tenant.slug, "status": status });
    context.output.tell(&document, &format!("tenant {} ({}) is {status}", tenant.slug, tenant.id));
    Ok(())
}
