//! What all workers share and change: whether the server is on its way out, and what was revoked.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bulkhead_auth::revocations::Revocations;
use bulkhead_auth::token::Verified;
use bulkhead_domain::revocation::Revocation;

/// A server that has not heard of revocations for this long no longer believes any token.
const STALE: Duration = Duration::from_secs(5);

/// The server's state.
#[derive(Debug)]
pub(crate) struct State {
    draining: AtomicBool,
    revocations: RwLock<Arc<Revocations>>,
    started: Instant,
    /// Milliseconds from `started` to the last time that the revocations were read.
    heard: AtomicU64,
}

/// Why a token that verified is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disbelief {
    /// It was revoked.
    Revoked,
    /// It may have been: the database has been away for too long.
    Stale,
}

impl State {
    /// A state that knows the revocations of this moment.
    pub(crate) fn new(revocations: Revocations) -> Self {
        Self {
            draining: AtomicBool::new(false),
            revocations: RwLock::new(Arc::new(revocations)),
            started: Instant::now(),
            heard: AtomicU64::new(0),
        }
    }

    /// From now on the server is not ready for new work.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the server is on its way out.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Replaces what is known. `asked` is when the question was sent: nothing that happened later counts as heard.
    pub(crate) fn hear(&self, revocations: Revocations, asked: Instant) {
        *self.revocations.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(revocations);
        self.heard.store(self.millis(asked), Ordering::Release);
    }

    /// Adds what this server itself has just done, without waiting to hear of it.
    pub(crate) fn revoke(&self, revocation: Revocation) {
        let mut known = self.revocations.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut known).add(revocation);
    }

    /// Whether to believe a token that verified. Memory only.
    pub(crate) fn believes(&self, token: &Verified) -> Result<(), Disbelief> {
        let silence = self.millis(Instant::now()).saturating_sub(self.heard.load(Ordering::Acquire));
        if u128::from(silence) > STALE.as_millis() {
            return Err(Disbelief::Stale);
        }
        let known = self.revocations.read().unwrap_or_else(PoisonError::into_inner);
        if known.end(token) { Err(Disbelief::Revoked) } else { Ok(()) }
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }
}
