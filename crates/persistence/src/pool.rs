//! One worker's connections for one role. A connection that leaves here comes back clean or not at all.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bulkhead_domain::ids::TenantId;
use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::connect::{ClosedFlag, ConnectError, ConnectSettings, cancel, connect};
use crate::error::{DbError, DbResult};
use crate::fairness::{Fairness, Turn};
use crate::watch::{Listener, StatementWatch};

/// How large a pool is and how long a request waits for it.
#[derive(Clone, Copy, Debug)]
pub struct PoolSettings {
    /// Connections, at least 1.
    pub connections: usize,
    /// How long a request may wait for one.
    pub acquire_timeout: Duration,
}

/// A connection and what is known of it.
pub(crate) struct Connection {
    pub(crate) raw: AsyncPgConnection,
    pub(crate) watch: Arc<StatementWatch>,
    closed: ClosedFlag,
    settings: Arc<ConnectSettings>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(settings: &ConnectSettings) -> Result<Self, ConnectError> {
        Self::open_with(Arc::new(settings.clone())).await
    }

    async fn open_with(settings: Arc<ConnectSettings>) -> Result<Self, ConnectError> {
        // Boxed, because connecting is rare and its future large: every request's future would carry the room for it.
        let (mut raw, closed) = Box::pin(connect(&settings)).await?;
        let watch = Arc::<StatementWatch>::default();
        raw.set_instrumentation(Listener(Arc::clone(&watch)));
        Ok(Self { raw, watch, closed, settings })
    }
}

/// Makes connections and looks at those that come back.
struct Manager {
    settings: Arc<ConnectSettings>,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = ConnectError;

    async fn create(&self) -> Result<Connection, ConnectError> {
        Connection::open_with(Arc::clone(&self.settings)).await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<ConnectError> {
        if connection.closed.is_set() {
            return Err(RecycleError::message("the server closed the connection"));
        }
        Ok(())
    }
}

/// One worker's connections for one role.
#[derive(Clone)]
pub(crate) struct Pool {
    inner: managed::Pool<Manager>,
    fairness: Arc<Fairness>,
    acquire_timeout: Duration,
}

impl Pool {
    /// A pool that connects when it is first asked to.
    pub(crate) fn new(connect: ConnectSettings, settings: PoolSettings) -> Self {
        let connections = settings.connections.max(1);
        // Waiting has its bound in `take`. The most recently used connection has the warmest caches.
        let building = managed::Pool::builder(Manager { settings: Arc::new(connect) })
            .max_size(connections)
            .queue_mode(QueueMode::Lifo)
            .build();
        #[expect(
            clippy::expect_used,
            reason = "building fails only for time-outs without a runtime, and none is set"
        )]
        let inner = building.expect("a pool without time-outs can always be built");
        Self { inner, fairness: Fairness::new(connections), acquire_timeout: settings.acquire_timeout }
    }

    /// Takes a connection on behalf of `tenant`, waiting at most the time that was set.
    pub(crate) async fn take(&self, tenant: TenantId) -> DbResult<Checkout> {
        let taking = async {
            let turn = self.fairness.turn(tenant).await;
            let object = self.inner.get().await?;
            Ok(Checkout { object: Some(object), turn: Some(turn) })
        };
        match timeout(self.acquire_timeout, taking).await {
            Ok(Ok(checkout)) => Ok(checkout),
            Ok(Err(error)) => Err(unavailable(&error)),
            Err(_) => Err(DbError::Unavailable("no connection became free in time".to_owned())),
        }
    }
}

impl Pool {
    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> DbResult<()> {
        let checkout = self.take(TenantId::from_uuid(uuid::Uuid::nil())).await?;
        let mut raw = &checkout.connection()?.raw;
        raw.batch_execute("SELECT 1").await?;
        checkout.finish();
        Ok(())
    }
}

fn unavailable(error: &PoolError<ConnectError>) -> DbError {
    DbError::Unavailable(error.to_string())
}

/// A connection that is in use. Dropped before [`Checkout::finish`] (an error, a time-out, a client that went away),
/// it is closed: PostgreSQL then rolls back, and nobody ever meets a connection in an unknown state.
pub(crate) struct Checkout {
    object: Option<Object<Manager>>,
    turn: Option<Turn>,
}

impl Checkout {
    /// The connection.
    pub(crate) fn connection(&self) -> DbResult<&Connection> {
        self.object.as_deref().ok_or_else(|| DbError::Internal("connection already given back".to_owned()))
    }

    /// Gives the connection back. Only for one that is known to be outside any transaction.
    pub(crate) fn finish(mut self) {
        self.object = None;
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let Some(object) = self.object.take() else { return };
        let abandoned = Abandoned { object, _turn: self.turn.take() };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(abandoned.end())),
            Err(_) => drop(Object::take(abandoned.object)),
        }
    }
}

/// A connection that was dropped in use. Its backend may still be at work, so its place in the pool and its tenant's turn
/// stay taken until it has stopped: otherwise whoever hangs up early could have any number of backends.
struct Abandoned {
    object: Object<Manager>,
    _turn: Option<Turn>,
}

impl Abandoned {
    /// How long a statement may take to end by itself before it is cancelled.
    const PATIENCE: Duration = Duration::from_millis(100);
    /// How long it may take to end at all, a little more than the roles' `statement_timeout`.
    const LIMIT: Duration = Duration::from_secs(6);

    async fn end(self) {
        let mut raw = &self.object.raw;
        let settled = async {
            let mut rollback = pin!(raw.batch_execute("ROLLBACK"));
            if timeout(Self::PATIENCE, &mut rollback).await.is_ok() {
                return;
            }
            // Best effort: the roles' time-outs end the statement as well.
            let _cancelled = cancel(&self.object.settings, self.object.raw.cancel_token()).await;
            let _ended = rollback.await;
        };
        let _within_limit = timeout(Self::LIMIT, settled).await;
        drop(Object::take(self.object));
    }
}
