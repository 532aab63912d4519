//! Exchange of a refresh token for a new pair.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::refresh::RefreshToken;
use bulkhead_domain::code::Code;
use bulkhead_domain::revocation::{Revocation, Subject};
use bulkhead_persistence::families::{Rotated, Rotation, RotationOf};
use serde::Deserialize;
use utoipa::ToSchema;

use super::cookie;
use super::reply::tokens;
use crate::extract::form::Members;
use crate::problem::{Outcome, Problem};
use crate::session::{Session, access_token};
use crate::worker::Worker;

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
pub(crate) struct RefreshRequest {
    /// The refresh token. May be left out by a page that has it in a cookie.
    #[schema(required = false)]
    refresh: Option<String>,
}

/// `POST /api/v1/auth/token/refresh/`
pub(crate) async fn refresh(
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let (text, keeping) = cookie::brought(&request, &worker, &mut members)?;
    let presented = RefreshToken::parse(&text).ok_or_else(refused)?;
    let signing = Arc::clone(&worker.services.keyring.current());
    let successors: Vec<_> = signing.peppers.iter().map(|pepper| presented.successor(pepper)).collect();
    let digests: Vec<[u8; 32]> = successors.iter().map(|successor| *successor.digest.as_bytes()).collect();
    let (lineage, digest) = (presented.lineage(), presented.digest());
    let hashes = RotationOf {
        lineage: lineage.as_bytes(),
        presented: digest.as_bytes(),
        successors: &digests,
        grace: worker.services.refresh.grace,
        idle: worker.services.refresh.idle,
    };
    let (tenant, family) = (presented.tenant(), presented.family());
    match worker.auth.rotate(tenant, family, hashes).await.map_err(Problem::busy_is_unavailable)? {
        Rotation::Rotated { holder, successor } => {
            if !still_linked(&worker, &holder).await? {
                end(&worker, &presented).await?;
                return Err(refused());
            }
            let successor = successors.into_iter().nth(successor);
            let refresh =
                successor.ok_or_else(|| Problem::internal(&"a successor that nobody offered"))?.plain;
            let access = access_token(&signing.tokens, &holder.tenant, &holder.account, family)?;
            Ok(tokens(&Session { access, refresh, ends: holder.ends }, keeping))
        }
        Rotation::Replayed => {
            worker.state.revoke(Revocation { tenant, subject: Subject::Session(family), epoch: 0 });
            tracing::warn!(security = true, %tenant, session = %family, "a used refresh token came back; session revoked");
            Err(refused())
        }
        Rotation::Refused => Err(refused()),
    }
}

/// Whether the link that opened the session still holds, on both sides. Of most sessions there is none.
async fn still_linked(worker: &Worker, holder: &Rotated) -> Outcome<bool> {
    let Some(via) = holder.via() else { return Ok(true) };
    for tenant in [holder.tenant.id(), via.tenant] {
        let half = worker.auth.half(tenant, via.link).await.map_err(Problem::busy_is_unavailable)?;
        if !half.is_some_and(|half| half.holds()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Ends the session of a genuine token. Whether there was one to end.
pub(super) async fn end(worker: &Worker, token: &RefreshToken) -> Outcome<bool> {
    let lineage = token.lineage();
    let ended = worker.auth.end_session_of_token(token.tenant(), token.family(), lineage.as_bytes()).await;
    let ended = ended.map_err(Problem::busy_is_unavailable)?;
    ended.into_iter().for_each(|ended| worker.state.revoke(ended));
    Ok(ended.is_some())
}

pub(super) fn refused() -> Problem {
    Problem::new(Code::TokenNotValid, "Token is invalid or expired")
        .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"api\", error=\"invalid_token\"")
}
