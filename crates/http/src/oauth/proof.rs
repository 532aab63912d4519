//! Proving a client: whoever knows a live secret of an active client, from an address that it may call from. Whatever is
//! wrong, the work and the answer are the same; only the tenant's own record of attempts tells what it was.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;
use bulkhead_auth::client_secret;
use bulkhead_auth::secret::Digest;
use bulkhead_domain::clients::ClientIdentifier;
use bulkhead_domain::clock::now;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::{ClientId, TenantId};
use bulkhead_persistence::client_credentials::{ClientAccount, ClientSession, KnownClient, StoredSecret};
use bulkhead_persistence::credentials::DirectoryEntry;
use bulkhead_persistence::usage::{Attempt, attempt_now};
use ipnet::IpNet;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::credentials::{self, Credentials};
use crate::client_address::{client_address, user_agent};
use crate::extract::form::Members;
use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

/// A client that has proved who it is.
pub(crate) struct Proven {
    pub(crate) tenant: DirectoryEntry,
    pub(crate) client: ClientAccount,
    pub(crate) secret: StoredSecret,
    /// Where it calls from.
    address: Option<IpAddr>,
}

impl Proven {
    /// When its secret ends, in Unix seconds, if that is known.
    pub(crate) fn secret_ends(&self) -> Option<i64> {
        self.secret.expires_at.map(|end| end.timestamp())
    }

    /// Where it calls from, for the log.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

/// Why a client was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    UnknownClient,
    WrongSecret,
    SecretExpired,
    Disabled,
    Expired,
    AddressNotAllowed,
    TenantInactive,
}

impl Reason {
    /// The word that the record of attempts has for it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownClient => "client_not_found",
            Self::WrongSecret => "invalid_secret",
            Self::SecretExpired => "secret_expired",
            Self::Disabled => "client_disabled",
            Self::Expired => "client_expired",
            Self::AddressNotAllowed => "ip_not_allowed",
            Self::TenantInactive => "tenant_inactive",
        }
    }
}

/// Proves a client that wants a token: those attempts are limited by client and address too.
pub(crate) async fn prove_for_token(
    worker: &Worker,
    request: &HttpRequest,
    credentials: Option<Credentials>,
) -> Outcome<Proven> {
    worker.limits.attempt(request, credentials.as_ref().map_or("", |sent| &sent.client_id))?;
    prove(worker, request, credentials).await
}

/// Proves the client that presents a token of somebody's, and reads that token.
pub(crate) async fn prove_with_token(
    worker: &Worker,
    request: &HttpRequest,
    mut members: Members,
) -> Outcome<(Proven, String)> {
    let credentials = credentials::read(request, &mut members)?;
    let token = members.required("token")?;
    Ok((prove(worker, request, credentials).await?, token))
}

/// Proves a client, and notes the attempt.
async fn prove(worker: &Worker, request: &HttpRequest, credentials: Option<Credentials>) -> Outcome<Proven> {
    let in_header = credentials.as_ref().is_some_and(|sent| sent.in_header);
    let (named, presented) = credentials.map(|sent| (sent.client_id, sent.secret)).unwrap_or_default();
    // Nobody's client is searched as well, so that rubbish takes as long as a name.
    let identifier = ClientIdentifier::parse(&named).unwrap_or_else(nobody);
    let known = worker.auth.find_client(&identifier).await?;
    let digests: Vec<Digest> =
        known.secrets.iter().filter_map(StoredSecret::hash).map(Digest::from_bytes).collect();
    let matching = client_secret::find(presented.expose_secret(), &digests);
    let secret = matching.and_then(|at| known.secrets.get(at)).cloned();
    let address = client_address(request, &worker.settings.trusted_proxies);

    // The record belongs to a tenant; an attempt under a name that has none is in the log alone.
    let attempt = known.tenant.as_ref().map(|tenant| {
        let client = known.client.as_ref().map(ClientAccount::id);
        (
            tenant.id(),
            Attempt {
                api_client: client.map(ClientId::uuid),
                secret: secret.as_ref().map(|secret| secret.id().uuid()),
                ..attempt_of(request, identifier.as_str(), address)
            },
        )
    });
    let verdict = judge(known, secret, address);
    record(worker, identifier.as_str(), attempt, verdict.as_ref().err().copied(), "granted");
    // Which reason it was is nobody's business outside.
    verdict.map_err(|_reason| refused(in_header))
}

fn judge(
    known: KnownClient,
    secret: Option<StoredSecret>,
    address: Option<IpAddr>,
) -> Result<Proven, Reason> {
    let (Some(tenant), Some(client)) = (known.tenant, known.client) else {
        return Err(Reason::UnknownClient);
    };
    let Some(secret) = secret else { return Err(Reason::WrongSecret) };
    check(&tenant, &client, &secret, address)?;
    Ok(Proven { tenant, client, secret, address })
}

/// A client that is known by its session: what must hold beside the secret has to hold still. Notes the attempt.
pub(crate) fn of_session(worker: &Worker, request: &HttpRequest, session: ClientSession) -> Option<Proven> {
    let ClientSession { tenant, client, secret, .. } = session;
    let address = client_address(request, &worker.settings.trusted_proxies);
    let verdict = check(&tenant, &client, &secret, address);
    let attempt = Attempt {
        api_client: Some(client.id().uuid()),
        secret: Some(secret.id().uuid()),
        ..attempt_of(request, &client.client_id, address)
    };
    record(worker, &client.client_id, Some((tenant.id(), attempt)), verdict.err(), "refreshed");
    verdict.is_ok().then_some(Proven { tenant, client, secret, address })
}

fn attempt_of(request: &HttpRequest, client_id: &str, address: Option<IpAddr>) -> Attempt {
    Attempt {
        ip_address: address.map(|address| address.to_string()),
        user_agent: user_agent(request),
        ..attempt_now(client_id)
    }
}

/// Writes an attempt down as what became of it.
fn record(
    worker: &Worker,
    client_id: &str,
    attempt: Option<(TenantId, Attempt)>,
    refusal: Option<Reason>,
    success: &'static str,
) {
    if let Some(reason) = refusal {
        tracing::info!(client_id, reason = reason.as_str(), "client refused");
    }
    if let Some((tenant, attempt)) = attempt {
        let outcome = refusal.map_or(success, Reason::as_str).to_owned();
        worker.state.usage.attempt(tenant, Attempt { success: refusal.is_none(), outcome, ..attempt });
    }
}

fn check(
    tenant: &DirectoryEntry,
    client: &ClientAccount,
    secret: &StoredSecret,
    address: Option<IpAddr>,
) -> Result<(), Reason> {
    let over = |end: Option<_>| end.is_some_and(|end| end <= now());
    if over(secret.expires_at) {
        return Err(Reason::SecretExpired);
    }
    if !client.is_active() {
        return Err(Reason::Disabled);
    }
    if over(client.expires_at) {
        return Err(Reason::Expired);
    }
    if !may_call_from(&client.allowed_ips, address) {
        return Err(Reason::AddressNotAllowed);
    }
    if tenant.is_active() { Ok(()) } else { Err(Reason::TenantInactive) }
}

/// A network that cannot be read lets nobody in.
fn may_call_from(allowed: &[String], address: Option<IpAddr>) -> bool {
    allowed.is_empty()
        || address.is_some_and(|address| {
            let mut networks = allowed.iter().filter_map(|network| network.parse::<IpNet>().ok());
            networks.any(|network| network.contains(&address))
        })
}

fn nobody() -> ClientIdentifier {
    ClientIdentifier::of(TenantId::from_uuid(Uuid::nil()), ClientId::from_uuid(Uuid::nil()))
}

/// The one answer to whoever is not let in. It names the scheme that was tried (RFC 6749 §5.2), and the error too: libraries
/// that find a challenge tell their callers of the challenge only.
pub(crate) fn refused(in_header: bool) -> Problem {
    let challenge = if in_header {
        "Basic realm=\"api\", charset=\"UTF-8\", error=\"invalid_client\""
    } else {
        "Bearer realm=\"api\", error=\"invalid_client\""
    };
    Problem::new(Code::AuthenticationFailed, "Authentication failed")
        .with_header(header::WWW_AUTHENTICATE, challenge)
        .with_oauth_error()
}
