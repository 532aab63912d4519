//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a client's name for one attempt, so that a blind retry
//! does the work once.

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest};
use bulkhead_domain::code::Code;
use bulkhead_persistence::idempotency::RetryKey;
use futures_util::future::{Ready, ready};
use sha2::{Digest, Sha256};

use super::precondition::single;
use crate::problem::{Outcome, Problem};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST: usize = 255;

/// The key of this request, if it has one, and what it is for.
pub(crate) struct IdempotencyKey {
    key: Option<String>,
    target: String,
}

impl IdempotencyKey {
    /// The key together with the fingerprint of the whole request.
    pub(crate) fn for_body(self, body: &[u8]) -> Option<RetryKey> {
        let Self { key, target } = self;
        let mut hash = Sha256::new();
        hash.update(target.as_bytes());
        hash.update([0]);
        hash.update(body);
        key.map(|key| RetryKey { key, fingerprint: hash.finalize().into() })
    }
}

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Outcome<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = single(request.headers(), &HEADER).and_then(|value| value.map(read_key).transpose());
        // With and without the final slash is the same target.
        let target = format!("{} {}", request.method(), request.path().trim_end_matches('/'));
        ready(key.map(|key| Self { key, target }))
    }
}

/// A structured-field string in quotes; bare as well, as Stripe's users write it.
fn read_key(value: &str) -> Outcome<String> {
    let key = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let sound =
        (1..=LONGEST).contains(&key.len()) && key.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"');
    if !sound {
        let detail = format!("Idempotency-Key must be 1 to {LONGEST} printable ASCII characters.");
        return Err(Problem::new(Code::InvalidHeader, detail));
    }
    Ok(key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::read_key;

    #[test]
    fn a_key_is_printable_bounded_and_the_same_with_or_without_quotes() {
        assert_eq!(read_key("\"abc\"").unwrap(), read_key("abc").unwrap());
        for bad in ["", "\"\"", "a\"b", &"x".repeat(256)] {
            assert!(read_key(bad).is_err(), "{bad}");
        }
    }
}
