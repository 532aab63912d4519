//! Hashing and verifying passwords on a bounded pool with a bounded queue: argon2id, and what came from Django. What a good new password is,
//! stands in [`crate::password_policy`]; who may try how often is not decided here.

mod argon;
mod stored;
mod threads;
mod turns;

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::password_policy::{UnusablePassword, normalise};
use argon::Argon;
use stored::Stored;
use threads::HashThreads;
use turns::Turns;

/// Whether accounts with this hash can log in, so that an importer may keep it: one of argon2 or of Django's PBKDF2, complete, and
/// not so dear that comparing it would be an attack. Not: the text of an account without a password, which starts with `!`.
#[must_use]
pub fn is_importable(text: &str) -> bool {
    Stored::read(text).is_some()
}

/// How much hashing may go on at once. One hash takes 19 MiB and some 20 ms of a core.
#[derive(Clone, Copy, Debug)]
pub struct HashSettings {
    /// How many hashes run at once; at least one is assumed.
    pub permits: usize,
    /// How many of them run while other requests are at work; at least one is assumed.
    pub beside_others: usize,
    /// How many more may wait for their turn. The next one is turned away at once.
    pub queue: usize,
    /// The longest that one waits.
    pub wait: Duration,
}

/// Why no hash was computed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many are hashing and waiting already. Try again later.
    #[error("too many passwords are being hashed")]
    Busy,
    /// This text can be nobody's password.
    #[error(transparent)]
    Unusable(#[from] UnusablePassword),
    /// A defect: of the random generator, of memory, of the pool.
    #[error("hashing a password failed")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

/// What comparing a password with a stored hash said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Match,
    /// It is the password, and its hash was made with other parameters than today's, or by Django: store a new one.
    MatchNeedsRehash,
    /// It is not, or there is none.
    NoMatch,
}

/// Hashes and verifies passwords. Share one between all workers: the bounds are its own.
pub struct PasswordHasher {
    argon: Argon,
    dummy: Arc<PasswordHash>,
    threads: HashThreads,
    admitted: Arc<Semaphore>,
    turns: Turns,
    wait: Duration,
}

impl PasswordHasher {
    /// Makes the pool. Its threads start when they are needed.
    ///
    /// # Errors
    /// [`HashError::Internal`] when the system refuses what it takes.
    pub fn new(settings: HashSettings) -> Result<Self, HashError> {
        let argon = Argon::new()?;
        let dummy = Arc::new(argon.nobodys()?);
        let permits = settings.permits.clamp(1, Semaphore::MAX_PERMITS);
        let beside_others = settings.beside_others.clamp(1, permits);
        let admitted = permits.saturating_add(settings.queue).min(Semaphore::MAX_PERMITS);
        Ok(Self {
            argon,
            dummy,
            threads: HashThreads::new(permits).map_err(internal)?,
            admitted: Arc::new(Semaphore::new(admitted)),
            turns: Turns::new(beside_others, permits - beside_others),
            wait: settings.wait,
        })
    }

    /// Notes that a request is at work that is not about passwords: for the next second, hashing leaves it a core.
    pub fn others_are_at_work(&self) {
        self.turns.others_are_at_work();
    }

    /// Hashes `password` under a new random salt. The result is a PHC string.
    ///
    /// # Errors
    /// Any [`HashError`].
    pub async fn hash(&self, password: SecretString) -> Result<String, HashError> {
        let password = normalise(password.expose_secret())?;
        let argon = self.argon.clone();
        self.run(move || Ok(argon.hash(password.expose_secret())?.to_string())).await
    }

    /// Compares `password` with what is stored for the account; `None` when there is no such account.
    ///
    /// No account, and a stored text that is no usable hash (an account without a password), cost as much work as a wrong
    /// password and answer alike. Otherwise the time taken would say which accounts exist. It does say so of accounts
    /// that came from Django until their next log-in: their hashes cost what Django made them cost, which is more.
    ///
    /// # Errors
    /// Any [`HashError`].
    pub async fn verify(&self, password: SecretString, stored: Option<String>) -> Result<Verdict, HashError> {
        let normal = normalise(password.expose_secret())?;
        let stored = stored.as_deref().and_then(Stored::read);
        let argon = self.argon.clone();
        let dummy = Arc::clone(&self.dummy);
        self.run(move || {
            let (sent, normal) = (password.expose_secret(), normal.expose_secret());
            let Some(stored) = stored else {
                black_box(argon.matches(&dummy, normal)?);
                return Ok(Verdict::NoMatch);
            };
            stored.compare(&argon, sent, normal)
        })
        .await
    }

    /// Runs `work` on a hashing thread when there is room for it.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = Arc::clone(&self.admitted).try_acquire_owned().or(Err(HashError::Busy))?;
        let turn = tokio::time::timeout(self.wait, self.turns.next());
        let turn = turn.await.or(Err(HashError::Busy))?.map_err(internal)?;
        let task = self.threads.run(move || {
            // Both move in here because the thread runs on when the caller goes away: memory and core are taken
            // until it ends, and so the place must be, too.
            let _held = (place, turn);
            work()
        });
        task.await.map_err(internal)?
    }
}

fn internal(error: impl Error + Send + Sync + 'static) -> HashError {
    HashError::Internal(Box::new(error))
}

#[cfg(test)]
mod tests;
