//! The reply that hands out a pair of tokens.

use actix_web::HttpResponse;
use actix_web::http::header;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::session::{Session, SessionError};

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Database(error) => error.into(),
            SessionError::Token(error) => Self::internal(&error),
        }
    }
}

/// A pair of tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenReply {
    /// The access token: a JWT for the `Authorization` header.
    access: String,
    /// The refresh token: opaque, good for one exchange.
    refresh: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that the access token lives.
    expires_in: i64,
    /// When the access token ends, in Unix seconds.
    access_expires_at: i64,
    /// When the session ends, in Unix seconds.
    refresh_expires_at: i64,
}

/// Writes the reply of a session. Never to be kept by any cache (RFC 6749 §5.1).
pub(crate) fn tokens(session: &Session) -> HttpResponse {
    let Session { access: issued, refresh, ends } = session;
    let reply = TokenReply {
        access: issued.token.expose_secret().to_owned(),
        refresh: refresh.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: (issued.expires_at - issued.issued_at).num_seconds(),
        access_expires_at: issued.expires_at.timestamp(),
        refresh_expires_at: ends.timestamp(),
    };
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(reply)
}
