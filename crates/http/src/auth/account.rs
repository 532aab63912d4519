//! What a caller may ask about its own token and account.

use actix_web::http::{Method, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::UserId;
use bulkhead_domain::principal::PrincipalKind;
use bulkhead_persistence::crud::Entity as _;
use bulkhead_persistence::users::{User, Users};
use bulkhead_persistence::{ApiClient, ApiClients};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::BODIES;
use crate::context::{TenantCtx, disbelieved, host_of, on_its_host};
use crate::extract::form::Members;
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::respond;
use crate::worker::Worker;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/auth/token/verify/",
            "auth_token_verify_create",
            Access::Public,
            verify,
        )
        .tag("auth")
        .summary("Ask whether an access token is valid")
        .tries_credentials()
        .takes::<VerifyRequest>(BODIES)
        .answers::<VerifyReply>(200, "It is.", &[])
        .refuses(Code::TokenNotValid)
        .refuses(Code::CrossTenantAccess),
        Endpoint::new(Method::GET, "/api/v1/auth/me/", "auth_me_retrieve", Access::Authenticated, me)
            .tag("auth")
            .summary("Who am I")
            .answers::<MeReply>(200, "The person, the client or the service that the token belongs to.", &[])
            .refuses(Code::NotFound),
    ]
}

/// An access token.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
pub(crate) struct VerifyRequest {
    /// The access token.
    token: String,
}

/// A valid access token.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerifyReply {
    /// Always true; what is not valid is refused.
    valid: bool,
}

/// `POST /api/v1/auth/token/verify/`
pub(crate) async fn verify(
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let token = members.required("token")?;
    let verified = worker.verify(&token).map_err(|error| {
        tracing::info!(reason = %error, "token refused");
        Problem::new(Code::TokenNotValid, "Token is invalid or expired")
            .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"api\", error=\"invalid_token\"")
    })?;
    worker.state.believes(&verified).map_err(disbelieved)?;
    on_its_host(&worker, host_of(&request).as_deref(), verified.principal.tenant).await?;
    respond::json(&VerifyReply { valid: true })
}

/// Whom a token belongs to.
#[derive(Serialize, ToSchema)]
pub(crate) struct MeReply {
    /// The user's, the client's or the service token's id.
    id: Uuid,
    /// `user`, `client` or `service`.
    kind: &'static str,
    // Without `value_type`, the document would ask for both in every answer.
    #[serde(flatten)]
    #[schema(value_type = Person)]
    person: Option<Person>,
    #[serde(flatten)]
    #[schema(value_type = Client)]
    client: Option<Client>,
    /// The scopes of this token.
    scopes: Vec<String>,
    /// The tenant's id.
    tenant_id: Uuid,
    /// The tenant's slug.
    tenant_slug: String,
}

/// What is said of a person only.
#[derive(Serialize, ToSchema)]
pub(crate) struct Person {
    /// The e-mail address.
    #[schema(required = false)]
    email: String,
    /// The first name.
    #[schema(required = false)]
    first_name: String,
    /// The last name.
    #[schema(required = false)]
    last_name: String,
    /// The user name.
    #[schema(required = false)]
    username: String,
    /// The role within the tenant.
    #[schema(required = false)]
    role: String,
}

/// What is said of an API client only.
#[derive(Serialize, ToSchema)]
pub(crate) struct Client {
    /// The client identifier.
    #[schema(required = false)]
    client_id: String,
    /// The client's name.
    #[schema(required = false)]
    name: String,
    /// The client's roles.
    #[schema(required = false)]
    roles: Vec<String>,
}

/// `GET /api/v1/auth/me/`
pub(crate) async fn me(ctx: TenantCtx) -> Outcome<HttpResponse> {
    let principal = ctx.principal();
    let (mut person, mut client) = (None, None);
    match principal.kind {
        PrincipalKind::User => {
            let user = Users::get(ctx.db(), UserId::from_uuid(principal.id)).await?;
            let User { email, first_name, last_name, username, role, .. } = user;
            person = Some(Person { email, first_name, last_name, username, role });
        }
        PrincipalKind::Client => {
            let ApiClient { client_id, name, roles, .. } = ApiClients::get(ctx.db(), principal.id).await?;
            client = Some(Client { client_id, name, roles });
        }
        PrincipalKind::Service => {}
    }
    respond::json(&MeReply {
        id: principal.id,
        kind: principal.kind.as_str(),
        person,
        client,
        scopes: principal.scopes.words(),
        tenant_id: principal.tenant.uuid(),
        tenant_slug: principal.tenant_slug.clone(),
    })
}
