//! Whose turn it is to hash. While other requests are at work one core is theirs. How many may wait for a turn, and for how long, is
//! decided in [`super`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// After the last other request, the cores are left to them for this long: longer than a page of a browser app takes between
/// two requests, short enough that a quiet server hashes on all cores.
const QUIET: Duration = Duration::from_secs(1);

/// Turns to hash: some always, the rest while nothing else is at work.
///
/// A low priority alone does not keep other requests quick. With both cores of a machine hashing, the slowest hundredth of other
/// tenants' reads took 2 to 19 times as long as alone; with one core left to them, 1.4 to 2.1 times (ADR 15).
pub(super) struct Turns {
    always: Arc<Semaphore>,
    when_quiet: Arc<Semaphore>,
    epoch: Instant,
    /// When there was another request, as [`Turns::now`] counts.
    last: AtomicU64,
}

/// The right to hash; given back when dropped.
pub(super) type Turn = OwnedSemaphorePermit;

impl Turns {
    /// `always` of them, and `when_quiet` more; together no more than a semaphore holds.
    pub(super) fn new(always: usize, when_quiet: usize) -> Self {
        let (always, when_quiet) = (Arc::new(Semaphore::new(always)), Arc::new(Semaphore::new(when_quiet)));
        Self { always, when_quiet, epoch: Instant::now(), last: AtomicU64::new(0) }
    }

    /// Notes that another request is at work.
    pub(super) fn others_are_at_work(&self) {
        let now = self.now();
        // All workers come here with each request: a line of memory that is only read costs them nothing.
        if now.saturating_sub(self.last.load(Ordering::Relaxed)) > 10 {
            self.last.store(now, Ordering::Relaxed);
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// Never: nothing closes the semaphores.
    pub(super) async fn next(&self) -> Result<Turn, AcquireError> {
        tokio::select! {
            biased;
            turn = Arc::clone(&self.always).acquire_owned() => turn,
            turn = self.quiet_turn() => turn,
        }
    }

    async fn quiet_turn(&self) -> Result<Turn, AcquireError> {
        loop {
            let turn = Arc::clone(&self.when_quiet).acquire_owned().await?;
            let Some(wait) = self.until_quiet() else { return Ok(turn) };
            // Not while it is held: it would be one waiter's alone then, whom the other kind of turn may come to first.
            drop(turn);
            sleep(wait).await;
        }
    }

    /// How long until the others have been quiet for long enough, should they stay so; `None` when they have.
    fn until_quiet(&self) -> Option<Duration> {
        let quiet_from = Duration::from_millis(self.last.load(Ordering::Relaxed)) + QUIET;
        let wait = quiet_from.saturating_sub(Duration::from_millis(self.now()));
        (!wait.is_zero()).then_some(wait)
    }

    /// Milliseconds. It starts where 0, which stands for never, is long ago.
    fn now(&self) -> u64 {
        u64::try_from((QUIET + self.epoch.elapsed()).as_millis()).unwrap_or(u64::MAX)
    }

    /// How many turns nobody has.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.always.available_permits() + self.when_quiet.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::{QUIET, Turns};

    const MOMENT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn all_turns_are_given_while_nothing_else_is_at_work() {
        let turns = Turns::new(1, 1);
        let _held = (turns.next().await.unwrap(), timeout(MOMENT, turns.next()).await.unwrap().unwrap());
        assert!(timeout(MOMENT, turns.next()).await.is_err(), "there is no third");
    }

    #[tokio::test]
    async fn one_core_is_left_to_other_requests_until_they_have_been_quiet_for_a_second() {
        let turns = Turns::new(1, 1);
        turns.others_are_at_work();
        let first = timeout(MOMENT, turns.next()).await.unwrap().unwrap();
        assert!(timeout(MOMENT, turns.next()).await.is_err(), "the other core is theirs");
        drop(first);
        let _first = timeout(MOMENT, turns.next()).await.unwrap().unwrap();
        let second = timeout(QUIET * 20, turns.next()).await;
        assert!(second.is_ok_and(|turn| turn.is_ok()), "they have been quiet");
    }

    #[tokio::test]
    async fn whoever_waits_for_quiet_takes_a_usual_turn_that_becomes_free() {
        let turns = Turns::new(1, 1);
        turns.others_are_at_work();
        let held = turns.next().await.unwrap();
        let (given, ()) = tokio::join!(turns.next(), async {
            turns.others_are_at_work();
            drop(held);
        });
        let _given = given.unwrap();
        assert_eq!(turns.free(), 1, "the one that is not given now");
    }
}
