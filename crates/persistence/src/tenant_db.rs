//! The only door to tenant tables. [`Db`] holds one worker's connections and lends nothing; [`TenantDb`] is had for a
//! [`TenantScope`] and runs work in transactions of that one tenant.

use bulkhead_domain::tenant::TenantScope;
use diesel::QueryResult;

use crate::audit::Actor;
use crate::block;
use crate::connect::ConnectSettings;
use crate::error::{DbError, DbResult};
use crate::pool::{Pool, PoolSettings};
use crate::session::Session;
pub use crate::write::WriteTx;
use crate::write::write;

/// One worker's way to tenant tables, as the role that tenant requests run as.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
}

impl Db {
    /// Connects when first used.
    #[must_use]
    pub fn new(connect: ConnectSettings, settings: PoolSettings) -> Self {
        Self { pool: Pool::new(connect, settings) }
    }

    /// The tables of the one tenant that `scope` was authenticated for.
    #[must_use]
    pub const fn tenant(&self, scope: TenantScope) -> TenantDb<'_> {
        TenantDb { pool: &self.pool, scope }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> DbResult<()> {
        self.pool.ping().await
    }
}

/// The tables of one tenant.
#[derive(Clone, Copy)]
pub struct TenantDb<'p> {
    pub(crate) pool: &'p Pool,
    scope: TenantScope,
}

impl TenantDb<'_> {
    /// Who is at work, and for which tenant.
    #[must_use]
    pub const fn scope(&self) -> TenantScope {
        self.scope
    }

    /// Reads in one round trip; see [`block::read`] for the one rule that `work` must keep.
    pub(crate) async fn read<T>(self, work: impl AsyncFnOnce(Session<'_>) -> QueryResult<T>) -> DbResult<T> {
        match block::read(self.pool, self.scope.tenant(), work).await {
            // A read is in conflict with nobody: whatever holds the table, the answer is to wait.
            Err(DbError::Busy(why)) => Err(DbError::Unavailable(why)),
            outcome => outcome,
        }
    }

    /// Writes: commits when `work` succeeds, rolls back when it fails, and closes the connection when it is dropped.
    ///
    /// # Errors
    /// Whatever `work` returns, or the reason why the transaction could not be opened or committed. After
    /// [`DbError::Unavailable`] from the COMMIT itself it is unknown whether the
    /// work was kept.
    pub async fn write<T>(self, work: impl AsyncFnOnce(&mut WriteTx<'_>) -> DbResult<T>) -> DbResult<T> {
        write(self.pool, self.scope.tenant(), Actor::of(self.scope), work).await
    }
}
