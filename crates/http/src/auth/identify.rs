//! Who somebody is by password: the tenant and the name as they were sent, the account that they mean together, and the
//! password. Whatever is wrong, work and answer are the same. What the proof is good for is the caller's business.

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::Data;
use bulkhead_auth::password::{HashError, Verdict};
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::{TenantId, UserId};
use bulkhead_domain::person::normalize_name;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::credentials::{DirectoryEntry, KnownAccount};
use secrecy::SecretString;
use uuid::Uuid;

use super::attempt::{Attempt, stand_in};
use crate::context::host_of;
use crate::extract::form::{Members, complaint};
use crate::metrics::PASSWORDS_HASHED;
use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

/// The longest name that is looked up; longer ones belong to nobody.
const LONGEST_NAME: usize = 254;

/// What somebody says of himself.
pub(crate) struct Claimed {
    tenant: TenantName,
    /// In normal form.
    name: String,
    password: SecretString,
}

/// An account whose password was right. It may have a second factor, which was not asked for yet.
pub(crate) struct Identified {
    pub(crate) tenant: DirectoryEntry,
    pub(crate) known: KnownAccount,
    pub(crate) attempt: Attempt,
}

impl Claimed {
    /// Reads the tenant, the name and the password.
    pub(crate) fn read(request: &HttpRequest, members: &mut Members) -> Outcome<Self> {
        let name = match members.optional("username")? {
            Some(name) => Some(name),
            None => members.optional("email")?,
        };
        let name = name.ok_or_else(|| complaint("username", "This field is required."))?;
        let password = SecretString::from(members.required("password")?);
        Ok(Self { tenant: tenant_name(request, members)?, name: normalize_name(&name), password })
    }
}

/// The tenant that a body names, or else the host.
pub(crate) fn tenant_name(request: &HttpRequest, members: &mut Members) -> Outcome<TenantName> {
    match members.optional("tenant")? {
        Some(text) => Ok(TenantName::from_body(&text)),
        None => host_of(request)
            .map(TenantName::Host)
            .ok_or_else(|| complaint("tenant", "This field is required.")),
    }
}

/// Compares the password with that of the account, once, and only if another attempt may be made.
pub(crate) async fn identify(
    worker: &Data<Worker>,
    request: &HttpRequest,
    claimed: Claimed,
) -> Outcome<Identified> {
    let Claimed { tenant, name, password } = claimed;
    // Without the tenant: it has several spellings, and each would be a limit of its own.
    worker.limits.attempt(request, &name)?;
    let tenant = worker.auth.find_tenant(&tenant).await?;
    // Nobody's tenant is searched as well, so that an unknown tenant takes as long as a known one.
    let searched = tenant.as_ref().map_or(TenantId::from_uuid(Uuid::nil()), |tenant| tenant.id());
    let name = if name.chars().count() > LONGEST_NAME { "" } else { &name };
    let known = worker.auth.find_account(searched, name).await?;
    let account = known.as_ref().map_or_else(|| stand_in(name), |known| known.account.id().uuid());
    let attempt = Attempt::reserve(worker, request, searched, account).await?;
    let hash = known.as_ref().map(|known| known.password_hash.clone());
    let verdict = verify(worker, password.clone(), hash).await?;
    let (Some(tenant), Some(known), true) = (tenant, known, verdict != Verdict::NoMatch) else {
        return Err(refused());
    };
    // Only who knows the password may learn why it does not help.
    if !known.account.is_active() {
        return Err(refused());
    }
    if !tenant.is_active() {
        return Err(Problem::new(Code::TenantInactive, "The tenant is suspended."));
    }
    if verdict == Verdict::MatchNeedsRehash {
        rehash(worker, tenant.id(), &known, password);
    }
    Ok(Identified { tenant, known, attempt })
}

/// Whether whoever is at work knows its own password, which stands in the member `field`.
pub(crate) async fn identify_again(
    worker: &Worker,
    request: &HttpRequest,
    (tenant, user): (TenantId, UserId),
    (field, password): (&str, SecretString),
) -> Outcome<Identified> {
    let (entry, known) = worker.auth.account(tenant, user).await?.ok_or_else(Problem::not_found)?;
    let attempt = Attempt::reserve(worker, request, tenant, user.uuid()).await?;
    if verify(worker, password, Some(known.password_hash.clone())).await? == Verdict::NoMatch {
        return Err(complaint(field, "This is not your password."));
    }
    Ok(Identified { tenant: entry, known, attempt })
}

/// Says that the password was right; not of an account with a second factor, where a password is half of the proof: whoever has it
/// would begin the count anew after each few guesses of the code.
pub(crate) async fn password_was_right(
    worker: &Worker,
    known: &KnownAccount,
    attempt: Attempt,
) -> Outcome<()> {
    if known.second_factor.is_some() {
        return Ok(());
    }
    attempt.succeeded(worker).await
}

/// Compares a password with a stored hash. A password that could never have been set is a wrong one.
async fn verify(worker: &Worker, password: SecretString, stored: Option<String>) -> Outcome<Verdict> {
    PASSWORDS_HASHED.inc();
    match worker.services.hasher.verify(password, stored).await {
        Ok(verdict) => Ok(verdict),
        Err(HashError::Unusable(_)) => Ok(Verdict::NoMatch),
        Err(error) => Err(not_hashed(&error)),
    }
}

/// Why a password was not hashed, when that is not its own fault.
pub(crate) fn not_hashed(error: &HashError) -> Problem {
    match error {
        HashError::Busy => Problem::unavailable(&"too many passwords at once"),
        HashError::Unusable(_) | HashError::Internal(_) => Problem::internal(error),
    }
}

/// Hashes the password anew, as passwords are hashed today: behind the answer, which does not need it, and only if there is
/// room. The next log-in tries again.
fn rehash(worker: &Data<Worker>, tenant: TenantId, known: &KnownAccount, password: SecretString) {
    let (worker, user, before) = (worker.clone(), known.account.id(), known.password_hash.clone());
    actix_web::rt::spawn(async move {
        let Ok(hash) = super::password::hash(&worker, password).await else { return };
        if let Err(error) = worker.auth.rehash_password(tenant, user, &before, &hash).await {
            tracing::warn!(%error, "a password keeps its older hash");
        }
    });
}

/// The one answer to whoever is not let in.
pub(crate) fn refused() -> Problem {
    Problem::new(Code::AuthenticationFailed, "No active account found with the given credentials")
        .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"api\"")
}
