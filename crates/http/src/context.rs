//! The proof in a handler's signature. Extracting a [`TenantCtx`] authenticates the request, checks its address, its
//! limits and the scope that its operation declares, and holds the only door to the tenant's tables. A handler without one has no database.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use bulkhead_auth::token::Verified;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::{TenantId, UserId};
use bulkhead_domain::principal::{Principal, PrincipalKind};
use bulkhead_domain::tenant::TenantScope;
use bulkhead_persistence::tenant_db::TenantDb;
use futures_util::future::{Either, Ready, ready};

use crate::client_address::client_address;
use crate::extract::body::Extraction;
use crate::operation::{Access, PathOperations};
use crate::problem::{Outcome, Problem};
use crate::state::Disbelief;
use crate::worker::Worker;

/// A verified principal at work in its own tenant.
pub(crate) struct TenantCtx {
    verified: Arc<Verified>,
    worker: web::Data<Worker>,
}

impl TenantCtx {
    /// The tenant's tables.
    pub(crate) fn db(&self) -> TenantDb<'_> {
        self.worker.db.tenant(self.verified.scope())
    }

    /// The proof that the principal is of the tenant.
    pub(crate) fn scope(&self) -> TenantScope {
        self.verified.scope()
    }

    /// Who is at work.
    pub(crate) fn principal(&self) -> &Principal {
        &self.verified.principal
    }

    /// The person at work.
    ///
    /// # Errors
    /// A machine is, which has neither password nor profile.
    pub(crate) fn person(&self) -> Outcome<UserId> {
        match self.principal().kind {
            PrincipalKind::User => Ok(UserId::from_uuid(self.principal().id)),
            PrincipalKind::Client | PrincipalKind::Service => {
                Err(Problem::new(Code::PermissionDenied, "Only a person can do this."))
            }
        }
    }

    /// What links start with.
    pub(crate) fn public_url(&self) -> &str {
        &self.worker.settings.public_url
    }
}

/// Whom the log line names.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) Arc<Verified>);

impl FromRequest for TenantCtx {
    type Error = Problem;
    // Waits only for the owner of a host that nobody asked about lately.
    type Future = Either<Ready<Outcome<Self>>, Extraction<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ctx = match authorize(request) {
            Ok(ctx) => ctx,
            Err(problem) => return Either::Left(ready(Err(problem))),
        };
        let host = host_of(request);
        let tenant = ctx.verified.principal.tenant;
        match ctx.worker.state.hosts.remembered(host.as_deref()) {
            Some(owner) => Either::Left(ready(owner.admit(tenant).map(|()| ctx))),
            None => Either::Right(Box::pin(async move {
                on_its_host(&ctx.worker, host.as_deref(), tenant).await?;
                Ok(ctx)
            })),
        }
    }
}

/// Refuses a token of `tenant` that was sent to another tenant's host. To be asked once the token is believed: whoever has
/// none must not be able to make the server ask the database.
pub(crate) async fn on_its_host(worker: &Worker, host: Option<&str>, tenant: TenantId) -> Outcome<()> {
    let owner = match (worker.state.hosts.remembered(host), host) {
        (Some(owner), _) => owner,
        (None, Some(host)) => worker.state.hosts.ask(&worker.auth, host).await?,
        (None, None) => return Ok(()),
    };
    owner.admit(tenant)
}

fn authorize(request: &HttpRequest) -> Outcome<TenantCtx> {
    let operation = request.app_data::<PathOperations>().and_then(|path| path.serving(request.method()));
    let Some(operation) = operation else { return Err(Problem::internal(&"a handler without an operation")) };
    let Some(worker) = request.app_data::<web::Data<Worker>>() else {
        return Err(Problem::internal(&"a handler without a worker"));
    };
    let token = bearer(request)?;
    let verified = worker.verify(token).map_err(|error| {
        tracing::info!(reason = %error, "token refused");
        token_not_valid()
    })?;
    request.extensions_mut().insert(Caller(Arc::clone(&verified)));
    worker.state.believes(&verified).map_err(disbelieved)?;
    at_home(request, worker, &verified.principal)?;
    worker.limits.request(request, &verified.principal)?;
    worker.services.hasher.others_are_at_work();
    allowed(operation.access, &verified.principal)?;
    Ok(TenantCtx { verified, worker: worker.clone() })
}

/// Whether a principal may call from where it does. From elsewhere its token is worth as much as none at all, and the
/// answer does not say why: it would tell a thief where to take it.
fn at_home(request: &HttpRequest, worker: &Worker, principal: &Principal) -> Outcome<()> {
    let networks = &principal.restrictions.networks;
    if networks.is_empty() {
        return Ok(());
    }
    let address = client_address(request, &worker.settings.trusted_proxies);
    if address.is_some_and(|address| networks.iter().any(|network| network.contains(&address))) {
        return Ok(());
    }
    let address = address.map(tracing::field::display);
    tracing::info!(reason = "the address is none of those allowed", address, "token refused");
    Err(token_not_valid())
}

fn allowed(access: Access, principal: &Principal) -> Outcome<()> {
    match access {
        // A public operation proves nothing about its caller, so it must not reach a tenant's tables.
        Access::Public => Err(Problem::internal(&"a public operation asked for a tenant")),
        Access::Authenticated => Ok(()),
        Access::Scoped(scope) if principal.scopes.allows(scope) => Ok(()),
        Access::Scoped(scope) => Err(lacking(&[scope.to_string()])),
    }
}

/// The refusal of whoever has none of the scopes, each of which would do.
pub(crate) fn lacking(scopes: &[String]) -> Problem {
    let detail = format!("This operation needs the scope {}.", scopes.join(" or "));
    let parameters = format!("error=\"insufficient_scope\", scope=\"{}\"", scopes.join(" "));
    refused(Code::InsufficientScope, &detail, &parameters)
}

/// A token that verified and yet does not count.
pub(crate) fn disbelieved(why: Disbelief) -> Problem {
    match why {
        Disbelief::Revoked => {
            tracing::info!("revoked token refused");
            token_not_valid()
        }
        Disbelief::Stale => Problem::unavailable(&"revocations have not been heard of for too long"),
    }
}

/// The bearer token (RFC 6750 §2.1); never from the query or a cookie. The scheme is read without regard to case.
pub(crate) fn bearer(request: &HttpRequest) -> Outcome<&str> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let (first, second) = (headers.next(), headers.next());
    let malformed =
        || refused(Code::TokenNotValid, "The Authorization header is malformed.", "error=\"invalid_token\"");
    match (first, second) {
        (None, _) => {
            Err(refused(Code::NotAuthenticated, "Authentication credentials were not provided.", ""))
        }
        (Some(_), Some(_)) => Err(malformed()),
        (Some(value), None) => token_in(value).ok_or_else(malformed),
    }
}

fn token_in(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    // The token's own form is the verifier's matter, and for a remembered token it is known.
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The one answer to every token that does not count, whatever the reason.
pub(crate) fn token_not_valid() -> Problem {
    refused(Code::TokenNotValid, "The token is malformed, expired or revoked.", "error=\"invalid_token\"")
}

/// A refusal with its challenge (RFC 6750 §3): no error code when no token was sent.
fn refused(code: Code, detail: &str, parameters: &str) -> Problem {
    let separator = if parameters.is_empty() { "" } else { ", " };
    Problem::new(code, detail)
        .with_header(header::WWW_AUTHENTICATE, &format!("Bearer realm=\"api\"{separator}{parameters}"))
}

/// The host that the request was sent to, without its port. Only the `Host` header or an absolute target: what a proxy's
/// client writes into `X-Forwarded-Host` decides nothing.
pub(crate) fn host_of(request: &HttpRequest) -> Option<String> {
    let sent = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(|authority| authority.host()).or(sent)?;
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    (!name.is_empty() && name.len() <= 253).then_some(name)
}
