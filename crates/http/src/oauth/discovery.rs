//! What clients discover: the authorization server (RFC 8414), its keys (RFC 7517) and the protected resource (RFC 9728).

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::keyset::JWKS_MAX_AGE;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::extract::precondition::{already_known, entity_tag};
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::routes;
use crate::worker::Worker;

const SERVER: &str = "/.well-known/oauth-authorization-server";
/// The path of the document about this API.
pub(crate) const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const KEYS: &str = "/.well-known/jwks.json";
/// The two ways in which a client may send its credentials.
const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];
/// These documents change with the configuration or the keys, and a key is published for longer than this before it
/// signs.
fn cached() -> (HeaderName, String) {
    (header::CACHE_CONTROL, format!("public, max-age={}", JWKS_MAX_AGE.as_secs()))
}

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Method::GET, SERVER, "oauth_server_metadata", Access::Public, server)
            .tag("oauth")
            .summary("The authorization server (RFC 8414)")
            .answers::<ServerMetadata>(200, "Where its endpoints are and what they take.", &[]),
        Endpoint::new(Method::GET, RESOURCE, "oauth_resource_metadata", Access::Public, resource)
            .tag("oauth")
            .summary("The protected resource (RFC 9728)")
            .answers::<ResourceMetadata>(200, "Whose tokens this API takes, and how.", &[]),
        Endpoint::new(Method::GET, KEYS, "oauth_jwks", Access::Public, keys)
            .tag("oauth")
            .summary("The keys that tokens are signed with (RFC 7517)")
            .answers::<KeySetDocument>(200, "The public keys: current, next and previous.", &[])
            .answers_plainly(304, "The client has them already.", None),
    ]
}

/// RFC 8414 §2.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerMetadata {
    /// The `iss` of its tokens.
    issuer: String,
    token_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    jwks_uri: String,
    /// Required by the standard; there is no authorization endpoint, so there are none.
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    scopes_supported: &'static [String],
    service_documentation: String,
}

/// RFC 9728 §2.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResourceMetadata {
    /// The API.
    resource: String,
    authorization_servers: Vec<String>,
    jwks_uri: String,
    scopes_supported: &'static [String],
    bearer_methods_supported: [&'static str; 1],
    resource_documentation: String,
}

/// A JWK Set.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the document, which the key set writes")]
pub(crate) struct KeySetDocument {
    /// The keys.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<Value>,
}

async fn server(worker: Data<Worker>) -> HttpResponse {
    let at = |path: &str| format!("{}{path}", worker.settings.public_url);
    let metadata = ServerMetadata {
        issuer: worker.tokens().settings().issuer.clone(),
        token_endpoint: at("/oauth/token"),
        introspection_endpoint: at("/oauth/introspect"),
        revocation_endpoint: at("/oauth/revoke"),
        jwks_uri: at(KEYS),
        response_types_supported: [],
        grant_types_supported: ["client_credentials"],
        token_endpoint_auth_methods_supported: METHODS,
        introspection_endpoint_auth_methods_supported: METHODS,
        revocation_endpoint_auth_methods_supported: METHODS,
        scopes_supported: routes::scopes(),
        service_documentation: at("/api/docs/"),
    };
    HttpResponse::Ok().insert_header(cached()).json(metadata)
}

async fn resource(worker: Data<Worker>) -> HttpResponse {
    let at = |path: &str| format!("{}{path}", worker.settings.public_url);
    let metadata = ResourceMetadata {
        resource: worker.settings.public_url.clone(),
        authorization_servers: vec![worker.tokens().settings().issuer.clone()],
        jwks_uri: at(KEYS),
        scopes_supported: routes::scopes(),
        bearer_methods_supported: ["header"],
        resource_documentation: at("/api/docs/"),
    };
    HttpResponse::Ok().insert_header(cached()).json(metadata)
}

async fn keys(request: HttpRequest, worker: Data<Worker>) -> Outcome<HttpResponse> {
    let body =
        serde_json::to_vec(&worker.tokens().keys().jwks()).map_err(|error| Problem::internal(&error))?;
    let tag = entity_tag(0, &body);
    if already_known(&request, &tag) {
        let mut response = HttpResponse::NotModified();
        return Ok(response.insert_header(cached()).insert_header((header::ETAG, tag)).finish());
    }
    let mut response = HttpResponse::Ok();
    response.insert_header(cached()).insert_header((header::ETAG, tag));
    Ok(response.content_type("application/json").body(body))
}
