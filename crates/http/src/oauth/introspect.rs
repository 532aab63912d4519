//! Introspection (RFC 7662): what a token of the asking client's own tenant says. A token of another tenant is as
//! inactive as rubbish.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::refresh::RefreshToken;
use bulkhead_domain::ids::TenantId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::proof::prove_with_token;
use crate::extract::form::Form;
use crate::problem::Outcome;
use crate::worker::Worker;

/// A token, and the credentials of the client that asks.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
pub(crate) struct IntrospectionRequest {
    /// The token.
    token: String,
    /// A hint, which is not needed.
    #[schema(required = false)]
    token_type_hint: Option<String>,
    /// The client identifier, unless it is in the header.
    #[schema(required = false)]
    client_id: Option<String>,
    /// The secret, unless it is in the header.
    #[schema(required = false)]
    client_secret: Option<String>,
}

/// What is known of a token. Nothing but `active` when it is not valid here.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Introspection {
    /// Whether it is valid.
    active: bool,
    // Without `value_type`, the document would ask for all of them of an inactive token too.
    #[serde(flatten)]
    #[schema(value_type = Facts)]
    facts: Option<Facts>,
}

/// What a valid token says.
#[derive(Serialize, ToSchema)]
pub(crate) struct Facts {
    /// Its scopes, separated by blanks.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// Who asked for it.
    #[schema(required = false)]
    client_id: String,
    /// `Bearer`, or `refresh_token`.
    #[schema(required = false)]
    token_type: &'static str,
    /// When it ends, in Unix seconds.
    #[schema(required = false)]
    exp: i64,
    /// When it was made, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    /// The user, client or service.
    #[schema(required = false)]
    sub: Uuid,
    /// For whom it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    /// Who made it.
    #[schema(required = false)]
    iss: String,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    /// The tenant.
    #[schema(required = false)]
    tenant: Uuid,
}

/// `POST /oauth/introspect`
pub(crate) async fn introspect(
    request: HttpRequest,
    worker: Data<Worker>,
    Form(members): Form,
) -> Outcome<HttpResponse> {
    let (caller, token) = prove_with_token(&worker, &request, members).await?;
    let tenant = caller.tenant.id();
    let facts = match RefreshToken::parse(&token) {
        Some(refresh) => of_session(&worker, tenant, &refresh).await?,
        None => of_access_token(&worker, tenant, &token)?,
    };
    let answer = Introspection { active: facts.is_some(), facts };
    Ok(HttpResponse::Ok().json(answer))
}

fn of_access_token(worker: &Worker, tenant: TenantId, token: &str) -> Outcome<Option<Facts>> {
    let tokens = worker.tokens();
    let Ok(verified) = worker.verify(token) else { return Ok(None) };
    let principal = &verified.principal;
    if principal.tenant != tenant || !worker.state.is_believed(&verified)? {
        return Ok(None);
    }
    Ok(Some(Facts {
        scope: Some(principal.scopes.words().join(" ")),
        client_id: verified.client_id.clone(),
        token_type: "Bearer",
        exp: verified.expires_at,
        iat: Some(verified.issued_at),
        sub: principal.id,
        aud: Some(tokens.settings().audience.clone()),
        iss: tokens.settings().issuer.clone(),
        jti: Some(verified.id.simple().to_string()),
        tenant: tenant.uuid(),
    }))
}

/// A client's session. People's refresh tokens are nobody's business but theirs.
async fn of_session(worker: &Worker, tenant: TenantId, token: &RefreshToken) -> Outcome<Option<Facts>> {
    if token.tenant() != tenant {
        return Ok(None);
    }
    let digest = token.digest();
    let session = worker.auth.client_session(tenant, token.family(), digest.as_bytes()).await?;
    Ok(session.map(|session| Facts {
        scope: None,
        client_id: session.client.client_id.clone(),
        token_type: "refresh_token",
        exp: session.expires_at.timestamp(),
        iat: None,
        sub: session.client.id().uuid(),
        aud: None,
        iss: worker.tokens().settings().issuer.clone(),
        jti: None,
        tenant: tenant.uuid(),
    }))
}
