//! Changing a password by who knows it, and setting one by who holds a mailed token.

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, rt};
use bulkhead_auth::one_time::{self, OneTimeToken, Purpose};
use bulkhead_auth::password_policy::check_new_password;
use bulkhead_domain::clock::now;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::new_id;
use bulkhead_domain::person::normalize_name;
use bulkhead_domain::tenant::TenantName;
use bulkhead_mail::Mail;
use bulkhead_persistence::credentials::{Account, DirectoryEntry};
use bulkhead_persistence::error::{DbError, DbResult};
use bulkhead_persistence::password_resets::NewReset;
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

use super::identify::{Identified, identify_again, not_hashed, password_was_right, tenant_name};
use super::{BODIES, end_links};
use crate::context::TenantCtx;
use crate::extract::form::{Members, complaint};
use crate::metrics::PASSWORDS_HASHED;
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::respond::{self, Message};
use crate::worker::Worker;

/// How long a mailed token is good for.
const RESET_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// How long nobody is mailed again.
const PAUSE: TimeDelta = TimeDelta::minutes(5);

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let public = |path: &'static str, id: &'static str| (Method::POST, path, id, Access::Public);
    let (method, path, id, access) = public("/api/v1/auth/password/reset/", "auth_password_reset_create");
    let ask = Endpoint::new(method, path, id, access, ask_for_reset)
        .tag("auth")
        .summary("Ask for a mail with which a password can be set")
        .about("The answer is the same whether there is such an account or not.")
        .tries_credentials()
        .takes::<ResetRequest>(BODIES)
        .answers::<Message>(202, "If there is such an account, a mail is on its way.", &[])
        .refuses(Code::NotOffered);
    let (method, path, id, access) =
        public("/api/v1/auth/password/reset/confirm/", "auth_password_reset_confirm_create");
    let confirm = Endpoint::new(method, path, id, access, confirm_reset)
        .tag("auth")
        .summary("Set a password with a mailed token")
        .about("Every session of the account ends. A second factor goes on being asked for.")
        .tries_credentials()
        .takes::<ConfirmRequest>(BODIES)
        .answers::<Message>(200, "The password is set.", &[]);
    let path = "/api/v1/auth/password/change/";
    let change = Endpoint::new(Method::POST, path, "auth_password_change_create", Access::Authenticated, change)
        .tag("auth")
        .summary("Change my password")
        .about(
            "Every other session ends, and so do access tokens: this session goes on with its refresh token. Links to \
             accounts in other tenants end too.",
        )
        .takes::<ChangeRequest>(BODIES)
        .answers::<Message>(200, "The password is changed.", &[])
        .refuses(Code::PermissionDenied)
        .refuses(Code::Conflict);
    vec![change, ask, confirm]
}

/// Whose password shall be reset. Either `email` or `username` must be there; each may hold either.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordResetRequest)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
struct ResetRequest {
    /// The e-mail address, or the user name.
    #[schema(required = false)]
    email: Option<String>,
    /// The user name, or the e-mail address.
    #[schema(required = false)]
    username: Option<String>,
    /// The tenant's slug or id. May be left out on a host that belongs to a tenant.
    #[schema(required = false)]
    tenant: Option<String>,
}

/// A token from a mail, and the password that it shall set.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordResetConfirmation)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
struct ConfirmRequest {
    /// The token.
    token: String,
    /// The new password.
    password: String,
}

/// The present password and the new one.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordChange)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
struct ChangeRequest {
    /// The present password.
    current_password: String,
    /// The new one.
    new_password: String,
}

/// `POST /api/v1/auth/password/change/`
async fn change(
    ctx: TenantCtx,
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let user = ctx.person()?;
    let current = SecretString::from(members.required("current_password")?);
    let new = SecretString::from(members.required("new_password")?);
    let tenant = ctx.principal().tenant;
    let current = ("current_password", current);
    let Identified { tenant: entry, known, attempt } =
        identify_again(&worker, &request, (tenant, user), current).await?;
    password_was_right(&worker, &known, attempt).await?;
    let hash = hash_new(&worker, &entry, &known.account, "new_password", new).await?;
    // First: a link that ended although the change failed costs less than one that outlives it.
    end_links(&worker, tenant, user).await?;
    let kept = ctx.principal().session;
    let ended = worker.auth.change_password(ctx.scope(), kept, &known.password_hash, &hash).await;
    let ended = ended.map_err(|error| match error {
        DbError::Stale => Problem::new(Code::Conflict, "The password was changed meanwhile."),
        other => Problem::busy_is_unavailable(other),
    })?;
    worker.state.revoke(ended);
    respond::message("Password changed. Other sessions have ended.")
}

/// `POST /api/v1/auth/password/reset/`
async fn ask_for_reset(
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let name = match members.optional("email")? {
        Some(name) => name,
        None => members.optional("username")?.ok_or_else(|| complaint("email", "This field is required."))?,
    };
    let tenant = tenant_name(&request, &mut members)?;
    if !worker.services.mailer.is_on() {
        return Err(Problem::new(Code::NotOffered, "This server sends no mail."));
    }
    let name = normalize_name(&name);
    worker.limits.attempt(&request, &name)?;
    // Behind the answer, so that its time does not tell whether there was anything to do.
    rt::spawn(async move {
        if let Err(error) = mail_reset(&worker, &tenant, &name).await {
            tracing::warn!(%error, "a password reset was not sent");
        }
    });
    let mut response = respond::message("If there is such an account, a mail is on its way.")?;
    *response.status_mut() = actix_web::http::StatusCode::ACCEPTED;
    Ok(response)
}

async fn mail_reset(worker: &Worker, tenant: &TenantName, name: &str) -> DbResult<()> {
    let Some(tenant) = worker.auth.find_tenant(tenant).await?.filter(DirectoryEntry::is_active) else {
        return Ok(());
    };
    let Some(account) = worker.auth.find_person(tenant.id(), name).await?.filter(Account::is_active) else {
        return Ok(());
    };
    if worker.auth.has_recent_reset(tenant.id(), account.id(), now() - PAUSE).await? {
        return Ok(());
    }
    let id = new_id();
    let token = one_time::generate(Purpose::PasswordReset, tenant.id(), id);
    let new = NewReset { id, digest: token.digest.as_bytes(), expires_at: now() + RESET_LIFETIME };
    worker.auth.store_password_reset(tenant.id(), account.id(), new).await?;
    let text = format!(
        "Somebody, probably you, asked for a new password for {} at {}.\n\n\
         To choose one, open\n{}/reset-password#token={}\n\nThe link is good for one hour, once. \
         If it was not you, nothing has changed and nothing is to be done.\n",
        account.username,
        tenant.name,
        worker.settings.frontend_url,
        token.plain.expose_secret()
    );
    let subject = format!("Your password at {}", tenant.name);
    worker.services.mailer.send(Mail { to: account.email.clone(), subject, text });
    Ok(())
}

/// `POST /api/v1/auth/password/reset/confirm/`
async fn confirm_reset(worker: Data<Worker>, mut members: Members) -> Outcome<HttpResponse> {
    let token = members.required("token")?;
    let password = SecretString::from(members.required("password")?);
    let token = OneTimeToken::parse(Purpose::PasswordReset, &token).ok_or_else(used_up)?;
    let (tenant, digest) = (token.tenant(), token.digest());
    let found = worker.auth.password_reset(tenant, token.id(), digest.as_bytes()).await?;
    let found = found.filter(|(entry, account)| entry.is_active() && account.is_active());
    let (entry, account) = found.ok_or_else(used_up)?;
    let hash = hash_new(&worker, &entry, &account, "password", password).await?;
    end_links(&worker, tenant, account.id()).await?;
    let ended = worker.auth.use_password_reset(tenant, token.id(), digest.as_bytes(), &hash).await;
    let (_, ended) = ended.map_err(|error| match error {
        DbError::NotFound => used_up(),
        other => Problem::busy_is_unavailable(other),
    })?;
    worker.state.revoke(ended);
    respond::message("Password set. Log in with it.")
}

/// The one answer to every token that cannot be used.
pub(crate) fn used_up() -> Problem {
    complaint("token", "This link was used, has expired, or is not one of ours.")
}

/// Hashes a password that an account chooses, if it is a good one.
pub(super) async fn hash_new(
    worker: &Worker,
    tenant: &DirectoryEntry,
    account: &Account,
    field: &str,
    password: SecretString,
) -> Outcome<String> {
    is_good(worker, tenant, (&account.username, &account.email), (field, &password))?;
    hash(worker, password).await
}

/// Hashes a password that was found good.
pub(crate) async fn hash(worker: &Worker, password: SecretString) -> Outcome<String> {
    PASSWORDS_HASHED.inc();
    worker.services.hasher.hash(password).await.map_err(|error| not_hashed(&error))
}

/// Whether a password, which stands in the member `field`, is good enough for somebody of these names.
pub(crate) fn is_good(
    worker: &Worker,
    tenant: &DirectoryEntry,
    (username, email): (&str, &str),
    (field, password): (&str, &SecretString),
) -> Outcome<()> {
    let local = email.split('@').next().unwrap_or_default();
    let context = [username, email, local, &tenant.slug, &tenant.name, "bulkhead"];
    let least = worker.services.min_password_length;
    check_new_password(password.expose_secret(), least, &context)
        .map_err(|weakness| complaint(field, &sentence(&weakness.to_string())))
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut sentence = text.to_owned();
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence.push('.');
    sentence
}
