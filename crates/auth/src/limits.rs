//! Rate limits: how much of a rate a key has left. Knows neither who is limited nor how an answer says so, and keeps
//! everything in memory, so each process counts for itself.

pub mod rate;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::fmt;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;

use self::rate::{Rate, Window};

/// Keys that a limiter remembers unless it is told otherwise: some 20 MB when full.
pub const USUAL_CAPACITY: usize = 100_000;

/// The shortest time that a bucket can tell apart. A rate above 10⁹ a second counts as 10⁹ a second.
const SHORTEST_PERIOD: Duration = Duration::from_nanos(1);

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, StateInformationMiddleware>;

/// Buckets by key, for at most a fixed number of keys.
///
/// A bucket (the generic cell rate algorithm) starts full, with as many units as the rate has, and refills evenly. Beyond
/// the capacity the least useful buckets are forgotten, and a forgotten bucket is a full one when its key comes
/// back: whoever can bring that many keys is held back by the number of units of each, not by memory of them.
pub struct Limiter<K, C: Clock = MonotonicClock> {
    buckets: Cache<(K, Rate), Arc<Bucket<C>>>,
    clock: C,
}

/// What became of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether there was a unit left.
    pub allowed: bool,
    /// Units of the whole limit.
    pub limit: u32,
    /// Units that are left now.
    pub remaining: u32,
    /// The longest time until there is one unit more. Exact when there is none now.
    pub wait: Duration,
    /// The longest time until the whole limit is there again, if nothing is used meanwhile.
    pub full_in: Duration,
    /// The time in which a limit that was used up is there again.
    pub window: Duration,
}

impl<K: Clone + Eq + Hash> Limiter<K> {
    /// A limiter for about `capacity` keys, rounded up to the next multiple of some four times the number of cores.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self::with_clock(capacity, MonotonicClock)
    }
}

impl<K: Clone + Eq + Hash, C: Clock + Clone> Limiter<K, C> {
    fn with_clock(capacity: usize, clock: C) -> Self {
        Self { buckets: Cache::new(capacity), clock }
    }

    /// Takes one unit of `rate` from the bucket of `key`; `None` when there is no limit to take it from.
    ///
    /// Each rate of a key has a bucket of its own, so that a changed rate counts from the next request on.
    pub fn check(&self, key: K, rate: Rate) -> Option<Decision> {
        let Rate::Limited { units, window } = rate else { return None };
        let Some(burst) = NonZeroU32::new(units) else { return Some(Decision::never(window)) };
        let period = (window.length() / units).max(SHORTEST_PERIOD);
        let bucket = self.bucket(&(key, rate), burst, period);
        let decision = match bucket.check() {
            Ok(left) => {
                let remaining = left.remaining_burst_capacity();
                let full_in = period.saturating_mul(units.saturating_sub(remaining));
                Decision { allowed: true, remaining, wait: period, full_in, ..Decision::never(window) }
            }
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                let full_in = wait + period.saturating_mul(units.saturating_sub(1));
                Decision { wait, full_in, ..Decision::never(window) }
            }
        };
        Some(Decision { limit: units, ..decision })
    }

    fn bucket(&self, key: &(K, Rate), burst: NonZeroU32, period: Duration) -> Arc<Bucket<C>> {
        let full = || {
            // `None` is only for a period of zero, which `SHORTEST_PERIOD` rules out.
            let quota = Quota::with_period(period).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
            let bucket = RateLimiter::direct_with_clock(quota, self.clock.clone());
            Ok::<_, Infallible>(Arc::new(bucket.with_middleware()))
        };
        match self.buckets.get_or_insert_with(key, full) {
            Ok(bucket) => bucket,
            Err(never) => match never {},
        }
    }
}

impl Decision {
    /// A limit of no units at all.
    const fn never(window: Window) -> Self {
        let window = window.length();
        Self { allowed: false, limit: 0, remaining: 0, wait: window, full_in: window, window }
    }
}

impl<K, C: Clock> fmt::Debug for Limiter<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}
