//! `bulkhead list-tenants`: who is served.

use bulkhead_persistence::platform::{Platform, TenantSummary};
use serde_json::{Value, json};

use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;
use crate::output::table;

/// Lists the tenants by slug.
pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let databases = Databases::open(context)?;
    let platform = databases.connect(Purpose::Platform)?;
    let tenants =
        block_on(async { Ok(Platform::connect(&platform, &context.operator).await?.list_tenants().await?) })?;
    let document =
        json!({ "count": tenants.len(), "tenants": tenants.iter().map(document).collect::<Vec<_>>() });
    let mut rows = vec![["SLUG", "NAME", "STATUS", "ID"].map(str::to_owned).to_vec()];
    rows.extend(tenants.iter().map(row));
    let text = if tenants.is_empty() {
        "no tenants yet; see `bulkhead create-tenant`".to_owned()
    } else {
        table(&rows)
    };
    context.output.tell(&document, &text);
    Ok(())
}

fn row(tenant: &TenantSummary) -> Vec<String> {
    vec![tenant.slug.clone(), tenant.name.clone(), tenant.status.as_str().to_owned(), tenant.id.to_string()]
}

fn document(tenant: &TenantSummary) -> Value {
    json!({
        "id": tenant.id,
        "slug": tenant.slug,
        "name": tenant.name,
        "status": tenant.status.as_str(),
        "on_trial": tenant.on_trial,
        "paid_until": tenant.paid_until,
        "created_at": tenant.created_at,
    })
}
