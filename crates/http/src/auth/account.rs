//! What a caller may ask about its own token and account.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::UserId;
use bulkhead_persistence::users::Users;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::context::{TenantCtx, disbelieved};
use crate::extract::form::Members;
use crate::problem::{Outcome, Problem};
use crate::respond;
use crate::worker::Worker;

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
pub(crate) async fn verify(worker: Data<Worker>, mut members: Members) -> Outcome<HttpResponse> {
    let token = members.required("token")?;
    let verified = worker.verify(&token).map_err(|error| {
        tracing::info!(reason = %error, "token refused");
        Problem::new(Code::TokenNotValid, "Token is invalid or expired")
            .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"api\", error=\"invalid_token\"")
    })?;
    worker.state.believes(&verified).map_err(disbelieved)?;
    respond::json(&VerifyReply { valid: true })
}

/// The person that a token belongs to.
#[derive(Serialize, ToSchema)]
pub(crate) struct MeReply {
    /// The user's id.
    id: Uuid,
    /// The e-mail address.
    email: String,
    /// The first name.
    first_name: String,
    /// The last name.
    last_name: String,
    /// The user name.
    username: String,
    /// The role within the tenant.
    role: String,
    /// The scopes of this token.
    scopes: Vec<String>,
    /// The tenant's id.
    tenant_id: Uuid,
    /// The tenant's slug.
    tenant_slug: String,
}

/// `GET /api/v1/auth/me/`
pub(crate) async fn me(ctx: TenantCtx) -> Outcome<HttpResponse> {
    let principal = ctx.principal();
    let user = Users::get(ctx.db(), UserId::from_uuid(principal.id)).await?;
    respond::json(&MeReply {
        id: user.id,
        email: user.email,
        first_name: user.first_name,
        last_name: user.last_name,
        username: user.username,
        role: user.role,
        scopes: principal.scopes.words(),
        tenant_id: principal.tenant.uuid(),
        tenant_slug: principal.tenant_slug.clone(),
    })
}
