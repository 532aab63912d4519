//! One person's accounts in several tenants: linking two by proving both, seeing which there are, switching from one to the
//! other, unlinking. Every token is for one tenant still, and no administrator sees a link.

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::{TenantId, UserId, new_id};
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::account_links::{Half, LinkedAccount, MOST_LINKS};
use bulkhead_persistence::families::{Origin, Via};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::attempt::origin;
use super::identify::{Claimed, Identified, identify, identify_again};
use super::login::opened;
use super::reply::{Keeping, TokenReply};
use super::{BODIES, factor};
use crate::context::TenantCtx;
use crate::extract::form::{Members, complaint};
use crate::extract::id::PathId;
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::respond;
use crate::worker::Worker;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let access = Access::Authenticated;
    vec![
        Endpoint::new(Method::GET, "/api/v1/auth/me/tenants/", "auth_me_tenants_list", access, list)
            .tag("auth")
            .summary("List the tenants that I can switch to")
            .about("This one first. Nobody but the person itself sees these links.")
            .answers_array::<TenantReply>("The tenants.", &[])
            .refuses(Code::PermissionDenied),
        Endpoint::new(Method::POST, "/api/v1/auth/links/", "auth_links_create", access, link)
            .tag("auth")
            .summary("Link my account in another tenant")
            .about(
                "Both accounts are proved: this one by its password (and code), the other by its tenant, name, password \
                 (and code). Afterwards each can switch to the other. A change of either's password, its deactivation or \
                 the suspension of its tenant ends the link.",
            )
            .takes::<LinkRequest>(BODIES)
            .answers::<TenantReply>(201, "Linked.", &[])
            .refuses(Code::AuthenticationFailed)
            .refuses(Code::PermissionDenied)
            .refuses(Code::Conflict),
        Endpoint::new(Method::DELETE, "/api/v1/auth/links/{id}/", "auth_links_destroy", access, unlink)
            .tag("auth")
            .summary("Unlink an account")
            .about("Sessions that were opened by the link end with it, on both sides.")
            .answers_plainly(204, "Unlinked.", None)
            .refuses(Code::PermissionDenied),
        Endpoint::new(
            Method::POST,
            "/api/v1/auth/switch-tenant/",
            "auth_switch_tenant_create",
            access,
            switch,
        )
        .tag("auth")
        .summary("Get tokens for my linked account in another tenant")
        .about("With that account's role. The present session goes on.")
        .takes::<SwitchRequest>(BODIES)
        .answers::<TokenReply>(200, "Tokens for the other tenant, and for it alone.", &[])
        .refuses(Code::PermissionDenied)
        .refuses(Code::NotFound),
    ]
}

/// A proof of both accounts.
#[derive(Deserialize, ToSchema)]
#[schema(as = AccountLinkRequest)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
struct LinkRequest {
    /// The password of the account at work.
    current_password: String,
    /// The code of its second factor, where it has one.
    #[schema(required = false)]
    current_code: Option<String>,
    /// The other tenant's slug or id.
    tenant: String,
    /// The other account's user name or e-mail address.
    username: String,
    /// The other account's password.
    password: String,
    /// The code of its second factor, where it has one.
    #[schema(required = false)]
    code: Option<String>,
}

/// Where to switch to.
#[derive(Deserialize, ToSchema)]
#[schema(as = TenantSwitch)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
struct SwitchRequest {
    /// The other tenant's slug or id.
    tenant: String,
    /// `cookie`: keep the refresh token in a cookie instead of the answer.
    #[schema(required = false)]
    refresh_in: Option<String>,
}

/// A tenant in which the person has an account.
#[derive(Serialize, ToSchema)]
#[schema(as = MyTenant)]
struct TenantReply {
    /// The tenant's id.
    id: Uuid,
    /// The tenant's slug.
    slug: String,
    /// The tenant's name.
    name: String,
    /// The person's user name there.
    username: String,
    /// The person's role there.
    role: &'static str,
    /// Whether it is the one at work.
    current: bool,
    /// The link's id; null for the tenant at work.
    link: Option<Uuid>,
    /// Since when it is linked.
    linked_at: Option<DateTime<Utc>>,
}

/// `GET /api/v1/auth/me/tenants/`
async fn list(ctx: TenantCtx, worker: Data<Worker>) -> Outcome<HttpResponse> {
    let (tenant, user) = (ctx.principal().tenant, ctx.person()?);
    let (entry, known) = worker.auth.account(tenant, user).await?.ok_or_else(Problem::not_found)?;
    let mut replies = vec![TenantReply {
        id: entry.id().uuid(),
        role: known.account.role()?.as_str(),
        slug: entry.slug,
        name: entry.name,
        username: known.account.username,
        current: true,
        link: None,
        linked_at: None,
    }];
    for half in worker.auth.halves(tenant, user).await? {
        if let Some(other) = other_side(&worker, tenant, &half).await? {
            replies.push(told(other)?);
        }
    }
    respond::json(&replies)
}

/// The other account of a link that holds on both sides. Each side is read within its own tenant.
async fn other_side(worker: &Worker, tenant: TenantId, half: &Half) -> Outcome<Option<LinkedAccount>> {
    let own = worker.auth.half(tenant, half.id).await?;
    if !own.is_some_and(|own| own.holds()) {
        return Ok(None);
    }
    let other = worker.auth.half(half.other_tenant(), half.id).await?;
    Ok(other.filter(LinkedAccount::holds))
}

fn told(other: LinkedAccount) -> Outcome<TenantReply> {
    let LinkedAccount { half, tenant, account } = other;
    Ok(TenantReply {
        id: tenant.id().uuid(),
        role: account.role()?.as_str(),
        slug: tenant.slug,
        name: tenant.name,
        username: account.username,
        current: false,
        link: Some(half.id),
        linked_at: Some(half.created_at),
    })
}

/// `POST /api/v1/auth/links/`
async fn link(
    ctx: TenantCtx,
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let (tenant, user) = (ctx.principal().tenant, ctx.person()?);
    let password = SecretString::from(members.required("current_password")?);
    let (current_code, code) = (members.optional("current_code")?, members.optional("code")?);
    if !members.has("tenant") {
        return Err(complaint("tenant", "This field is required."));
    }
    let claimed = Claimed::read(&request, &mut members)?;

    let current = ("current_password", password);
    let Identified { tenant: entry, known, attempt } =
        identify_again(&worker, &request, (tenant, user), current).await?;
    if let Some(stored) = &known.second_factor {
        let code = current_code.ok_or_else(|| complaint("current_code", "This field is required."))?;
        factor::check(&worker, &entry, &known.account, stored, &code).await?;
    }
    attempt.succeeded(&worker).await?;

    let Identified { tenant: other_tenant, known: other, attempt } =
        identify(&worker, &request, claimed).await?;
    if let Some(stored) = &other.second_factor {
        let code = code.ok_or_else(|| complaint("code", "The other account's code is needed as well."))?;
        factor::check(&worker, &other_tenant, &other.account, stored, &code).await?;
    }
    attempt.succeeded(&worker).await?;
    if other_tenant.id() == tenant {
        return Err(complaint("tenant", "This is the tenant that you are in."));
    }
    let other_ids = (other_tenant.id(), other.account.id());
    make_room(&worker, tenant, user, other_ids).await?;
    let id = new_id();
    // Only both halves are a link: whatever becomes of this in between, there is none or a whole one.
    worker.auth.store_half(id, &other_tenant, &other.account, (tenant, user)).await?;
    worker.auth.store_half(id, &entry, &known.account, other_ids).await?;
    let made = worker.auth.half(other_tenant.id(), id).await?.ok_or_else(Problem::not_found)?;
    respond::created(&told(made)?)
}

/// Ends an earlier link of the same two accounts.
async fn make_room(
    worker: &Worker,
    tenant: TenantId,
    user: UserId,
    other: (TenantId, UserId),
) -> Outcome<()> {
    let halves = worker.auth.halves(tenant, user).await?;
    for half in halves.iter().filter(|half| (half.other_tenant(), half.other_user()) == other) {
        let ended = worker.auth.end_link(tenant, half).await?;
        ended.into_iter().for_each(|ended| worker.state.revoke(ended));
    }
    let most = usize::try_from(MOST_LINKS).unwrap_or(usize::MAX);
    if halves.len() >= most {
        return Err(Problem::new(Code::Conflict, format!("An account can have {most} links at the most.")));
    }
    Ok(())
}

/// `DELETE /api/v1/auth/links/{id}/`
async fn unlink(ctx: TenantCtx, worker: Data<Worker>, id: PathId) -> Outcome<HttpResponse> {
    let (tenant, user) = (ctx.principal().tenant, ctx.person()?);
    let halves = worker.auth.halves(tenant, user).await?;
    let half = halves.iter().find(|half| half.id == id.0).ok_or_else(Problem::not_found)?;
    let ended = worker.auth.end_link(tenant, half).await?;
    ended.into_iter().for_each(|ended| worker.state.revoke(ended));
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/v1/auth/switch-tenant/`
async fn switch(
    ctx: TenantCtx,
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let (tenant, user) = (ctx.principal().tenant, ctx.person()?);
    let wanted = TenantName::from_body(&members.required("tenant")?);
    let keeping = Keeping::read(&request, &worker, &mut members)?;
    let wanted = worker.auth.find_tenant(&wanted).await?.map(|entry| entry.id());
    let halves = worker.auth.halves(tenant, user).await?;
    // An unknown tenant and one that is not linked are answered alike.
    let half =
        halves.iter().find(|half| Some(half.other_tenant()) == wanted).ok_or_else(Problem::not_found)?;
    let other = other_side(&worker, tenant, half).await?.ok_or_else(Problem::not_found)?;
    let via = Some(Via { tenant, link: half.id });
    let origin = Origin { via, ..origin(&worker, &request) };
    opened(&worker, &other.tenant, &other.account, &origin, keeping).await
}
