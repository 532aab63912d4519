//! `If-Match` and `If-None-Match` (RFC 9110 §13), and the entity tags they compare with.
//!
//! A tag is `"<version>.<digest of the body>"`. For a change only the version counts: it says that nobody else changed
//! the row. For a read the whole tag counts, because a row also shows what it derives from others.

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulkhead_domain::code::Code;
use futures_util::future::{Ready, ready};
use sha2::{Digest, Sha256};

use crate::problem::{Outcome, Problem};

/// The version that a change expects; `None` when the client does not say, or says `*`.
///
/// One tag, and a weak one counts like a strong one, against RFC 9110 §13.1.1: proxies that compress an answer make its tag weak,
/// and what counts here is the row's version, which no encoding changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IfMatch(pub(crate) Option<i64>);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Outcome<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(if_match(request.headers()))
    }
}

fn if_match(headers: &HeaderMap) -> Outcome<IfMatch> {
    let Some(value) = single(headers, &header::IF_MATCH)? else { return Ok(IfMatch(None)) };
    if value == "*" {
        return Ok(IfMatch(None));
    }
    let tag = value.strip_prefix("W/").unwrap_or(value);
    let tag = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|tag| !tag.contains('"'));
    match tag {
        Some(tag) => {
            let version = tag.split('.').next().and_then(|version| version.parse::<i64>().ok());
            // A tag that this server never made matches nothing.
            Ok(IfMatch(Some(version.filter(|version| *version > 0).unwrap_or(0))))
        }
        None => {
            Err(Problem::new(Code::InvalidHeader, "If-Match must be one entity tag in double quotes, or *."))
        }
    }
}

/// Whether the client already has what `tag` names.
pub(crate) fn already_known(request: &HttpRequest, tag: &str) -> bool {
    let values = request.headers().get_all(header::IF_NONE_MATCH);
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|candidate| {
        let candidate = candidate.trim();
        candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == tag
    })
}

/// The tag of a row in this version and with this body.
pub(crate) fn entity_tag(version: i64, body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let short = digest.first_chunk::<8>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).unwrap_or_default();
    format!("\"{version}.{short}\"")
}

/// The one value of a header that must not be repeated.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Outcome<Option<&'a str>> {
    let mut values = headers.get_all(name);
    let (first, second) = (values.next(), values.next());
    let malformed = || Problem::new(Code::InvalidHeader, format!("The header {name} is malformed."));
    match (first, second) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_not_ascii| malformed()),
        (Some(_), Some(_)) => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{self, HeaderMap, HeaderValue};

    use super::{entity_tag, if_match};

    #[test]
    fn if_match_compares_versions_and_refuses_what_is_no_tag() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, HeaderValue::from_str(value).unwrap());
            if_match(&headers).map(|found| found.0)
        };
        assert_eq!(read(&entity_tag(7, b"{}")).unwrap(), Some(7));
        assert_eq!(read("*").unwrap(), None);
        assert_eq!(read("\"someone-else's\"").unwrap(), Some(0), "matches no version");
        assert_eq!(read("\"-3.x\"").unwrap(), Some(0));
        assert_eq!(read(&format!("W/{}", entity_tag(7, b"{}"))).unwrap(), Some(7));
        for bad in ["7", "W/7", "w/\"7\"", "\"", "\"a\", \"b", "\"1.a\", \"2.b\"", ""] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
