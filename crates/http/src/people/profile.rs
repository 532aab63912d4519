//! One's own profile, under the path and with the names that the older systems had; `auth/me/` says more.

use actix_web::HttpResponse;
use actix_web::http::Method;
use bulkhead_domain::code::Code;
use bulkhead_domain::members::ProfilePatch;
use bulkhead_domain::scope::Role;
use bulkhead_persistence::users::{User, Users};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::refused;
use crate::context::TenantCtx;
use crate::extract::body::Body;
use crate::operation::{Access, Endpoint};
use crate::problem::Outcome;
use crate::resource::MERGE_PATCH;
use crate::respond;

const PATH: &str = "/api/v1/profile/";

/// The operations.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let any = Access::Authenticated;
    vec![
        Endpoint::new(Method::GET, PATH, "profile_retrieve", any, retrieve)
            .tag("auth")
            .summary("Get my profile")
            .answers::<Profile>(200, "The person that the token belongs to.", &[])
            .refuses(Code::PermissionDenied)
            .refuses(Code::NotFound),
        Endpoint::new(Method::PATCH, PATH, "profile_partial_update", any, partial_update)
            .tag("auth")
            .summary("Change my name")
            .about("A merge patch (RFC 7396). The address is changed at `profile/email/`; all else about a person is its administrators' to change.")
            .takes::<ProfilePatch>(MERGE_PATCH)
            .answers::<Profile>(200, "The profile after the change.", &[])
            .refuses(Code::PermissionDenied)
            .refuses(Code::NotFound),
    ]
}

/// Oneself.
#[derive(Serialize, ToSchema)]
pub(super) struct Profile {
    /// The id.
    id: Uuid,
    /// The user name.
    username: String,
    /// The e-mail address.
    email: String,
    /// The first name.
    first_name: String,
    /// The last name.
    last_name: String,
    /// The role within the tenant.
    #[schema(value_type = Role)]
    role: String,
    /// The tenant's id.
    tenant_id: Uuid,
    /// The tenant's slug.
    tenant_slug: String,
    /// The same, as a system called it that had a schema for each tenant.
    tenant_schema: String,
    /// Whether it administrates the tenant.
    is_staff: bool,
    /// When it joined.
    date_joined: DateTime<Utc>,
}

/// `GET /api/v1/profile/`
async fn retrieve(ctx: TenantCtx) -> Outcome<HttpResponse> {
    let user = Users::get(ctx.db(), ctx.person()?).await.map_err(refused)?;
    respond::json(&profile(&ctx, user))
}

/// `PATCH /api/v1/profile/`
async fn partial_update(ctx: TenantCtx, body: Body<ProfilePatch>) -> Outcome<HttpResponse> {
    let (me, patch) = (ctx.person()?, body.fields);
    if patch.first_name.is_none() && patch.last_name.is_none() {
        return retrieve(ctx).await;
    }
    let changed = ctx.db().write(async |tx| Users::change_profile(tx, me, patch).await).await;
    respond::json(&profile(&ctx, changed.map_err(refused)?))
}

/// What the API says of the person at work.
pub(super) fn profile(ctx: &TenantCtx, user: User) -> Profile {
    let User { id, username, email, first_name, last_name, role, created_at } = user;
    let is_staff = matches!(Role::parse(&role), Some(Role::Owner | Role::Admin));
    let (tenant_id, slug) = (ctx.principal().tenant.uuid(), &ctx.principal().tenant_slug);
    let (tenant_slug, tenant_schema) = (slug.clone(), slug.clone());
    let date_joined = created_at;
    Profile {
        id,
        username,
        email,
        first_name,
        last_name,
        role,
        tenant_id,
        tenant_slug,
        tenant_schema,
        is_staff,
        date_joined,
    }
}
