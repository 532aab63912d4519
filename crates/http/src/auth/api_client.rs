//! The token endpoints that the older systems had for clients: JSON or form against an access token and a refresh token
//! that is used again and again until it ends. New clients use `/oauth/token`.

use actix_web::http::{Method, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::refresh::{self, RefreshToken};
use bulkhead_auth::token::Issued;
use bulkhead_domain::clock::now;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::FamilyId;
use bulkhead_persistence::client_credentials::NewClientSession;
use bulkhead_persistence::error::DbError;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BODIES;
use super::refresh::RefreshRequest;
use crate::extract::form::Members;
use crate::oauth::credentials;
use crate::oauth::grant::{self, Granted, grant};
use crate::oauth::proof::{self, Proven, prove_for_token};
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::respond::secret_ends;
use crate::worker::Worker;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/auth/api-client/token/",
            "auth_api_client_token_create",
            Access::Public,
            token,
        )
        .tries_credentials()
        .tag("auth")
        .summary("Get tokens for an API client")
        .about("As the older systems had it. OAuth 2 libraries use `/oauth/token`.")
        .takes::<ClientTokenRequest>(BODIES)
        .answers::<ClientTokenReply>(200, "An access token and a refresh token.", &[])
        .refuses(Code::AuthenticationFailed),
        Endpoint::new(
            Method::POST,
            "/api/v1/auth/api-client/token/refresh/",
            "auth_api_client_token_refresh_create",
            Access::Public,
            refresh,
        )
        .tries_credentials()
        .tag("auth")
        .summary("Get another access token for an API client")
        .about("The refresh token stays good and can be used again.")
        .takes::<RefreshRequest>(BODIES)
        .answers::<ClientTokenReply>(200, "A new access token.", &[])
        .refuses(Code::TokenNotValid),
    ]
}

/// A client's credentials; they may be in a `Basic` header instead.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
pub(crate) struct ClientTokenRequest {
    /// The client identifier.
    #[schema(required = false)]
    client_id: Option<String>,
    /// The secret.
    #[schema(required = false)]
    client_secret: Option<String>,
    /// Scopes, separated by blanks: part of what the client may do. All of it when left out.
    #[schema(required = false)]
    scope: Option<String>,
}

/// A client's pair of tokens, under the names of the older systems and of OAuth.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientTokenReply {
    /// The access token: a JWT for the `Authorization` header.
    access: String,
    /// The same, as OAuth calls it.
    access_token: String,
    /// The refresh token: opaque, good until `refresh_token_expires_at`. None when only part of the scopes was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that the access token lives.
    expires_in: i64,
    /// When the access token ends, in Unix seconds.
    access_token_expires_at: i64,
    /// When the refresh token ends, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token_expires_at: Option<i64>,
    /// The scopes that it has, separated by blanks.
    scope: String,
}

/// `POST /api/v1/auth/api-client/token/`
pub(crate) async fn token(
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let credentials = credentials::read(&request, &mut members)?;
    let scope = members.optional("scope")?;
    let proven = prove_for_token(&worker, &request, credentials).await?;
    let scopes = grant::scopes(&proven.client, scope.as_deref())?;
    if !scopes.covers(&proven.client.rights()) {
        // A refresh gives the client's rights as they are then. Whoever asked for less must not get more by it
        // (RFC 6749 §6), so there is none.
        return Ok(reply(grant(&worker, &proven, &scopes, None)?, None, &proven));
    }
    let Proven { tenant, client, secret, .. } = &proven;
    let session = FamilyId::generate();
    let first = refresh::generate(tenant.id(), session);
    let ends = [Some(now() + worker.services.refresh.lifetime), client.expires_at, secret.expires_at];
    let ends = ends.into_iter().flatten().min().unwrap_or_else(now);
    let new = NewClientSession {
        id: session,
        client: client.id(),
        secret: secret.id(),
        token: first.digest.as_bytes(),
        token_epoch: client.token_epoch,
        expires_at: ends,
    };
    worker.auth.open_client_session(tenant.id(), new).await.map_err(|error| match error {
        // The client was removed since its secret was checked.
        DbError::BadReference(_) => proof::refused(false),
        other => Problem::busy_is_unavailable(other),
    })?;
    let granted = grant(&worker, &proven, &scopes, Some(session))?;
    let refresh = (first.plain.expose_secret().to_owned(), ends.timestamp());
    Ok(reply(granted, Some(refresh), &proven))
}

/// `POST /api/v1/auth/api-client/token/refresh/`
pub(crate) async fn refresh(
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let presented = RefreshToken::parse(&members.required("refresh")?).ok_or_else(refused)?;
    let (tenant, digest) = (presented.tenant(), presented.digest());
    let session = worker.auth.client_session(tenant, presented.family(), digest.as_bytes()).await?;
    let proven = session.and_then(|session| proof::of_session(&worker, &request, session));
    let proven = proven.ok_or_else(refused)?;
    let granted = grant(&worker, &proven, &proven.client.rights(), Some(presented.family()))?;
    Ok(reply(granted, None, &proven))
}

fn reply(granted: Granted, refresh: Option<(String, i64)>, proven: &Proven) -> HttpResponse {
    let Granted { token: Issued { token, issued_at, expires_at }, scope } = granted;
    let access = token.expose_secret().to_owned();
    let (refresh, refresh_token_expires_at) = refresh.unzip();
    let reply = ClientTokenReply {
        access_token: access.clone(),
        access,
        refresh,
        token_type: "Bearer",
        expires_in: (expires_at - issued_at).num_seconds(),
        access_token_expires_at: expires_at.timestamp(),
        refresh_token_expires_at,
        scope,
    };
    let mut response = HttpResponse::Ok();
    if let Some(ends) = secret_ends(proven.secret_ends()) {
        response.insert_header(ends);
    }
    response.json(reply)
}

fn refused() -> Problem {
    Problem::new(Code::TokenNotValid, "Invalid or expired refresh token")
        .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"api\", error=\"invalid_token\"")
}
