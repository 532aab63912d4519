//! `bulkhead add-domain`, `remove-domain` and `list-domains`: by which hosts a tenant's people reach the server.

use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::platform::{Domain, Platform, PlatformError, TenantSummary};
use clap::Args;
use serde_json::{Value, json};

use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;
use crate::output::table;

/// The arguments of adding.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bulkhead add-domain --tenant acme --domain acme.example.com
  bulkhead add-domain --tenant acme --domain app.acme.example --primary

A tenant's first host is its primary one. --primary moves that place, to a host that the tenant has already as well. Servers
know of a change within 30 seconds; from then on they refuse other tenants' tokens on the host.")]
pub(crate) struct AddDomainArguments {
    /// The tenant, by slug or id
    #[arg(long)]
    tenant: String,
    /// The host name, without scheme, port and path
    #[arg(long, value_name = "HOST")]
    domain: String,
    /// Make it the one that the tenant is known by
    #[arg(long)]
    primary: bool,
}

/// The arguments of removing.
#[derive(Debug, Args)]
#[command(after_help = "\
When it was the primary host, the oldest that is left takes its place; to choose another, move the place before with
`bulkhead add-domain --primary`. Servers know of the change within 30 seconds.")]
pub(crate) struct RemoveDomainArguments {
    /// The host name
    #[arg(long, value_name = "HOST")]
    domain: String,
}

/// The arguments of listing.
#[derive(Debug, Args)]
pub(crate) struct ListDomainsArguments {
    /// Only of this tenant, by slug or id
    #[arg(long)]
    tenant: Option<String>,
}

/// Adds one.
pub(super) fn add(context: &Context, arguments: &AddDomainArguments) -> Result<(), Failure> {
    let added = with_platform(context, async |platform| {
        let tenant = tenant(platform, &arguments.tenant).await?;
        Ok(platform.add_domain(tenant.id, &arguments.domain, arguments.primary).await?)
    })?;
    let place = if added.is_primary { "the primary host" } else { "a host" };
    context.output.tell(&document(&added), &format!("{} is {place} of {}", added.domain, added.slug));
    Ok(())
}

/// Removes one.
pub(super) fn remove(context: &Context, arguments: &RemoveDomainArguments) -> Result<(), Failure> {
    let (removed, successor) =
        with_platform(context, async |platform| Ok(platform.remove_domain(&arguments.domain).await?))?;
    let document = json!({ "domain": removed.domain, "tenant": removed.slug, "primary_now": successor });
    let mut text = format!("{} is no host of {} any more", removed.domain, removed.slug);
    if let Some(successor) = successor {
        text.push_str(&format!("; {successor} is the primary one now"));
    }
    context.output.tell(&document, &text);
    Ok(())
}

/// Lists them by tenant, the primary one first.
pub(super) fn list(context: &Context, arguments: &ListDomainsArguments) -> Result<(), Failure> {
    let domains = with_platform(context, async |platform| {
        let tenant = match &arguments.tenant {
            Some(named) => Some(tenant(platform, named).await?.id),
            None => None,
        };
        Ok(platform.list_domains(tenant).await?)
    })?;
    let document =
        json!({ "count": domains.len(), "domains": domains.iter().map(document).collect::<Vec<_>>() });
    let mut rows = vec![["DOMAIN", "TENANT", "PRIMARY"].map(str::to_owned).to_vec()];
    rows.extend(domains.iter().map(row));
    let text = if domains.is_empty() {
        "no domains yet; see `bulkhead add-domain`".to_owned()
    } else {
        table(&rows)
    };
    context.output.tell(&document, &text);
    Ok(())
}

/// Runs `work` as the operator.
pub(super) fn with_platform<T>(
    context: &Context,
    work: impl AsyncFnOnce(&mut Platform) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let databases = Databases::open(context)?;
    let connection = databases.connect(Purpose::Platform)?;
    block_on(async { work(&mut Platform::connect(&connection, &context.operator).await?).await })
}

/// The tenant of this slug or id.
pub(super) async fn tenant(platform: &mut Platform, named: &str) -> Result<TenantSummary, Failure> {
    let found = platform.find_tenant(&TenantName::from_body(named)).await?;
    Ok(found.ok_or(PlatformError::UnknownTenant)?)
}

fn row(domain: &Domain) -> Vec<String> {
    let primary = if domain.is_primary { "yes" } else { "" };
    vec![domain.domain.clone(), domain.slug.clone(), primary.to_owned()]
}

fn document(domain: &Domain) -> Value {
    json!({
        "domain": domain.domain,
        "tenant": domain.slug,
        "tenant_id": domain.tenant,
        "is_primary": domain.is_primary,
        "created_at": domain.created_at,
    })
}
