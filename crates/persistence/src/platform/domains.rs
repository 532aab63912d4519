//! The hosts of tenants, as an operator gives and takes them. A tenant that has any has exactly one primary one: the
//! database forbids a second, and every change here locks the tenant's row, so that two changes at once leave one too.

use bulkhead_domain::ids::TenantId;
use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods as _, JoinOnDsl as _, OptionalExtension as _, QueryDsl as _};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;
use uuid::Uuid;

use super::tenants::host_name;
use super::{Deed, Platform, PlatformError};
use crate::schema::{tenant_domains, tenants};

/// A host and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The host name, in lower case.
    pub domain: String,
    /// The tenant's id.
    pub tenant: TenantId,
    /// The tenant's slug.
    pub slug: String,
    /// Whether it is the one that the tenant is known by.
    pub is_primary: bool,
    /// When the tenant got it.
    pub created_at: DateTime<Utc>,
}

impl Platform {
    /// Gives a tenant a host; as its primary one when that is asked for, or when it has no other. A host that the tenant
    /// has already stays, and is made the primary one when that is asked for.
    ///
    /// # Errors
    /// It is no host name, or another tenant's; there is no such tenant; the database is away.
    pub async fn add_domain(
        &mut self,
        tenant: TenantId,
        domain: &str,
        primary: bool,
    ) -> Result<Domain, PlatformError> {
        let domain = host_name(domain)?;
        self.begin().await?;
        let outcome = self.add_domain_in_tx(tenant, &domain, primary).await;
        self.end(outcome).await
    }

    async fn add_domain_in_tx(
        &mut self,
        tenant: TenantId,
        domain: &str,
        primary: bool,
    ) -> Result<Domain, PlatformError> {
        let raw = &mut self.connection.raw;
        lock(raw, tenant).await?;
        let before = of_tenant(raw, tenant).await?;
        let known = before.iter().find(|(known, _)| known == domain).map(|(_, is_primary)| *is_primary);
        let becomes_primary = (primary || before.is_empty()) && known != Some(true);
        if becomes_primary {
            demote(raw, tenant).await?;
        }
        let action = match known {
            None => {
                let row = (
                    tenant_domains::domain.eq(domain),
                    tenant_domains::tenant_id.eq(tenant.uuid()),
                    tenant_domains::is_primary.eq(becomes_primary),
                );
                diesel::insert_into(tenant_domains::table).values(row).execute(raw).await?;
                Some("domain.add")
            }
            Some(_) if becomes_primary => {
                promote(raw, domain).await?;
                Some("domain.make_primary")
            }
            Some(_) => None,
        };
        let found = find(raw, domain).await?.ok_or(PlatformError::UnknownDomain)?;
        if let Some(action) = action {
            let target = json!({ "domain": domain, "is_primary": found.is_primary });
            self.audit(Deed { tenant, action, target }).await?;
        }
        Ok(found)
    }

    /// Takes a host from its tenant. When it was the primary one, the oldest that is left takes its place; gives the name
    /// of that one.
    ///
    /// # Errors
    /// It is no host name, or no tenant's; the database is away.
    pub async fn remove_domain(&mut self, domain: &str) -> Result<(Domain, Option<String>), PlatformError> {
        let domain = host_name(domain)?;
        self.begin().await?;
        let outcome = self.remove_domain_in_tx(&domain).await;
        self.end(outcome).await
    }

    async fn remove_domain_in_tx(&mut self, domain: &str) -> Result<(Domain, Option<String>), PlatformError> {
        let raw = &mut self.connection.raw;
        let tenant = find(raw, domain).await?.ok_or(PlatformError::UnknownDomain)?.tenant;
        lock(raw, tenant).await?;
        // Read again: while waiting for the lock, somebody may have moved the primary place, or the host.
        let found = find(raw, domain).await?.filter(|found| found.tenant == tenant);
        let found = found.ok_or(PlatformError::UnknownDomain)?;
        let row = tenant_domains::table.filter(tenant_domains::domain.eq(domain));
        diesel::delete(row).execute(raw).await?;
        let left = of_tenant(raw, tenant).await?.into_iter().next().map(|(oldest, _)| oldest);
        let successor = left.filter(|_| found.is_primary);
        if let Some(successor) = &successor {
            promote(raw, successor).await?;
        }
        let target = json!({ "domain": domain, "primary_now": successor });
        self.audit(Deed { tenant, action: "domain.remove", target }).await?;
        Ok((found, successor))
    }

    /// The hosts of one tenant or of all, by tenant and the primary one first.
    ///
    /// # Errors
    /// The database is away.
    pub async fn list_domains(&mut self, tenant: Option<TenantId>) -> Result<Vec<Domain>, PlatformError> {
        self.begin().await?;
        let outcome = list(&mut self.connection.raw, tenant).await;
        self.end(outcome).await
    }
}

/// Keeps other changes of the tenant's hosts waiting until the transaction ends.
async fn lock(raw: &mut AsyncPgConnection, tenant: TenantId) -> Result<(), PlatformError> {
    let row = tenants::table.filter(tenants::id.eq(tenant.uuid())).select(tenants::id).for_no_key_update();
    let found: Option<Uuid> = row.first(raw).await.optional()?;
    found.map(drop).ok_or(PlatformError::UnknownTenant)
}

/// A tenant's hosts and which is the primary one, the oldest first.
async fn of_tenant(
    raw: &mut AsyncPgConnection,
    tenant: TenantId,
) -> Result<Vec<(String, bool)>, PlatformError> {
    let rows = tenant_domains::table
        .filter(tenant_domains::tenant_id.eq(tenant.uuid()))
        .order((tenant_domains::created_at, tenant_domains::domain))
        .select((tenant_domains::domain, tenant_domains::is_primary));
    Ok(rows.load(raw).await?)
}

async fn demote(raw: &mut AsyncPgConnection, tenant: TenantId) -> Result<(), PlatformError> {
    let primary = tenant_domains::table
        .filter(tenant_domains::tenant_id.eq(tenant.uuid()))
        .filter(tenant_domains::is_primary);
    diesel::update(primary).set(tenant_domains::is_primary.eq(false)).execute(raw).await?;
    Ok(())
}

async fn promote(raw: &mut AsyncPgConnection, domain: &str) -> Result<(), PlatformError> {
    let row = tenant_domains::table.filter(tenant_domains::domain.eq(domain));
    diesel::update(row).set(tenant_domains::is_primary.eq(true)).execute(raw).await?;
    Ok(())
}

type Row = (String, Uuid, String, bool, DateTime<Utc>);
type Columns = (
    tenant_domains::domain,
    tenants::id,
    tenants::slug,
    tenant_domains::is_primary,
    tenant_domains::created_at,
);
const COLUMNS: Columns = (
    tenant_domains::domain,
    tenants::id,
    tenants::slug,
    tenant_domains::is_primary,
    tenant_domains::created_at,
);

fn described((domain, tenant, slug, is_primary, created_at): Row) -> Domain {
    Domain { domain, tenant: TenantId::from_uuid(tenant), slug, is_primary, created_at }
}

async fn find(raw: &mut AsyncPgConnection, domain: &str) -> Result<Option<Domain>, PlatformError> {
    let of_host = tenants::table.on(tenants::id.eq(tenant_domains::tenant_id));
    let found = tenant_domains::table.inner_join(of_host).filter(tenant_domains::domain.eq(domain));
    Ok(found.select(COLUMNS).first(raw).await.optional()?.map(described))
}

async fn list(raw: &mut AsyncPgConnection, tenant: Option<TenantId>) -> Result<Vec<Domain>, PlatformError> {
    let of_host = tenants::table.on(tenants::id.eq(tenant_domains::tenant_id));
    let mut all = tenant_domains::table.inner_join(of_host).into_boxed();
    if let Some(tenant) = tenant {
        all = all.filter(tenant_domains::tenant_id.eq(tenant.uuid()));
    }
    let order = (tenants::slug, tenant_domains::is_primary.desc(), tenant_domains::domain);
    let rows: Vec<Row> = all.select(COLUMNS).order(order).load(raw).await?;
    Ok(rows.into_iter().map(described).collect())
}
