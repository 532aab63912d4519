//! The reply that hands out a pair of tokens; the refresh token in the body, or in a cookie.

use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use super::cookie;
use crate::extract::form::{Members, complaint};
use crate::problem::{Outcome, Problem};
use crate::session::{Session, SessionError};
use crate::worker::Worker;

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Database(error) => error.into(),
            SessionError::Token(error) => Self::internal(&error),
        }
    }
}

/// Where a refresh token is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// By the client, which finds it in the answer.
    Body,
    /// By the browser, out of reach of scripts.
    Cookie,
}

impl Keeping {
    /// Reads `refresh_in`.
    ///
    /// # Errors
    /// It is neither word; or it is `cookie`, and that is not offered, or not to the page that asks.
    pub(crate) fn read(request: &HttpRequest, worker: &Data<Worker>, members: &mut Members) -> Outcome<Self> {
        match members.optional("refresh_in")?.as_deref() {
            None | Some("body") => Ok(Self::Body),
            Some("cookie") => cookie::offered(request, worker).map(|()| Self::Cookie),
            Some(_) => Err(complaint("refresh_in", "Write body or cookie.")),
        }
    }
}

/// A pair of tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenReply {
    /// The access token: a JWT for the `Authorization` header.
    access: String,
    /// The refresh token: opaque, good for one exchange. Left out when it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that the access token lives.
    expires_in: i64,
    /// When the access token ends, in Unix seconds.
    access_expires_at: i64,
    /// When the session ends, in Unix seconds.
    refresh_expires_at: i64,
}

impl TokenReply {
    /// The reply of a session.
    pub(crate) fn of(session: &Session, keeping: Keeping) -> Self {
        let Session { access: issued, refresh, ends } = session;
        Self {
            access: issued.token.expose_secret().to_owned(),
            refresh: (keeping == Keeping::Body).then(|| refresh.expose_secret().to_owned()),
            token_type: "Bearer",
            expires_in: (issued.expires_at - issued.issued_at).num_seconds(),
            access_expires_at: issued.expires_at.timestamp(),
            refresh_expires_at: ends.timestamp(),
        }
    }
}

/// Writes the reply of a session.
pub(crate) fn tokens(session: &Session, keeping: Keeping) -> HttpResponse {
    with_tokens(StatusCode::OK, session, keeping, &TokenReply::of(session, keeping))
}

/// Writes a reply with a session's tokens in it. Never to be kept by any cache (RFC 6749 §5.1).
pub(crate) fn with_tokens(
    status: StatusCode,
    session: &Session,
    keeping: Keeping,
    reply: &impl Serialize,
) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"));
    if keeping == Keeping::Cookie {
        response.insert_header((header::SET_COOKIE, cookie::with(session)));
    }
    response.json(reply)
}
