//! Write transactions: `BEGIN` travels with the first statement, so that a single write takes two round trips; and a
//! write that carries an idempotency key claims it in the first and stores its reply with the COMMIT.

use bulkhead_domain::ids::TenantId;
use diesel::QueryResult;
use diesel_async::SimpleAsyncConnection;
use futures_util::future::join3;
use tokio::task::coop::unconstrained;
use uuid::Uuid;

use crate::audit::Actor;
use crate::block::{opening, send};
use crate::error::{DbError, DbResult};
use crate::idempotency::{self, Claim, Once, Reply, RetryKey};
use crate::pool::{Connection, Pool};
use crate::session::Session;
use crate::tenant_db::TenantDb;

/// An open write transaction of one tenant, on somebody's behalf.
pub struct WriteTx<'c> {
    connection: &'c Connection,
    tenant: TenantId,
    actor: Actor<'c>,
    /// What opens the transaction.
    opening: String,
    begun: bool,
    claim: Option<Claim<'c>>,
    replay: bool,
}

impl<'c> WriteTx<'c> {
    pub(crate) const fn new(
        connection: &'c Connection,
        tenant: TenantId,
        actor: Actor<'c>,
        opening: String,
    ) -> Self {
        Self { connection, tenant, actor, opening, begun: false, claim: None, replay: false }
    }

    /// The transaction's tenant.
    pub(crate) const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// On whose behalf the work is done.
    pub(crate) const fn actor(&self) -> Actor<'c> {
        self.actor
    }

    /// The person whose new rows they are, if a person is at work.
    pub(crate) fn maker(&self) -> Option<Uuid> {
        match self.actor {
            Actor::Principal(scope) => scope.person(),
            Actor::Operator(_) | Actor::System => None,
        }
    }

    /// Runs one statement, or several that are joined: one round trip.
    pub(crate) async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(Session<'_>) -> QueryResult<T>,
    ) -> DbResult<T> {
        let session = Session::new(self.connection, self.tenant);
        if self.begun {
            return Ok(work(session).await?);
        }
        self.begun = true;
        let claim = self.claim;
        let mut raw = &self.connection.raw;
        // Joined futures are polled in order, so BEGIN is on the wire first, then the claim, then the work.
        let (begun, claimed, result) = unconstrained(join3(
            raw.batch_execute(&self.opening),
            idempotency::claim(session, claim),
            work(session),
        ))
        .await;
        begun?;
        if !claimed? {
            self.replay = true;
            return Err(DbError::Busy("the idempotency key is taken".to_owned()));
        }
        Ok(result?)
    }

    async fn end(&self, how: &str) -> DbResult<()> {
        let mut raw = &self.connection.raw;
        Ok(raw.batch_execute(how).await?)
    }

    /// Ends the transaction as `result` wants it: COMMIT or ROLLBACK. The outer error means that the connection is in an
    /// unknown state and must go.
    pub(crate) async fn finish<T>(&self, result: DbResult<T>) -> Result<DbResult<T>, DbError> {
        match &result {
            _ if !self.begun => {}
            Ok(_) => self.end("COMMIT").await?,
            // When even ROLLBACK fails, the first error is the one to tell.
            Err(_) if self.end("ROLLBACK").await.is_err() => return result.map(Ok),
            Err(_) => {}
        }
        Ok(result)
    }
}

/// Runs `work` in a transaction of `tenant`: COMMIT when it succeeds, ROLLBACK when it fails. Dropped half way, the
/// connection is closed, which rolls back.
pub(crate) async fn write<T>(
    pool: &Pool,
    tenant: TenantId,
    actor: Actor<'_>,
    work: impl AsyncFnOnce(&mut WriteTx<'_>) -> DbResult<T>,
) -> DbResult<T> {
    write_opened(pool, tenant, actor, opening(tenant, ""), work).await
}

/// As [`write()`], without waiting for the disk: a database that crashes may lose what it committed in the last second, never
/// a part of a transaction. For records that are many and worth less than the time of one flush each.
pub(crate) async fn write_lazily<T>(
    pool: &Pool,
    tenant: TenantId,
    actor: Actor<'_>,
    work: impl AsyncFnOnce(&mut WriteTx<'_>) -> DbResult<T>,
) -> DbResult<T> {
    let opening = format!("{}; SET LOCAL synchronous_commit = off", opening(tenant, ""));
    write_opened(pool, tenant, actor, opening, work).await
}

async fn write_opened<T>(
    pool: &Pool,
    tenant: TenantId,
    actor: Actor<'_>,
    opening: String,
    work: impl AsyncFnOnce(&mut WriteTx<'_>) -> DbResult<T>,
) -> DbResult<T> {
    let checkout = pool.take(tenant).await?;
    let mut tx = WriteTx::new(checkout.connection()?, tenant, actor, opening);
    let result = work(&mut tx).await;
    let result = tx.finish(result).await?;
    checkout.finish();
    result
}

impl TenantDb<'_> {
    /// Writes once: the reply that `work` makes is stored under `key` in the same transaction, and a second request with
    /// the same key and fingerprint gets the stored reply without doing the work again.
    ///
    /// # Errors
    /// As [`TenantDb::write`]; [`DbError::KeyReused`] when the key was used for another request; [`DbError::Busy`] while
    /// the first request with the key is still running. A refused request stores nothing: its key stays free.
    pub async fn write_once(
        self,
        key: Option<&RetryKey>,
        work: impl AsyncFnOnce(&mut WriteTx<'_>) -> DbResult<Reply>,
    ) -> DbResult<Once> {
        let Some(key) = key else { return self.write(work).await.map(Once::First) };
        let tenant = self.scope().tenant();
        let claim = Claim { principal: self.scope().actor(), key };
        let checkout = self.pool.take(tenant).await?;
        let actor = Actor::of(self.scope());
        let mut tx = WriteTx::new(checkout.connection()?, tenant, actor, opening(tenant, ""));
        tx.claim = Some(claim);
        match work(&mut tx).await {
            Ok(reply) => {
                send(checkout.connection()?, tenant, None, async |s| {
                    idempotency::store(s, claim, &reply).await
                })
                .await??;
                checkout.finish();
                Ok(Once::First(reply))
            }
            Err(error) => {
                let replay = tx.replay;
                if tx.begun && tx.end("ROLLBACK").await.is_err() {
                    return Err(error);
                }
                checkout.finish();
                if replay { idempotency::replay(self, claim).await.map(Once::Replayed) } else { Err(error) }
            }
        }
    }
}
