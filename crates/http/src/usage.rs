//! What clients do, gathered in memory: attempts to get a token, and requests by client, secret, hour and operation. A
//! task of its own writes it down once a second, and once more when the server stops, so that no request waits for it. What
//! would not fit in is dropped and counted; a server that is killed loses what it had not written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use bulkhead_domain::clock::now;
use bulkhead_domain::ids::TenantId;
use bulkhead_domain::principal::SecretUse;
use bulkhead_persistence::PoolSettings;
use bulkhead_persistence::credentials::AuthDb;
use bulkhead_persistence::usage::{Attempt, Batch, UsageKey};
use chrono::{DurationRound as _, TimeDelta};
use uuid::Uuid;

use crate::metrics::USAGE_DROPPED;
use crate::settings::Services;
use crate::state::State;

/// How often what was gathered is written down.
const PERIOD: Duration = Duration::from_secs(1);
/// The most attempts and counters that wait to be written: a few megabytes.
const MOST: usize = 20_000;
/// The most of either that wait for one tenant, so that it cannot crowd out the others.
const MOST_OF_ONE: usize = 2_000;
/// How long the last writing may take when the server stops.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often old rows of a tenant that is at work are swept away.
const SWEEPING: Duration = Duration::from_secs(3600);

/// What was gathered and is not written yet.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    tenants: HashMap<TenantId, Batch>,
    /// Attempts and counters of all tenants.
    size: usize,
}

impl Gathered {
    /// Adds an attempt.
    pub(crate) fn attempt(&self, tenant: TenantId, attempt: Attempt) {
        let mut inner = self.lock();
        let waiting = inner.tenants.get(&tenant).map_or(0, |batch| batch.attempts.len());
        if inner.has_room(waiting) {
            inner.tenants.entry(tenant).or_default().attempts.push(attempt);
        }
    }

    /// Counts a request.
    pub(crate) fn count(
        &self,
        tenant: TenantId,
        client: Uuid,
        secret: SecretUse,
        operation: &str,
        status: StatusCode,
    ) {
        let now = now();
        let hour = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
        let key = UsageKey { client, secret: secret.id.uuid(), hour, operation: operation.to_owned() };
        let mut inner = self.lock();
        if !inner.has_place(tenant, &key) {
            return;
        }
        let count = inner.tenants.entry(tenant).or_default().counts.entry(key).or_default();
        count.requests += 1;
        if status.is_client_error() || status.is_server_error() {
            count.refused += 1;
        }
    }

    fn take(&self) -> HashMap<TenantId, Batch> {
        let mut inner = self.lock();
        inner.size = 0;
        std::mem::take(&mut inner.tenants)
    }

    /// Puts back what could not be written, as far as there is room.
    fn put_back(&self, tenant: TenantId, batch: Batch) {
        for attempt in batch.attempts {
            self.attempt(tenant, attempt);
        }
        let mut inner = self.lock();
        for (key, count) in batch.counts {
            if inner.has_place(tenant, &key) {
                let total = inner.tenants.entry(tenant).or_default().counts.entry(key).or_default();
                total.requests += count.requests;
                total.refused += count.refused;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether a counter is there, or may be added.
    fn has_place(&mut self, tenant: TenantId, key: &UsageKey) -> bool {
        let batch = self.tenants.get(&tenant);
        let (is_known, waiting) =
            batch.map_or((false, 0), |batch| (batch.counts.contains_key(key), batch.counts.len()));
        is_known || self.has_room(waiting)
    }

    /// Takes one place, if there is one beside what waits of the same tenant.
    fn has_room(&mut self, waiting: usize) -> bool {
        if self.size >= MOST || waiting >= MOST_OF_ONE {
            USAGE_DROPPED.inc();
            return false;
        }
        self.size += 1;
        true
    }
}

/// Writes down what was gathered, on a connection of its own.
#[derive(Clone)]
pub(crate) struct Bookkeeper {
    auth: AuthDb,
    state: Arc<State>,
    /// Held while something is being written, so that the last writing comes after it.
    pen: Arc<tokio::sync::Mutex<()>>,
}

impl Bookkeeper {
    pub(crate) fn new(services: &Services, state: Arc<State>) -> Self {
        let one = PoolSettings { connections: 1, ..services.pool };
        Self { auth: AuthDb::new(services.auth_database.clone(), one), state, pen: Arc::default() }
    }

    /// Writes again and again, for as long as the server runs.
    pub(crate) async fn run(self) {
        let mut swept: HashMap<TenantId, Instant> = HashMap::new();
        loop {
            tokio::time::sleep(PERIOD).await;
            for tenant in self.write().await {
                if swept.get(&tenant).is_none_or(|last| last.elapsed() > SWEEPING) {
                    swept.insert(tenant, Instant::now());
                    if let Err(error) = self.auth.sweep_usage(tenant).await {
                        tracing::warn!(%error, "old usage could not be swept away");
                    }
                }
            }
            swept.retain(|_, last| last.elapsed() <= SWEEPING);
        }
    }

    /// The last writing, when no request can come any more.
    pub(crate) async fn close(&self) {
        if tokio::time::timeout(PATIENCE, self.write()).await.is_err() {
            tracing::warn!("what clients did in the last second could not be written down in time");
        }
    }

    /// The tenants of which something was written.
    async fn write(&self) -> Vec<TenantId> {
        let _pen = self.pen.lock().await;
        let mut written = Vec::new();
        for (tenant, batch) in self.state.usage.take() {
            match self.auth.add_usage(tenant, &batch).await {
                Ok(()) => written.push(tenant),
                Err(error) => {
                    tracing::warn!(%error, "what clients did could not be written down; it is kept");
                    self.state.usage.put_back(tenant, batch);
                }
            }
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use bulkhead_domain::ids::{SecretId, TenantId};
    use bulkhead_domain::principal::SecretUse;
    use bulkhead_persistence::usage::attempt_now;
    use uuid::Uuid;

    use super::{Gathered, MOST, MOST_OF_ONE};

    #[test]
    fn requests_are_counted_by_operation_and_put_back_without_loss() {
        let gathered = Gathered::default();
        let (tenant, secret) = (TenantId::generate(), SecretUse { id: SecretId::generate(), ends: None });
        let count = |status| gathered.count(tenant, Uuid::nil(), secret, "projects_list", status);
        count(StatusCode::OK);
        count(StatusCode::FORBIDDEN);
        let taken = gathered.take().remove(&tenant).unwrap();
        assert!(gathered.take().is_empty());
        count(StatusCode::OK);
        gathered.put_back(tenant, taken);
        let counts: Vec<_> = gathered.take().remove(&tenant).unwrap().counts.into_values().collect();
        assert_eq!(counts.iter().map(|count| (count.requests, count.refused)).collect::<Vec<_>>(), [(3, 1)]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let gathered = Gathered::default();
        let tenants: Vec<TenantId> = (0..MOST / MOST_OF_ONE + 1).map(|_| TenantId::generate()).collect();
        for tenant in &tenants {
            for _ in 0..MOST_OF_ONE + 5 {
                gathered.attempt(*tenant, attempt_now("client_x"));
            }
        }
        let waiting: Vec<usize> = gathered.take().into_values().map(|batch| batch.attempts.len()).collect();
        assert!(waiting.iter().all(|count| *count == MOST_OF_ONE), "{waiting:?}");
        assert_eq!(waiting.len(), MOST / MOST_OF_ONE);
    }
}
