//! Another e-mail address for oneself. Whoever wants one proves the password, and then, with a token that is mailed there, that the
//! address is its own. The token works only for the session of the same person, so it is of no use to anybody else who reads it.

use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::one_time::{self, OneTimeToken, Purpose};
use bulkhead_domain::clock::now;
use bulkhead_domain::code::Code;
use bulkhead_domain::person::Email;
use bulkhead_persistence::error::DbError;
use bulkhead_persistence::users::Users;
use chrono::TimeDelta;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::accept::chosen;
use super::profile::{Profile, profile};
use super::{mails, refused};
use crate::auth::BODIES;
use crate::auth::identify::{Identified, identify_again, password_was_right};
use crate::auth::password::used_up;
use crate::context::TenantCtx;
use crate::extract::form::{Members, complaint};
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::respond::{self, Message};
use crate::worker::Worker;

/// Long enough to look into another mailbox.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// The operations.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let post = |path: &'static str, id: &'static str| (Method::POST, path, id, Access::Authenticated);
    let (method, path, id, access) = post("/api/v1/profile/email/", "profile_email_create");
    let ask = Endpoint::new(method, path, id, access, ask)
        .tag("auth")
        .summary("Ask for another e-mail address")
        .about("A mail to it says how to go on; until then nothing changes. It is the same answer whether somebody has the address.")
        .takes::<EmailRequest>(BODIES)
        .answers::<Message>(202, "A mail is on its way to the new address.", &[])
        .refuses(Code::PermissionDenied)
        .refuses(Code::NotOffered)
        .refuses(Code::NotFound);
    let (method, path, id, access) = post("/api/v1/profile/email/confirm/", "profile_email_confirm_create");
    let confirm = Endpoint::new(method, path, id, access, confirm)
        .tag("auth")
        .summary("Confirm another e-mail address with a mailed token")
        .about("The address before is told by mail. Sessions go on.")
        .takes::<EmailConfirmation>(BODIES)
        .answers::<Profile>(200, "The profile with the new address.", &[])
        .refuses(Code::PermissionDenied)
        .refuses(Code::Duplicate)
        .refuses(Code::NotFound);
    vec![ask, confirm]
}

/// The address that one wants.
#[derive(Deserialize, ToSchema)]
#[schema(as = EmailChangeRequest)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
struct EmailRequest {
    /// The new address.
    email: String,
    /// The present password.
    current_password: String,
}

/// A token from a mail.
#[derive(Deserialize, ToSchema)]
#[schema(as = EmailChangeConfirmation)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
struct EmailConfirmation {
    /// The token.
    token: String,
}

/// `POST /api/v1/profile/email/`
async fn ask(
    ctx: TenantCtx,
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let (tenant, user) = (ctx.principal().tenant, ctx.person()?);
    let email: Option<Email> = chosen(&mut members, "email")?;
    let email = email.ok_or_else(|| complaint("email", "This field is required."))?;
    let password = SecretString::from(members.required("current_password")?);
    mails::offered(&worker)?;
    let known = identify_again(&worker, &request, (tenant, user), ("current_password", password)).await?;
    let Identified { tenant: entry, known, attempt } = known;
    password_was_right(&worker, &known, attempt).await?;
    if worker.limits.mail(tenant, email.norm()) {
        let token = one_time::generate(Purpose::EmailChange, tenant, user.uuid());
        let stored = (token.digest.as_bytes(), now() + LIFETIME);
        worker.auth.store_email_change(tenant, user, &email, stored).await?;
        mails::new_address(&worker, &entry, (email.as_str(), &known.account.username), &token);
    }
    let mut response = respond::message("A mail is on its way to the new address.")?;
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

/// `POST /api/v1/profile/email/confirm/`
async fn confirm(ctx: TenantCtx, worker: Data<Worker>, mut members: Members) -> Outcome<HttpResponse> {
    let (tenant, user) = (ctx.principal().tenant, ctx.person()?);
    let token = members.required("token")?;
    let token = OneTimeToken::parse(Purpose::EmailChange, &token).ok_or_else(used_up)?;
    if (token.tenant(), token.id()) != (tenant, user.uuid()) {
        return Err(used_up());
    }
    let (entry, before) = worker.auth.account(tenant, user).await?.ok_or_else(Problem::not_found)?;
    let digest = token.digest();
    let wanted = worker.auth.email_change(tenant, user, digest.as_bytes()).await?.ok_or_else(used_up)?;
    let changed = ctx.db().write(async |tx| {
        let changed = Users::change_email(tx, user, &wanted).await?;
        // Last: a token is used up by a change that is made, not by one that fails.
        worker.auth.take_email_change(tenant, user, digest.as_bytes()).await?;
        Ok(changed)
    });
    let changed = changed.await.map_err(|error| match error {
        DbError::NotFound => used_up(),
        other => refused(other),
    })?;
    mails::address_changed(&worker, &entry, (&before.account.email, &before.account.username));
    respond::json(&profile(&ctx, changed))
}
