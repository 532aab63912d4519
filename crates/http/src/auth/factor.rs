//! Checking a second factor: a code of the app, or a recovery code. Nothing is taken twice. The attempt was counted by the
//! caller.

use actix_web::http::header;
use bulkhead_auth::challenge::Challenge;
use bulkhead_auth::recovery_code;
use bulkhead_auth::sealed::{SealingKeys, context};
use bulkhead_auth::totp::TotpSecret;
use bulkhead_domain::clock::now;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::{TenantId, UserId};
use bulkhead_persistence::credentials::{Account, DirectoryEntry, StoredFactor};
use chrono::TimeDelta;
use secrecy::ExposeSecret as _;

use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

/// How long somebody may look for the code after the password was right.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// What sealed secrets of second factors are bound to.
pub(super) fn bound_to(tenant: TenantId, user: UserId) -> Vec<u8> {
    context("second_factor", tenant, user)
}

/// The keys that seal secrets.
///
/// # Errors
/// There are none: the operator offers no second factor.
pub(super) fn keys(worker: &Worker) -> Outcome<&SealingKeys> {
    worker
        .services
        .sealing
        .as_deref()
        .ok_or_else(|| Problem::new(Code::NotOffered, "This server has no key to keep second factors with."))
}

/// Asks for the second step, with the proof of the first.
pub(super) fn challenge(worker: &Worker, tenant: &DirectoryEntry, account: &Account) -> Outcome<Problem> {
    let expires = now() + PATIENCE;
    let challenge =
        Challenge { tenant: tenant.id(), user: account.id(), session_epoch: account.session_epoch, expires };
    let sealed = challenge.seal(keys(worker)?).map_err(|error| Problem::internal(&error))?;
    Ok(Problem::new(Code::SecondFactorRequired, "The code of the second factor is needed as well.")
        .with_challenge(sealed.expose_secret().to_owned()))
}

/// Takes a code.
///
/// # Errors
/// 401 when it is not right or was taken before.
pub(super) async fn check(
    worker: &Worker,
    tenant: &DirectoryEntry,
    account: &Account,
    stored: &StoredFactor,
    code: &str,
) -> Outcome<()> {
    let (tenant, user) = (tenant.id(), account.id());
    let opened = keys(worker)?.open(&stored.secret, &bound_to(tenant, user));
    let secret = opened.and_then(|secret| TotpSecret::from_bytes(&secret));
    let secret = secret.ok_or_else(|| Problem::internal(&"no key opens the secret of a second factor"))?;
    let taken = match secret.verify(code, now(), stored.last_step) {
        Some(step) => worker.auth.take_step(tenant, user, step).await,
        None => match recovery_code::digest_of(code) {
            Some(digest) => worker.auth.take_recovery_code(tenant, user, digest.as_bytes()).await,
            None => Ok(false),
        },
    };
    if taken.map_err(Problem::busy_is_unavailable)? { Ok(()) } else { Err(wrong_code()) }
}

/// The answer to a code that is not right.
pub(super) fn wrong_code() -> Problem {
    Problem::new(Code::AuthenticationFailed, "The code is not right, or was used before.")
        .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"api\"")
}
