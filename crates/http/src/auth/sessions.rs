//! A person's sessions: which there are, and ending them. Logging out ends the session of the refresh token that is sent, or else
//! that of the access token.

use actix_web::http::{Method, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::refresh::RefreshToken;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::{FamilyId, UserId};
use bulkhead_domain::principal::PrincipalKind;
use bulkhead_persistence::error::DbError;
use bulkhead_persistence::families::OpenSession;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::reply::Keeping;
use super::{BODIES, cookie, end_links, refresh};
use crate::context::{TenantCtx, bearer, token_not_valid};
use crate::extract::form::Anything;
use crate::extract::id::PathId;
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::respond::{self, Message};
use crate::worker::Worker;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let sessions = "/api/v1/auth/sessions/";
    vec![
        Endpoint::new(Method::POST, "/api/v1/auth/logout/", "auth_logout_create", Access::Public, log_out)
            .tag("auth")
            .summary("Log out")
            .about(
                "Ends the session of the refresh token in the body or in the cookie, or else that of the access token. \
                 Its access tokens end at once. A session that has ended already can be ended again.",
            )
            .tries_credentials()
            .takes_optionally::<refresh::RefreshRequest>(BODIES)
            .answers::<Message>(200, "Logged out.", &[])
            .refuses(Code::PermissionDenied)
            .refuses(Code::TokenNotValid),
        Endpoint::new(
            Method::POST,
            "/api/v1/auth/logout-everywhere/",
            "auth_logout_everywhere_create",
            Access::Authenticated,
            log_out_everywhere,
        )
        .tag("auth")
        .summary("End all of my sessions")
        .about("This one included. Links to accounts in other tenants end too.")
        .answers::<Message>(200, "Logged out everywhere.", &[])
        .refuses(Code::PermissionDenied),
        Endpoint::new(Method::GET, sessions, "auth_sessions_list", Access::Authenticated, list)
            .tag("auth")
            .summary("List my sessions")
            .answers_array::<SessionReply>("The sessions that can be refreshed, the last used first.", &[])
            .refuses(Code::PermissionDenied),
        Endpoint::new(
            Method::DELETE,
            format!("{sessions}{{id}}/"),
            "auth_sessions_destroy",
            Access::Authenticated,
            destroy,
        )
        .tag("auth")
        .summary("End one of my sessions")
        .answers_plainly(204, "Ended.", None)
        .refuses(Code::PermissionDenied),
    ]
}

/// A session of one's own.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionReply {
    /// Its id.
    id: Uuid,
    /// Whether it is the one that asks.
    current: bool,
    /// When it was opened.
    created_at: DateTime<Utc>,
    /// When it was last refreshed.
    last_used_at: DateTime<Utc>,
    /// When it ends, however often it is refreshed.
    expires_at: DateTime<Utc>,
    /// The address that it was opened from.
    ip_address: Option<String>,
    /// The program that opened it, as it called itself.
    user_agent: String,
}

/// `POST /api/v1/auth/logout/`
async fn log_out(request: HttpRequest, worker: Data<Worker>, body: Anything) -> Outcome<HttpResponse> {
    let mut members = body.0;
    let has_cookie = worker.services.refresh.cookie && cookie::in_cookie(request.headers()).is_some();
    let has_token = members.has("refresh") || has_cookie;
    let keeping = if has_token {
        let (text, keeping) = cookie::brought(&request, &worker, &mut members)?;
        let token = RefreshToken::parse(&text).ok_or_else(refresh::refused)?;
        refresh::end(&worker, &token).await?;
        keeping
    } else {
        end_of_access_token(&request, &worker).await?;
        Keeping::Body
    };
    let mut response = respond::message("Successfully logged out")?;
    if keeping == Keeping::Cookie
        && let Ok(removed) = cookie::removed().parse()
    {
        response.headers_mut().insert(header::SET_COOKIE, removed);
    }
    Ok(response)
}

/// A token of a session that has ended already is as good as one of a live session: whoever has it wants it to be over.
async fn end_of_access_token(request: &HttpRequest, worker: &Data<Worker>) -> Outcome<()> {
    let verified = worker.verify(bearer(request)?).map_err(|error| {
        tracing::info!(reason = %error, "token refused");
        token_not_valid()
    })?;
    let principal = &verified.principal;
    let session = principal.session.filter(|_| principal.kind == PrincipalKind::User);
    let session = session.ok_or_else(token_not_valid)?;
    let user = UserId::from_uuid(principal.id);
    match worker.auth.end_session(principal.tenant, Some(user), session).await {
        Ok(ended) => worker.state.revoke(ended),
        Err(DbError::NotFound) => {}
        Err(error) => return Err(Problem::busy_is_unavailable(error)),
    }
    Ok(())
}

/// `POST /api/v1/auth/logout-everywhere/`
async fn log_out_everywhere(ctx: TenantCtx, worker: Data<Worker>) -> Outcome<HttpResponse> {
    let user = ctx.person()?;
    end_links(&worker, ctx.principal().tenant, user).await?;
    let ended = worker.auth.end_sessions(ctx.scope(), user).await.map_err(Problem::busy_is_unavailable)?;
    worker.state.revoke(ended);
    respond::message("Successfully logged out everywhere")
}

/// `GET /api/v1/auth/sessions/`
async fn list(ctx: TenantCtx, worker: Data<Worker>) -> Outcome<HttpResponse> {
    let user = ctx.person()?;
    let current = ctx.principal().session.map(FamilyId::uuid);
    let idle = worker.services.refresh.idle;
    let sessions = worker.auth.sessions(ctx.principal().tenant, user, idle).await?;
    let replies = sessions.into_iter().map(|session| {
        let OpenSession { id, created_at, last_used_at, expires_at, ip_address, user_agent } = session;
        let current = current == Some(id);
        SessionReply { id, current, created_at, last_used_at, expires_at, ip_address, user_agent }
    });
    respond::json(&replies.collect::<Vec<_>>())
}

/// `DELETE /api/v1/auth/sessions/{id}/`
async fn destroy(ctx: TenantCtx, worker: Data<Worker>, id: PathId) -> Outcome<HttpResponse> {
    let (user, family) = (ctx.person()?, FamilyId::from_uuid(id.0));
    worker.state.revoke(worker.auth.end_session(ctx.principal().tenant, Some(user), family).await?);
    Ok(HttpResponse::NoContent().finish())
}
