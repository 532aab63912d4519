//! Keeps the server's memory of revocations fresh: reads the recent ones a few times a second, for all workers at once,
//! so that no request has to. It asks instead of listening, see `docs/adr/0007-revocations.md`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_auth::revocations::Revocations;
use bulkhead_persistence::PoolSettings;
use bulkhead_persistence::credentials::AuthDb;
use bulkhead_persistence::error::{DbError, DbResult};
use chrono::TimeDelta;

use crate::settings::Services;
use crate::state::State;

/// How often the revocations are read: a token dies on every server within this time and one round trip.
const PERIOD: Duration = Duration::from_millis(250);
/// How long one reading may take; a connection that hangs is given up.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longer than any access token lives with all leeway (one day and seconds), so that nothing that matters is missed.
const WINDOW: TimeDelta = TimeDelta::hours(25);

/// Reads the recent revocations.
pub(crate) struct Watcher {
    db: AuthDb,
}

impl Watcher {
    pub(crate) fn new(services: &Services) -> Self {
        let one = PoolSettings { connections: 1, ..services.pool };
        Self { db: AuthDb::new(services.auth_database.clone(), one) }
    }

    /// What is known at this moment.
    pub(crate) async fn read(&self) -> DbResult<Revocations> {
        match tokio::time::timeout(PATIENCE, self.db.recent_revocations(WINDOW)).await {
            Ok(revocations) => Ok(revocations?.into_iter().collect()),
            Err(_) => Err(DbError::Unavailable("the database does not answer".to_owned())),
        }
    }

    /// Reads again and again, for as long as the server runs.
    pub(crate) async fn run(self, state: Arc<State>) {
        let mut away = false;
        loop {
            tokio::time::sleep(PERIOD).await;
            let asked = Instant::now();
            match self.read().await {
                Ok(revocations) => {
                    state.hear(revocations, asked);
                    away = false;
                }
                Err(error) if !away => {
                    tracing::warn!(%error, "revocations cannot be read; tokens are refused if this lasts");
                    away = true;
                }
                Err(_) => {}
            }
        }
    }
}
