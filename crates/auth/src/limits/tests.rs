//! Buckets under a clock that the test moves. Nothing here waits.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use governor::clock::FakeRelativeClock;

use super::rate::{Rate, Window};
use super::{Decision, Limiter};

const HOUR: Duration = Duration::from_secs(3600);

fn limiter() -> (Limiter<&'static str, FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    // A bucket that was made at the very beginning of time would be a special case of the library.
    clock.advance(Duration::from_secs(1));
    (Limiter::with_clock(100, clock.clone()), clock)
}

#[test]
fn a_limit_counts_down_to_zero_and_then_refuses_and_never_goes_below() {
    let (limiter, _) = limiter();
    for left in (0..5).rev() {
        let decision = limiter.check("a", Rate::hourly(5)).unwrap();
        assert_eq!((decision.allowed, decision.limit, decision.remaining), (true, 5, left));
        assert_eq!((decision.wait, decision.window), (HOUR / 5, HOUR));
        assert_eq!(decision.full_in, HOUR / 5 * (5 - left));
    }
    for _ in 0..3 {
        let decision = limiter.check("a", Rate::hourly(5)).unwrap();
        assert_eq!((decision.allowed, decision.remaining), (false, 0));
        assert_eq!((decision.wait, decision.full_in), (HOUR / 5, HOUR));
    }
}

#[test]
fn units_come_back_one_by_one_and_no_more_than_the_limit() {
    let (limiter, clock) = limiter();
    let take = || limiter.check("a", Rate::hourly(2)).unwrap();
    let outcomes = [take().allowed, take().allowed, take().allowed];
    assert_eq!(outcomes, [true, true, false]);
    clock.advance(HOUR / 4);
    assert_eq!(take().wait, HOUR / 4, "half of the time for one unit is over");
    clock.advance(HOUR / 4);
    let decision = take();
    assert_eq!((decision.allowed, decision.remaining), (true, 0));
    assert!(!take().allowed);
    clock.advance(HOUR * 24);
    let outcomes = [take().remaining, take().remaining];
    assert_eq!(outcomes, [1, 0]);
    assert!(!take().allowed, "what is not used does not pile up");
}

#[test]
fn keys_do_not_share_a_limit_and_a_changed_rate_counts_at_once() {
    let (limiter, _) = limiter();
    assert!(limiter.check("a", Rate::hourly(1)).unwrap().allowed);
    assert!(!limiter.check("a", Rate::hourly(1)).unwrap().allowed);
    assert!(limiter.check("b", Rate::hourly(1)).unwrap().allowed);
    assert!(limiter.check("a", Rate::hourly(2)).unwrap().allowed);
    assert!(!limiter.check("a", Rate::hourly(1)).unwrap().allowed);
    assert_eq!(limiter.check("a", Rate::Unlimited), None);
}

#[test]
fn a_limit_of_nothing_lets_nothing_through_at_any_time() {
    let (limiter, clock) = limiter();
    for _ in 0..2 {
        let decision = limiter.check("a", Rate::hourly(0)).unwrap();
        let expected =
            Decision { allowed: false, limit: 0, remaining: 0, wait: HOUR, full_in: HOUR, window: HOUR };
        assert_eq!(decision, expected);
        clock.advance(HOUR * 2);
    }
}

#[test]
fn the_largest_limits_count_in_every_window() {
    for window in [Window::Second, Window::Minute, Window::Hour, Window::Day] {
        let (limiter, _) = limiter();
        let rate = Rate::Limited { units: u32::MAX, window };
        for used in 1..=3 {
            let decision = limiter.check("a", rate).unwrap();
            assert_eq!((decision.limit, decision.remaining), (u32::MAX, u32::MAX - used), "{window:?}");
            assert!(decision.allowed && decision.wait > Duration::ZERO);
        }
    }
}

#[test]
fn a_million_keys_take_no_more_room_than_the_capacity() {
    let limiter = Limiter::<IpAddr>::new(10_000);
    for number in 0..1_000_000_u128 {
        let source = IpAddr::V6(Ipv6Addr::from(number << 64));
        assert!(limiter.check(source, Rate::hourly(1)).unwrap().allowed, "{source}");
    }
    let shards = u64::try_from(limiter.buckets.num_shards()).unwrap();
    assert!(limiter.buckets.capacity() <= 10_000 + shards);
    assert!(u64::try_from(limiter.buckets.len()).unwrap() <= limiter.buckets.capacity());
}

#[test]
fn one_bucket_serves_all_threads() {
    let limiter = Limiter::new(100);
    let allowed: usize = std::thread::scope(|scope| {
        let take = || (0..100).filter(|_| limiter.check("a", Rate::hourly(150)).unwrap().allowed).count();
        let threads = [(); 4].map(|()| scope.spawn(take));
        threads.map(|thread| thread.join().unwrap()).iter().sum()
    });
    assert_eq!(allowed, 150);
}
