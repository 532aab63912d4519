//! Revocation (RFC 7009): a client ends its own tokens. Whatever else is presented gets the same answer and is left alone.
//! RFC 7009 §2.1 would have a token of another client refused; but a distinct answer would tell that it is one.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::refresh::RefreshToken;
use bulkhead_domain::principal::PrincipalKind;
use bulkhead_domain::revocation::Revocation;

use super::proof::{Proven, prove_with_token};
use crate::extract::form::Form;
use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

/// `POST /oauth/revoke`
pub(crate) async fn revoke(
    request: HttpRequest,
    worker: Data<Worker>,
    Form(members): Form,
) -> Outcome<HttpResponse> {
    let (caller, token) = prove_with_token(&worker, &request, members).await?;
    let ended = match RefreshToken::parse(&token) {
        Some(refresh) => end_session(&worker, &caller, &refresh).await?,
        None => end_token(&worker, &caller, &token).await?,
    };
    match ended {
        Some(ended) => worker.state.revoke(ended),
        None => tracing::info!(
            security = true,
            client_id = caller.client.client_id,
            "a token that is not a live one of the client's was to be revoked"
        ),
    }
    Ok(HttpResponse::Ok().finish())
}

async fn end_token(worker: &Worker, caller: &Proven, token: &str) -> Outcome<Option<Revocation>> {
    let Ok(verified) = worker.verify(token) else { return Ok(None) };
    let principal = &verified.principal;
    let is_own = principal.tenant == caller.tenant.id()
        && principal.kind == PrincipalKind::Client
        && principal.id == caller.client.id().uuid();
    // What has ended already need not end again, or one token could fill the table.
    if !is_own || !worker.state.is_believed(&verified)? {
        return Ok(None);
    }
    Ok(Some(
        worker.auth.end_token(principal.tenant, verified.id).await.map_err(Problem::busy_is_unavailable)?,
    ))
}

async fn end_session(worker: &Worker, caller: &Proven, token: &RefreshToken) -> Outcome<Option<Revocation>> {
    if token.tenant() != caller.tenant.id() {
        return Ok(None);
    }
    let (client, digest) = (caller.client.id(), token.digest());
    let ended =
        worker.auth.end_client_session(token.tenant(), client, token.family(), digest.as_bytes()).await;
    ended.map_err(Problem::busy_is_unavailable)
}
