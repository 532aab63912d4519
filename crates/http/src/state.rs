//! What all workers share and change: whether the server is on its way out, what was revoked, and whose hosts are.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use bulkhead_auth::revocations::Revocations;
use bulkhead_auth::token::Verified;
use bulkhead_domain::revocation::Revocation;

use crate::context::disbelieved;
use crate::hosts::Hosts;
use crate::openapi::pages::Texts;
use crate::problem::Outcome;
use crate::usage::Gathered;

/// A server that has not heard of revocations for this long no longer believes any token.
const STALE: Duration = Duration::from_secs(5);

/// The server's state.
#[derive(Debug)]
pub(crate) struct State {
    draining: AtomicBool,
    revocations: RwLock<Revocations>,
    /// What clients did and is not stored yet.
    pub(crate) usage: Gathered,
    /// Whose hosts are.
    pub(crate) hosts: Hosts,
    /// The OpenAPI document as it is sent.
    pub(crate) texts: Texts,
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
    /// A state that knows of nothing yet but where the server itself is.
    pub(crate) fn new(public_url: &str) -> Self {
        Self {
            draining: AtomicBool::new(false),
            revocations: RwLock::default(),
            usage: Gathered::default(),
            hosts: Hosts::new(public_url),
            texts: Texts::default(),
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

    /// Adds what was heard, and forgets what was last heard of before `oldest`. `asked` is when the question was sent:
    /// nothing that happened later counts as heard.
    pub(crate) fn hear(&self, revocations: Vec<Revocation>, asked: Instant, oldest: Option<Instant>) {
        if !revocations.is_empty() || oldest.is_some() {
            let mut known = self.revocations.write().unwrap_or_else(PoisonError::into_inner);
            revocations.into_iter().for_each(|revocation| known.add(revocation, asked));
            oldest.into_iter().for_each(|oldest| known.forget(oldest));
        }
        self.heard.store(self.millis(asked), Ordering::Release);
    }

    /// Adds what this server itself has just done, without waiting to hear of it.
    pub(crate) fn revoke(&self, revocation: Revocation) {
        self.revocations.write().unwrap_or_else(PoisonError::into_inner).add(revocation, Instant::now());
    }

    /// How long ago the database was last heard of.
    pub(crate) fn silence(&self) -> Duration {
        let heard = self.heard.load(Ordering::Acquire);
        Duration::from_millis(self.millis(Instant::now()).saturating_sub(heard))
    }

    /// Whether to believe a token that verified. Memory only.
    pub(crate) fn believes(&self, token: &Verified) -> Result<(), Disbelief> {
        if self.silence() > STALE {
            return Err(Disbelief::Stale);
        }
        let known = self.revocations.read().unwrap_or_else(PoisonError::into_inner);
        if known.end(token) { Err(Disbelief::Revoked) } else { Ok(()) }
    }

    /// Whether a token that verified counts; a refusal when that is not known.
    pub(crate) fn is_believed(&self, token: &Verified) -> Outcome<bool> {
        match self.believes(token) {
            Ok(()) => Ok(true),
            Err(Disbelief::Revoked) => Ok(false),
            Err(Disbelief::Stale) => Err(disbelieved(Disbelief::Stale)),
        }
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }
}
