//! The refresh token in a cookie, for pages whose scripts shall not see it. The cookie is HttpOnly, Secure, SameSite=Strict and
//! goes to the paths of log-in and sessions only. That alone lets a page of a neighbouring subdomain use it, so whoever comes
//! with it must also say, by its `Origin`, that it is a page that may call (OWASP CSRF prevention, "standard headers").

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Data;
use bulkhead_domain::clock::now;
use bulkhead_domain::code::Code;
use secrecy::ExposeSecret as _;

use crate::cors;
use crate::extract::form::Members;
use crate::problem::{Outcome, Problem};
use crate::session::Session;
use crate::worker::Worker;

use super::reply::Keeping;

/// The prefix makes browsers refuse it without Secure (RFC 6265bis §4.1.3.1).
const NAME: &str = "__Secure-bulkhead-refresh";
const ATTRIBUTES: &str = "Path=/api/v1/auth/; HttpOnly; Secure; SameSite=Strict";

/// Whether the page that asks may have its refresh token in a cookie.
///
/// # Errors
/// The operator does not offer it; or the page is not one that may call.
pub(super) fn offered(request: &HttpRequest, worker: &Data<Worker>) -> Outcome<()> {
    if !worker.services.refresh.cookie {
        return Err(Problem::new(Code::NotOffered, "This server keeps no refresh tokens in cookies."));
    }
    let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let may_call = text(header::ORIGIN).is_some_and(|origin| {
        // A page of the very host that is called: nobody else can make a browser say so.
        let of_host = origin.split_once("://").map(|(_, host)| host) == text(header::HOST);
        of_host || origin == worker.settings.public_url || cors::allows(&worker.settings.cors, origin)
    });
    if may_call {
        return Ok(());
    }
    Err(Problem::new(Code::PermissionDenied, "A page of this origin may not use cookies here."))
}

/// The refresh token that a request brings, and where it was kept: in the body, or else in the cookie.
///
/// # Errors
/// It has none; or it has a cookie and comes from a page that may not call.
pub(super) fn brought(
    request: &HttpRequest,
    worker: &Data<Worker>,
    members: &mut Members,
) -> Outcome<(String, Keeping)> {
    if let Some(token) = in_cookie(request.headers())
        && worker.services.refresh.cookie
        && !members.has("refresh")
    {
        return offered(request, worker).map(|()| (token, Keeping::Cookie));
    }
    members.required("refresh").map(|token| (token, Keeping::Body))
}

/// The cookie's value, if there is exactly one.
pub(super) fn in_cookie(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).filter_map(|line| line.to_str().ok());
    let mut found = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == NAME)
        .map(|(_, value)| value.to_owned());
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The field that sets the cookie of a session.
pub(super) fn with(session: &Session) -> String {
    let life = (session.ends - now()).num_seconds().max(0);
    format!("{NAME}={}; Max-Age={life}; {ATTRIBUTES}", session.refresh.expose_secret())
}

/// The field that removes the cookie.
pub(super) fn removed() -> String {
    format!("{NAME}=; Max-Age=0; {ATTRIBUTES}")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{self, HeaderMap, HeaderValue};

    use super::{NAME, in_cookie};

    #[test]
    fn one_cookie_of_the_name_counts_and_two_of_them_none() {
        let read = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
            }
            in_cookie(&headers)
        };
        assert_eq!(read(&[&format!("a=b; {NAME}=x; c=d")]).as_deref(), Some("x"));
        assert_eq!(read(&[&format!("{NAME}=x; {NAME}=y")]), None, "a neighbour may have planted one");
        assert_eq!(read(&[&format!("{NAME}=x"), &format!("{NAME}=y")]), None);
        assert_eq!(read(&["other=x", "broken", ""]), None);
    }
}
