//! Tenants over HTTP: one's own, for its administrators; and the little that a log-in page must know of any, for everybody.

use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_domain::code::Code;
use bulkhead_domain::scope::Scope;
use bulkhead_domain::tenant::{Slug, TenantName, TenantPatch};
use bulkhead_persistence::idempotency::Once;
use bulkhead_persistence::{Tenant, TenantChange, Tenants};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::context::TenantCtx;
use crate::extract::body::Body;
use crate::extract::precondition::IfMatch;
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::resource::{IF_MATCH, MERGE_PATCH, TAG};
use crate::respond;
use crate::worker::Worker;

/// The heading in the API document, and what it says.
pub(crate) const HEADING: (&str, &str) = ("tenants", "One's own tenant, and finding one before log-in.");

const OWN: &str = "/api/v1/tenant/";

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let administrators = Access::Scoped(Scope::TenantAdmin);
    vec![
        Endpoint::new(Method::GET, OWN, "tenant_retrieve", administrators, retrieve)
            .tag(HEADING.0)
            .summary("Get one's own tenant")
            .header("If-None-Match", "Answer 304 if the tenant still has this entity tag.")
            .answers::<Tenant>(200, "The tenant.", &[TAG])
            .answers_plainly(304, "The client has it already.", None),
        Endpoint::new(Method::PATCH, OWN, "tenant_partial_update", administrators, partial_update)
            .tag(HEADING.0)
            .summary("Change one's own tenant")
            .about("A merge patch (RFC 7396), in which `settings` is replaced as a whole. All else is the operators' to change.")
            .header("If-Match", IF_MATCH)
            .takes::<TenantPatch>(MERGE_PATCH)
            .answers::<Tenant>(200, "The tenant after the change.", &[TAG])
            .refuses(Code::Stale),
        Endpoint::new(Method::GET, "/api/v1/tenants/{slug}/", "tenants_retrieve", Access::Public, find)
            .tag(HEADING.0)
            .summary("Find a tenant before log-in")
            .about("What a log-in page needs to know. Look-ups are counted by address, apart from log-ins.")
            .looks_up()
            .answers::<PublicTenant>(200, "The tenant.", &[]),
    ]
}

/// What everybody may know of a tenant.
#[derive(Serialize, ToSchema)]
struct PublicTenant {
    /// The id.
    id: Uuid,
    /// The short name.
    slug: String,
    /// The name.
    name: String,
    /// Whether its people may log in.
    is_active: bool,
}

/// `GET /api/v1/tenant/`
async fn retrieve(ctx: TenantCtx, request: HttpRequest) -> Outcome<HttpResponse> {
    respond::row(&request, &Tenants::get(ctx.db()).await?)
}

/// `PATCH /api/v1/tenant/`
async fn partial_update(ctx: TenantCtx, expected: IfMatch, body: Body<TenantPatch>) -> Outcome<HttpResponse> {
    let change = TenantChange { own: body.fields, ..TenantChange::default() };
    let changed = ctx.db().write(async |tx| Tenants::change(tx, expected.0, change).await).await?;
    Ok(respond::once(Once::First(respond::reply(StatusCode::OK, &changed, None)?)))
}

/// `GET /api/v1/tenants/{slug}/`
async fn find(request: HttpRequest, worker: Data<Worker>) -> Outcome<HttpResponse> {
    // What is no slug is nobody's, so it is answered like one that nobody has.
    let slug = request.match_info().get("slug").and_then(Slug::parse).ok_or_else(Problem::not_found)?;
    let found = worker.auth.find_tenant(&TenantName::Slug(slug.to_string())).await;
    let tenant = found.map_err(Problem::busy_is_unavailable)?.ok_or_else(Problem::not_found)?;
    let (id, is_active) = (tenant.id().uuid(), tenant.is_active());
    respond::json(&PublicTenant { id, slug: tenant.slug, name: tenant.name, is_active })
}
