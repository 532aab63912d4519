//! What an answer says of the limits that its request was counted against: the fields of
//! draft-ietf-httpapi-ratelimit-headers, and the older `X-RateLimit-` ones, which know one limit only.

use std::fmt::Write as _;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use bulkhead_auth::limits::Decision;
use bulkhead_domain::clock::now;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The fields with their meaning, for the OpenAPI document.
pub(crate) const FIELDS: [(&str, &str); 5] = [
    (
        "RateLimit-Policy",
        "The limits that apply: `\"principal\";q=1000;w=3600` is 1000 requests in 3600 seconds.",
    ),
    (
        "RateLimit",
        "What is left of each: `\"principal\";r=987;t=4` is 987 requests, and one more in 4 seconds at the latest.",
    ),
    ("X-RateLimit-Limit", "Requests of the limit of which least is left."),
    ("X-RateLimit-Remaining", "Requests that are left of it."),
    ("X-RateLimit-Reset", "When all of it is there again, in Unix seconds, if it is not used meanwhile."),
];

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Of all requests of one user, client or service.
    Principal,
    /// Of all requests of one tenant.
    Tenant,
    /// Of attempts with credentials from one address.
    Credentials,
    /// Of look-ups of names from one address.
    Lookup,
    /// Of attempts from one address to get tokens as one account.
    Account,
}

impl Policy {
    /// The name in header fields and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::Tenant => "tenant",
            Self::Credentials => "credentials",
            Self::Lookup => "lookup",
            Self::Account => "account",
        }
    }
}

/// Everything that was decided about one request. Kept in its extensions until the answer is written.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(Policy, Decision)>);

impl Report {
    /// Adds a decision.
    pub(crate) fn add(&mut self, policy: Policy, decision: Decision) {
        self.0.push((policy, decision));
    }

    /// Seconds until no limit stands in the way of the next request.
    pub(crate) fn wait(&self) -> u64 {
        let used_up = self.0.iter().filter(|(_, decision)| decision.remaining == 0);
        seconds(used_up.map(|(_, decision)| decision.wait).max().unwrap_or_default())
    }

    /// Writes the fields.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let (mut policies, mut states) = (String::new(), String::new());
        for (policy, decision) in &self.0 {
            let separator = if policies.is_empty() { "" } else { ", " };
            let (name, window) = (policy.as_str(), decision.window.as_secs());
            let (limit, remaining, wait) = (decision.limit, decision.remaining, seconds(decision.wait));
            // Writing to a text cannot fail.
            let _ = write!(policies, "{separator}\"{name}\";q={limit};w={window}");
            let _ = write!(states, "{separator}\"{name}\";r={remaining};t={wait}");
        }
        let texts = [(POLICY, policies), (STATE, states)];
        for (name, text) in texts {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
        let decisions = self.0.iter().map(|(_, decision)| decision);
        if let Some(tightest) = decisions.min_by_key(|decision| (decision.allowed, decision.remaining)) {
            let full_in = i64::try_from(seconds(tightest.full_in)).unwrap_or(i64::MAX);
            headers.insert(LIMIT, tightest.limit.into());
            headers.insert(REMAINING, tightest.remaining.into());
            headers.insert(RESET, now().timestamp().saturating_add(full_in).into());
        }
    }
}

/// Whole seconds, at least 1: whoever waits for so long has not come too early.
fn seconds(time: Duration) -> u64 {
    let more = u64::from(time.subsec_nanos() > 0);
    time.as_secs().saturating_add(more).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::http::header::HeaderMap;
    use bulkhead_auth::limits::Decision;

    use super::{Policy, Report, seconds};

    const HOUR: Duration = Duration::from_secs(3600);

    fn decision(allowed: bool, limit: u32, remaining: u32) -> Decision {
        let wait = Duration::from_millis(3600);
        Decision { allowed, limit, remaining, wait, full_in: HOUR, window: HOUR }
    }

    fn written(report: &Report) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        report.write(&mut headers);
        let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap().to_owned();
        let mut all: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        all.sort();
        all
    }

    #[test]
    fn all_limits_stand_in_the_new_fields_and_the_tightest_in_the_old() {
        let mut report = Report::default();
        report.add(Policy::Principal, decision(true, 1000, 987));
        report.add(Policy::Tenant, decision(true, 5000, 12));
        let fields = written(&report);
        let known = |name: &str, value: &str| fields.contains(&(name.to_owned(), value.to_owned()));
        assert!(known("ratelimit-policy", "\"principal\";q=1000;w=3600, \"tenant\";q=5000;w=3600"));
        assert!(known("ratelimit", "\"principal\";r=987;t=4, \"tenant\";r=12;t=4"));
        assert!(known("x-ratelimit-limit", "5000") && known("x-ratelimit-remaining", "12"));
        assert_eq!(fields.len(), 5, "{fields:?}");
    }

    #[test]
    fn what_refuses_is_the_tightest_even_beside_another_of_which_nothing_is_left() {
        let mut report = Report::default();
        report.add(Policy::Principal, Decision { wait: HOUR, ..decision(true, 5, 0) });
        report.add(Policy::Tenant, decision(false, 7, 0));
        assert!(written(&report).contains(&("x-ratelimit-limit".to_owned(), "7".to_owned())));
        assert_eq!(report.wait(), 3600, "the next request would meet the other one");
    }

    #[test]
    fn seconds_are_rounded_up_and_never_zero() {
        for (nanos, expected) in [(0, 1), (1, 1), (1_000_000_000, 1), (1_000_000_001, 2)] {
            assert_eq!(seconds(Duration::from_nanos(nanos)), expected);
        }
        assert_eq!(seconds(Duration::MAX), u64::MAX);
    }
}
