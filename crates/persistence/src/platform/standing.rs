//! How tenants stand: what an operator changes of one, and the suspension of those whose time is up. Nothing here happens
//! by itself: a tenant is suspended when an operator, or an operator's timer, says so.

use bulkhead_domain::ids::TenantId;
use chrono::NaiveDate;
use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl;

use super::tenants::{COLUMNS, Row, summary};
use super::{Platform, PlatformError, TenantStatus, TenantSummary};
use crate::error::DbError;
use crate::schema::tenants;
use crate::tenants::{Tenant, TenantChange, Tenants};

impl Platform {
    /// Changes what is known of a tenant.
    ///
    /// # Errors
    /// There is no such tenant; its name is none; the database is away.
    pub async fn change_tenant(
        &mut self,
        tenant: TenantId,
        change: TenantChange,
    ) -> Result<Tenant, PlatformError> {
        match self.within(tenant, async |tx| Tenants::change(tx, None, change).await).await {
            Err(PlatformError::Database(DbError::NotFound)) => Err(PlatformError::UnknownTenant),
            outcome => outcome,
        }
    }

    /// Suspends the active tenants that are paid for until a day before `today`, all of them or none; gives them by slug.
    /// With `only_look` nothing is changed.
    ///
    /// # Errors
    /// The database is away.
    pub async fn suspend_overdue(
        &mut self,
        today: NaiveDate,
        only_look: bool,
    ) -> Result<Vec<TenantSummary>, PlatformError> {
        self.begin().await?;
        let outcome = self.suspend_overdue_in_tx(today, only_look).await;
        self.end(outcome).await
    }

    async fn suspend_overdue_in_tx(
        &mut self,
        today: NaiveDate,
        only_look: bool,
    ) -> Result<Vec<TenantSummary>, PlatformError> {
        let overdue = tenants::table
            .filter(tenants::status.eq(TenantStatus::Active.as_str()))
            .filter(tenants::paid_until.lt(today))
            .order(tenants::slug)
            .select(COLUMNS);
        // Locked, so that whoever pays meanwhile is either not in the list or waits.
        let rows: Vec<Row> = overdue.for_no_key_update().load(&mut self.connection.raw).await?;
        let overdue = rows.into_iter().map(summary).collect::<Result<Vec<_>, _>>()?;
        if !only_look {
            for tenant in &overdue {
                self.set_suspended_in_tx(tenant.id, true).await?;
            }
        }
        Ok(overdue)
    }
}
