//! Second factors: the second step of a log-in, and setting one up, replacing its recovery codes and switching it off. An
//! administrator can only take one away, for somebody who lost it.

mod bodies;

use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::challenge::Challenge;
use bulkhead_auth::recovery_code::{self, NewRecoveryCode};
use bulkhead_auth::totp::TotpSecret;
use bulkhead_domain::clock::now;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::UserId;
use bulkhead_domain::principal::PrincipalKind;
use bulkhead_domain::scope::{Role, Scope};
use bulkhead_persistence::credentials::{DirectoryEntry, KnownAccount};
use bulkhead_persistence::error::DbError;
use secrecy::{ExposeSecret as _, SecretString};

use self::bodies::{
    CodeRequest, CodesReply, EnrolReply, EnrolRequest, FactorReply, ProofRequest, StepRequest,
};
use super::attempt::Attempt;
use super::factor::{self, bound_to, keys};
use super::identify::{Identified, identify_again, password_was_right};
use super::login::opened;
use super::reply::{Keeping, TokenReply};
use super::{BODIES, refresh};
use crate::context::TenantCtx;
use crate::extract::form::{Members, complaint};
use crate::extract::id::PathId;
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::respond;
use crate::worker::Worker;

const MINE: &str = "/api/v1/auth/me/second-factor/";

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let step = Endpoint::new(
        Method::POST,
        "/api/v1/auth/second-factor/",
        "auth_second_factor_create",
        Access::Public,
        second_step,
    )
    .tag("auth")
    .summary("Finish a log-in with the code of the second factor")
    .tries_credentials()
    .takes::<StepRequest>(BODIES)
    .answers::<TokenReply>(200, "An access token and a refresh token.", &[])
    .refuses(Code::AuthenticationFailed);
    let reset = Endpoint::new(
        Method::DELETE,
        "/api/v1/users/{id}/second-factor/",
        "users_second_factor_destroy",
        Access::Scoped(Scope::TenantAdmin),
        reset,
    )
    .tag("users")
    .summary("Take a person's second factor away")
    .about("For somebody who lost it. The password alone lets in until a new one is set up.")
    .answers_plainly(204, "Taken away.", None)
    .refuses(Code::PermissionDenied);
    let mut endpoints = vec![step, reset];
    endpoints.extend(of_ones_own());
    endpoints
}

fn of_ones_own() -> [Endpoint; 5] {
    let mine = |method: Method, path: &str| (method, format!("{MINE}{path}"));
    let (get, path) = mine(Method::GET, "");
    let state = Endpoint::new(get, path, "auth_me_second_factor_retrieve", Access::Authenticated, state)
        .tag("auth")
        .summary("Whether I have a second factor")
        .answers::<FactorReply>(200, "Its state.", &[])
        .refuses(Code::PermissionDenied);
    let (post, path) = mine(Method::POST, "");
    let enrol = Endpoint::new(post, path, "auth_me_second_factor_create", Access::Authenticated, enrol)
        .tag("auth")
        .summary("Begin to set up a second factor")
        .about("The secret is for an authenticator app (RFC 6238). It is asked for once a code has confirmed it.")
        .takes::<EnrolRequest>(BODIES)
        .answers::<EnrolReply>(201, "The secret, now and never again.", &[])
        .refuses(Code::NotOffered)
        .refuses(Code::Conflict);
    let (post, path) = mine(Method::POST, "confirm/");
    let confirm =
        Endpoint::new(post, path, "auth_me_second_factor_confirm_create", Access::Authenticated, confirm)
            .tag("auth")
            .summary("Confirm the second factor with its first code")
            .takes::<CodeRequest>(BODIES)
            .answers::<CodesReply>(200, "Recovery codes, now and never again.", &[])
            .refuses(Code::PermissionDenied)
            .refuses(Code::NotFound);
    let (post, path) = mine(Method::POST, "recovery-codes/");
    let id = "auth_me_second_factor_recovery_codes_create";
    let renew = Endpoint::new(post, path, id, Access::Authenticated, renew_codes)
        .tag("auth")
        .summary("Replace my recovery codes")
        .takes::<ProofRequest>(BODIES)
        .answers::<CodesReply>(200, "Recovery codes, now and never again.", &[])
        .refuses(Code::PermissionDenied)
        .refuses(Code::NotFound);
    let (post, path) = mine(Method::POST, "disable/");
    let disable =
        Endpoint::new(post, path, "auth_me_second_factor_disable_create", Access::Authenticated, disable)
            .tag("auth")
            .summary("Switch my second factor off")
            .takes::<ProofRequest>(BODIES)
            .answers_plainly(204, "It is asked for no longer.", None)
            .refuses(Code::PermissionDenied)
            .refuses(Code::NotFound);
    [state, enrol, confirm, renew, disable]
}

/// `POST /api/v1/auth/second-factor/`
async fn second_step(
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let (challenge, code) = (members.required("challenge")?, members.required("code")?);
    let keeping = Keeping::read(&request, &worker, &mut members)?;
    let challenge = Challenge::open(keys(&worker)?, &challenge, now()).ok_or_else(refresh::refused)?;
    let found = worker.auth.account(challenge.tenant, challenge.user).await?;
    let (tenant, known) = found
        .filter(|(tenant, known)| {
            let account = &known.account;
            tenant.is_active() && account.is_active() && account.session_epoch == challenge.session_epoch
        })
        .ok_or_else(refresh::refused)?;
    let stored = known.second_factor.as_ref().ok_or_else(refresh::refused)?;
    let attempt = Attempt::reserve(&worker, &request, tenant.id(), known.account.id().uuid()).await?;
    factor::check(&worker, &tenant, &known.account, stored, &code).await?;
    let origin = attempt.opens(&worker, &request);
    opened(&worker, &tenant, &known.account, &origin, keeping).await
}

/// `GET /api/v1/auth/me/second-factor/`
async fn state(ctx: TenantCtx, worker: Data<Worker>) -> Outcome<HttpResponse> {
    let found = worker.auth.second_factor(ctx.principal().tenant, ctx.person()?).await?;
    respond::json(&FactorReply {
        enabled: found.is_some(),
        confirmed_at: found.map(|state| state.confirmed_at),
        recovery_codes_left: found.map_or(0, |state| state.codes_left),
    })
}

/// `POST /api/v1/auth/me/second-factor/`
async fn enrol(
    ctx: TenantCtx,
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let keys = keys(&worker)?;
    let (entry, known, attempt) = proved(&ctx, &request, &worker, &mut members).await?;
    password_was_right(&worker, &known, attempt).await?;
    let secret = TotpSecret::generate();
    let account = &known.account;
    let sealed = keys.seal(secret.as_bytes(), &bound_to(entry.id(), account.id()));
    let sealed = sealed.map_err(|error| Problem::internal(&error))?;
    worker.auth.propose_second_factor(entry.id(), account.id(), &sealed).await.map_err(
        |error| match error {
            DbError::Duplicate(_) => {
                Problem::new(Code::Conflict, "You have a second factor already. Switch it off first.")
            }
            other => Problem::busy_is_unavailable(other),
        },
    )?;
    let uri = secret.uri(&entry.name, &account.username);
    let reply = EnrolReply {
        secret: secret.base32().expose_secret().to_owned(),
        uri: uri.expose_secret().to_owned(),
    };
    respond::secret_document(StatusCode::CREATED, &reply)
}

/// `POST /api/v1/auth/me/second-factor/confirm/`
async fn confirm(
    ctx: TenantCtx,
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let (tenant, user) = (ctx.principal().tenant, ctx.person()?);
    let code = members.required("code")?;
    let sealed = worker.auth.proposed_second_factor(tenant, user).await?.ok_or_else(Problem::not_found)?;
    let attempt = Attempt::reserve(&worker, &request, tenant, user.uuid()).await?;
    let opened = keys(&worker)?.open(&sealed, &bound_to(tenant, user));
    let secret = opened.and_then(|secret| TotpSecret::from_bytes(&secret)).ok_or_else(Problem::not_found)?;
    let step = secret.verify(&code, now(), None).ok_or_else(|| complaint("code", "This is not the code."))?;
    attempt.succeeded(&worker).await?;
    let codes = recovery_code::generate();
    let confirmed = worker.auth.confirm_second_factor(ctx.scope(), &sealed, step, &hashes(&codes)).await;
    confirmed.map_err(Problem::busy_is_unavailable)?;
    told(&codes)
}

/// `POST /api/v1/auth/me/second-factor/recovery-codes/`
async fn renew_codes(
    ctx: TenantCtx,
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    proved_with_factor(&ctx, &request, &worker, &mut members).await?;
    let codes = recovery_code::generate();
    let replaced = worker.auth.replace_recovery_codes(ctx.scope(), &hashes(&codes)).await;
    replaced.map_err(|error| match error {
        DbError::BadReference(_) => Problem::not_found(),
        other => Problem::busy_is_unavailable(other),
    })?;
    told(&codes)
}

/// `POST /api/v1/auth/me/second-factor/disable/`
async fn disable(
    ctx: TenantCtx,
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    proved_with_factor(&ctx, &request, &worker, &mut members).await?;
    let removed = worker.auth.remove_second_factor(ctx.scope(), ctx.person()?).await;
    removed.map_err(Problem::busy_is_unavailable)?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /api/v1/users/{id}/second-factor/`
async fn reset(ctx: TenantCtx, worker: Data<Worker>, id: PathId) -> Outcome<HttpResponse> {
    let (tenant, user) = (ctx.principal().tenant, UserId::from_uuid(id.0));
    if ctx.principal().kind == PrincipalKind::User && ctx.principal().id == id.0 {
        let detail = "The own second factor is switched off with the password and a code.";
        return Err(Problem::new(Code::PermissionDenied, detail));
    }
    let (_, target) = worker.auth.account(tenant, user).await?.ok_or_else(Problem::not_found)?;
    if target.account.role()? == Role::Owner && !is_owner(&ctx, &worker).await? {
        let detail = "Only an owner can take an owner's second factor away.";
        return Err(Problem::new(Code::PermissionDenied, detail));
    }
    let removed = worker.auth.remove_second_factor(ctx.scope(), user).await;
    removed.map_err(Problem::busy_is_unavailable)?;
    Ok(HttpResponse::NoContent().finish())
}

/// As the caller is now, whatever its token says.
async fn is_owner(ctx: &TenantCtx, worker: &Worker) -> Outcome<bool> {
    if ctx.principal().kind != PrincipalKind::User {
        return Ok(false);
    }
    let own = worker.auth.account(ctx.principal().tenant, UserId::from_uuid(ctx.principal().id)).await?;
    Ok(own.is_some_and(|(_, own)| own.account.is_active() && own.account.role().ok() == Some(Role::Owner)))
}

/// The account of whoever is at work, once more proved by its password.
async fn proved(
    ctx: &TenantCtx,
    request: &HttpRequest,
    worker: &Worker,
    members: &mut Members,
) -> Outcome<(DirectoryEntry, KnownAccount, Attempt)> {
    let password = SecretString::from(members.required("password")?);
    let Identified { tenant, known, attempt } =
        identify_again(worker, request, (ctx.principal().tenant, ctx.person()?), ("password", password))
            .await?;
    Ok((tenant, known, attempt))
}

/// The same, and by a code.
async fn proved_with_factor(
    ctx: &TenantCtx,
    request: &HttpRequest,
    worker: &Worker,
    members: &mut Members,
) -> Outcome<()> {
    let code = members.required("code")?;
    let (entry, known, attempt) = proved(ctx, request, worker, members).await?;
    let stored = known.second_factor.as_ref().ok_or_else(Problem::not_found)?;
    let checked = factor::check(worker, &entry, &known.account, stored, &code).await;
    checked.map_err(|problem| match problem.code {
        Code::AuthenticationFailed => complaint("code", "This is not the code, or it was used before."),
        _ => problem,
    })?;
    attempt.succeeded(worker).await
}

fn hashes(codes: &[NewRecoveryCode]) -> Vec<[u8; 32]> {
    codes.iter().map(|code| *code.digest.as_bytes()).collect()
}

fn told(codes: &[NewRecoveryCode]) -> Outcome<HttpResponse> {
    let recovery_codes = codes.iter().map(|code| code.plain.expose_secret().to_owned()).collect();
    respond::secret_document(StatusCode::OK, &CodesReply { recovery_codes })
}
