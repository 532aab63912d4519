//! Clients and service tokens as an operator manages them: the same deeds as over HTTP, under the operator's name.

use bulkhead_domain::ids::TenantId;

use super::{Platform, PlatformError, tenants};
use crate::error::{DbError, DbResult};
use crate::write::WriteTx;

impl Platform {
    /// Runs `work`, one of the deeds that administrators have as well, in one transaction of this operator's.
    ///
    /// # Errors
    /// What `work` refused; [`PlatformError::UnknownClient`] for a row that is not there; the database is away.
    pub async fn in_tenant<T>(
        &mut self,
        tenant: TenantId,
        work: impl AsyncFnOnce(&mut WriteTx<'_>) -> DbResult<T>,
    ) -> Result<T, PlatformError> {
        match self.within(tenant, work).await {
            Err(PlatformError::Database(DbError::NotFound)) => Err(PlatformError::UnknownClient),
            outcome => outcome,
        }
    }

    /// The same for what needs an active tenant.
    ///
    /// # Errors
    /// As [`Platform::in_tenant`]; the tenant is unknown or not active.
    pub async fn in_active_tenant<T>(
        &mut self,
        tenant: TenantId,
        work: impl AsyncFnOnce(&mut WriteTx<'_>) -> DbResult<T>,
    ) -> Result<T, PlatformError> {
        self.begin().await?;
        let active = tenants::require_active(&mut self.connection.raw, tenant).await;
        self.end(active).await?;
        self.in_tenant(tenant, work).await
    }
}
