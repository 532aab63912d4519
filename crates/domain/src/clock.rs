//! The one place that reads the wall clock. Everything else is handed a time, or asks here.

use chrono::{DateTime, Utc};

/// The current time in UTC.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that may")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
