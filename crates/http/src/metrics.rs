//! Counters and times for Prometheus. Labels are operations and statuses, never tenants, ids or paths, so that the
//! number of series stays small (LOG-3).

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::HttpResponse;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Statements that row-level security refused. Anything but 0 is a defect: the first barrier let something through.
pub(crate) static RLS_VIOLATIONS: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Attempts and counters of clients that were dropped because too many waited to be written down.
pub(crate) static USAGE_DROPPED: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Passwords that were hashed, to compare them or to keep them: what costs a log-in its time and memory.
pub(crate) static PASSWORDS_HASHED: LazyLock<Counter> = LazyLock::new(Counter::default);

static REQUESTS: LazyLock<Family<Outcome, Counter>> = LazyLock::new(Family::default);
static THROTTLED: LazyLock<Family<Throttled, Counter>> = LazyLock::new(Family::default);
static DURATIONS: LazyLock<Family<Handled, Histogram>> = LazyLock::new(|| {
    // 0.5 ms to about 8 s.
    Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.0005, 2.0, 15)))
});

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    operation: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Handled {
    operation: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Throttled {
    limit: &'static str,
}

/// Counts one request that a limit refused.
pub(crate) fn count_throttled(limit: &'static str) {
    THROTTLED.get_or_create(&Throttled { limit }).inc();
}

/// Counts one request.
pub(crate) fn record(operation: &str, status: u16, took: Duration) {
    REQUESTS.get_or_create(&Outcome { operation: operation.to_owned(), status }).inc();
    DURATIONS.get_or_create(&Handled { operation: operation.to_owned() }).observe(took.as_secs_f64());
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut registry = Registry::with_prefix("bulkhead");
    registry.register("http_requests", "Requests by operation and status", REQUESTS.clone());
    registry.register("http_request_duration_seconds", "Time to the answer, by operation", DURATIONS.clone());
    registry.register("throttled", "Requests that a limit refused, by limit", THROTTLED.clone());
    registry.register("rls_violation", "Statements that row-level security refused", RLS_VIOLATIONS.clone());
    let hashed = "Passwords that were hashed, to compare them or to keep them";
    registry.register("passwords_hashed", hashed, PASSWORDS_HASHED.clone());
    let dropped = "Records of what clients did that were dropped";
    registry.register("usage_dropped", dropped, USAGE_DROPPED.clone());
    registry
});

/// `GET /metrics`
pub(crate) async fn metrics() -> HttpResponse {
    let mut text = String::new();
    match encode(&mut text, &REGISTRY) {
        Ok(()) => HttpResponse::Ok()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
