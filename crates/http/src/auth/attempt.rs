//! Attempts to prove who one is, counted before anything is looked at. Every path that takes a password or a code of a person
//! reserves one here: log-in, its second step, a change of password, a link. What is counted, and where, is said in
//! `persistence::guards`.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::TenantId;
use bulkhead_persistence::families::Origin;
use bulkhead_persistence::guards::GuardKey;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::client_address::{client_address, user_agent};
use crate::metrics;
use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

/// An attempt that may be made, and has been counted. What is not said to have succeeded has failed.
#[must_use]
pub(crate) struct Attempt(GuardKey);

impl Attempt {
    /// Counts an attempt as `account`.
    ///
    /// # Errors
    /// 429 when there were too many, the database is away.
    pub(crate) async fn reserve(
        worker: &Worker,
        request: &HttpRequest,
        tenant: TenantId,
        account: Uuid,
    ) -> Outcome<Self> {
        let key = GuardKey { tenant, account, network: worker.limits.source(request).to_string() };
        let waits = worker.auth.reserve_attempt(&key, worker.settings.limits.guesses).await;
        match waits.map_err(Problem::busy_is_unavailable)? {
            None => Ok(Self(key)),
            Some(wait) => Err(too_many(wait)),
        }
    }

    /// Says that the credentials were right, when no session is opened that would say so.
    pub(crate) async fn succeeded(self, worker: &Worker) -> Outcome<()> {
        worker.auth.note_attempt(&self.0).await.map_err(Problem::busy_is_unavailable)
    }

    /// Where a session comes from that these credentials open; opening it says that they were right.
    pub(crate) fn opens(self, worker: &Worker, request: &HttpRequest) -> Origin {
        Origin { proven: Some(self.0), ..origin(worker, request) }
    }
}

/// Where a session comes from.
pub(crate) fn origin(worker: &Worker, request: &HttpRequest) -> Origin {
    let address = client_address(request, &worker.settings.trusted_proxies);
    Origin {
        ip_address: address.map(|address| address.to_string()),
        user_agent: user_agent(request),
        ..Origin::default()
    }
}

/// What stands for a name that nobody has: attempts under it are counted as those under any other.
pub(crate) fn stand_in(name: &str) -> Uuid {
    let digest = Sha256::digest(name.as_bytes());
    Uuid::from_bytes(digest.first_chunk::<16>().copied().unwrap_or_default())
}

fn too_many(wait: Duration) -> Problem {
    metrics::count_throttled("guesses");
    let seconds = wait.as_secs().max(1);
    let detail = format!("Request was throttled. Expected available in {seconds} seconds.");
    Problem::new(Code::Throttled, detail).with_header(header::RETRY_AFTER, &seconds.to_string())
}
