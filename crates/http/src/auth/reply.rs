//! The reply that hands out a pair of tokens.

use actix_web::HttpResponse;
use actix_web::http::header;
use bulkhead_auth::token::{Issued, UserToken};
use bulkhead_domain::ids::FamilyId;
use bulkhead_persistence::credentials::{Account, DirectoryEntry};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

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

/// Issues an access token for an account and writes the reply. Never to be kept by any cache (RFC 6749 §5.1).
pub(crate) fn tokens(
    worker: &Worker,
    tenant: &DirectoryEntry,
    account: &Account,
    session: (FamilyId, DateTime<Utc>),
    refresh: &SecretString,
) -> Outcome<HttpResponse> {
    let (family, ends) = session;
    let user = UserToken {
        tenant: tenant.id(),
        tenant_slug: &tenant.slug,
        user: account.id(),
        username: &account.username,
        email: Some(&account.email),
        role: account.role()?,
        session: family,
        token_version: account.token_epoch,
        tenant_version: tenant.token_epoch,
    };
    let issued: Issued =
        worker.services.tokens.issue_user(&user).map_err(|error| Problem::internal(&error))?;
    let reply = TokenReply {
        access: issued.token.expose_secret().to_owned(),
        refresh: refresh.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: (issued.expires_at - issued.issued_at).num_seconds(),
        access_expires_at: issued.expires_at.timestamp(),
        refresh_expires_at: ends.timestamp(),
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(reply))
}
