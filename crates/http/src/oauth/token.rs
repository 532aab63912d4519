//! The token endpoint (RFC 6749 §4.4): client credentials against an access token, and no refresh token.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_domain::code::Code;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::credentials;
use super::grant::{self, Granted, grant};
use super::proof::prove_for_token;
use crate::extract::form::{Form, complaint};
use crate::problem::{Outcome, Problem};
use crate::respond::secret_ends;
use crate::worker::Worker;

/// What a client sends.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
pub(crate) struct TokenRequest {
    /// `client_credentials`.
    grant_type: String,
    /// Scopes, separated by blanks: part of what the client may do. All of it when left out.
    #[schema(required = false)]
    scope: Option<String>,
    /// The client identifier, unless it is in the header.
    #[schema(required = false)]
    client_id: Option<String>,
    /// The secret, unless it is in the header.
    #[schema(required = false)]
    client_secret: Option<String>,
    /// This API (RFC 8707): its public URL, or the audience of its tokens.
    #[schema(required = false)]
    resource: Option<String>,
}

/// An access token.
#[derive(Serialize, ToSchema)]
pub(crate) struct OauthToken {
    /// The access token: a JWT for the `Authorization` header.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that it lives.
    expires_in: i64,
    /// The scopes that it has, separated by blanks.
    scope: String,
}

/// `POST /oauth/token`
pub(crate) async fn token(
    request: HttpRequest,
    worker: Data<Worker>,
    Form(mut members): Form,
) -> Outcome<HttpResponse> {
    let credentials = credentials::read(&request, &mut members)?;
    match members.optional("grant_type")?.as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(Problem::new(
                Code::UnsupportedGrantType,
                "The one grant is client_credentials; people log in at /api/v1/auth/token/.",
            ));
        }
        None => return Err(complaint("grant_type", "This field is required.")),
    }
    let (scope, resource) = (members.optional("scope")?, members.optional("resource")?);
    if resource.is_some_and(|resource| !is_this_api(&worker, &resource)) {
        return Err(Problem::new(Code::InvalidTarget, "The resource is not this API."));
    }
    let proven = prove_for_token(&worker, &request, credentials).await?;
    let scopes = grant::scopes(&proven.client, scope.as_deref())?;
    let Granted { token, scope } = grant(&worker, &proven, &scopes, None)?;
    let mut response = HttpResponse::Ok();
    if let Some(ends) = secret_ends(proven.secret_ends()) {
        response.insert_header(ends);
    }
    Ok(response.json(OauthToken {
        access_token: token.token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: (token.expires_at - token.issued_at).num_seconds(),
        scope,
    }))
}

fn is_this_api(worker: &Worker, resource: &str) -> bool {
    let resource = resource.trim_end_matches('/');
    resource == worker.settings.public_url || resource == worker.tokens().settings().audience
}
