//! Keeps the server's memory of revocations fresh: asks for the latest a few times a second, for all workers at once, so
//! that no request has to. It asks instead of listening, see `docs/adr/0007-revocations.md`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_domain::revocation::Revocation;
use bulkhead_persistence::PoolSettings;
use bulkhead_persistence::credentials::AuthDb;
use bulkhead_persistence::error::{DbError, DbResult};
use bulkhead_persistence::tenant_db::Db;
use futures_util::future::try_join;

use crate::settings::Services;
use crate::state::State;

/// How often the question is asked: a token dies on every server within this time and one round trip.
const PERIOD: Duration = Duration::from_millis(250);
/// How far each question looks back beyond the last answer: longer than a transaction that revokes can take to commit.
const OVERLAP: Duration = Duration::from_secs(15);
/// How long one question may take; a connection that hangs is given up.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same for the first one, which looks back over the life of a token.
const FIRST_PATIENCE: Duration = Duration::from_secs(30);
/// How often what is too old to matter is forgotten.
const FORGETTING: Duration = Duration::from_secs(60);

/// Asks the database, on connections of its own, so that it is not in the way of requests nor they in its.
pub(crate) struct Watcher {
    auth: AuthDb,
    app: Db,
    state: Arc<State>,
    /// How long a revocation matters: as long as a token from before it can live.
    memory: Duration,
    answered: Instant,
}

impl Watcher {
    /// A watcher that has already asked for everything that matters.
    pub(crate) async fn start(services: &Services, state: Arc<State>) -> DbResult<Self> {
        let one = PoolSettings { connections: 1, ..services.pool };
        let watcher = Self {
            auth: AuthDb::new(services.auth_database.clone(), one),
            app: Db::new(services.app_database.clone(), one),
            state,
            memory: services.keyring.current().tokens.longest_life() + OVERLAP,
            answered: Instant::now(),
        };
        let revocations = watcher.ask(watcher.memory, FIRST_PATIENCE).await?;
        watcher.state.hear(revocations, watcher.answered, None);
        Ok(watcher)
    }

    /// Asks again and again, for as long as the server runs.
    pub(crate) async fn run(mut self) {
        let (mut away, mut forgot) = (false, Instant::now());
        loop {
            tokio::time::sleep(PERIOD).await;
            let asked = Instant::now();
            let window = asked.duration_since(self.answered) + OVERLAP;
            match self.ask(window.min(self.memory), PATIENCE).await {
                Ok(revocations) => {
                    let forgetting = asked.duration_since(forgot) > FORGETTING;
                    let oldest = forgetting.then(|| asked.checked_sub(self.memory)).flatten();
                    self.state.hear(revocations, asked, oldest);
                    (self.answered, away) = (asked, false);
                    if forgetting {
                        forgot = asked;
                    }
                }
                Err(error) if !away => {
                    tracing::warn!(%error, "the database is away; tokens are refused if this lasts");
                    away = true;
                }
                Err(_) => {}
            }
        }
    }

    /// Both roles must be able to work, or the server is not ready.
    async fn ask(&self, window: Duration, patience: Duration) -> DbResult<Vec<Revocation>> {
        let asking = try_join(self.auth.recent_revocations(window), self.app.ping());
        match tokio::time::timeout(patience, asking).await {
            Ok(answers) => answers.map(|(revocations, ())| revocations),
            Err(_) => Err(DbError::Unavailable("the database does not answer".to_owned())),
        }
    }
}
