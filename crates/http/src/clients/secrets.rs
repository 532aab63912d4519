//! A client's secrets: listing, rotating with an overlap, retiring.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use bulkhead_auth::client_secret::{self, NewClientSecret};
use bulkhead_domain::clock::now;
use bulkhead_domain::code::Code;
use bulkhead_domain::field::{Count, Field as _, Reference, Switch};
use bulkhead_domain::ids::SecretId;
use bulkhead_persistence::crud::Entity as _;
use bulkhead_persistence::error::{DbError, DbResult};
use bulkhead_persistence::idempotency::{Once, Reply};
use bulkhead_persistence::{ApiClients, NewSecret, Retirement, Rotated, Secret};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use utoipa::ToSchema;

use super::manage::refused;
use super::reach::Reach;
use crate::context::TenantCtx;
use crate::extract::body::Body;
use crate::extract::form::complaint;
use crate::extract::id::PathId;
use crate::extract::retry::IdempotencyKey;
use crate::problem::{Outcome, Problem};
use crate::respond;
use crate::worker::Worker;

/// How long the other secrets go on working when nothing is said.
const USUAL_OVERLAP: TimeDelta = TimeDelta::days(1);
/// The longest that they may.
pub const LONGEST_OVERLAP: TimeDelta = TimeDelta::days(90);
/// The longest for which a secret with an end is good.
const LONGEST_LIFETIME: TimeDelta = TimeDelta::days(3650);
/// A secret that was used within this time is in use.
pub const SECRET_IN_USE: TimeDelta = TimeDelta::hours(24);

bulkhead_domain::fields! {
    /// How to rotate.
    pub RotationFields, RotationPatch {
        /// How long the other secrets go on working, in seconds: a day unless given, 90 days at most; 0 retires them at once.
        overlap_seconds: Option<Count> = None,
        /// For how long the new secret is good, in seconds, 1 at the least; null: until it is rotated.
        expires_in_seconds: Option<Count> = None,
    }
}

bulkhead_domain::fields! {
    /// Which secret to retire.
    pub RetirementFields, RetirementPatch {
        /// The secret's id.
        secret: Reference,
        /// Retire it even if it is in use, or the only one.
        force: Switch = Switch::default(),
    }
}

/// A new secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct RotatedSecret<'a> {
    /// The new secret's id.
    id: String,
    /// The secret, now and never again; null when this is the answer to an earlier request repeated.
    client_secret: Option<&'a str>,
    /// Every secret of the client, newest first.
    secrets: &'a [Secret],
}

/// What is stored of a secret that was just made, under an id of its own.
#[must_use]
pub fn stored(secret: &NewClientSecret, expires_at: Option<DateTime<Utc>>) -> NewSecret<'_> {
    NewSecret { id: SecretId::generate(), hash: secret.digest.as_bytes(), hint: &secret.hint, expires_at }
}

/// `GET /api/v1/api-clients/{id}/secrets/`
pub(crate) async fn list(ctx: TenantCtx, id: PathId) -> Outcome<HttpResponse> {
    // An unknown client is not one without secrets.
    ApiClients::get(ctx.db(), id.0).await.map_err(refused)?;
    respond::json(&ApiClients::secrets(ctx.db(), id.0).await?)
}

/// `POST /api/v1/api-clients/{id}/secrets/`
pub(crate) async fn rotate(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    key: IdempotencyKey,
    body: Body<RotationFields>,
) -> Outcome<HttpResponse> {
    let Body { fields, bytes } = body;
    let overlap =
        seconds("overlap_seconds", fields.overlap_seconds, LONGEST_OVERLAP)?.unwrap_or(USUAL_OVERLAP);
    let lifetime = seconds("expires_in_seconds", fields.expires_in_seconds, LONGEST_LIFETIME)?;
    if lifetime.is_some_and(|lifetime| lifetime.is_zero()) {
        return Err(complaint("expires_in_seconds", "Ensure this value is greater than or equal to 1."));
    }
    let key = key.for_body(&bytes);
    let secret = client_secret::generate();
    let stored = stored(&secret, lifetime.map(|lifetime| now() + lifetime));
    let (mut all, mut ended, mut too_many) = (Vec::new(), Vec::new(), false);
    let once = ctx.db().write_once(key.as_ref(), async |tx| {
        Reach::of(&ctx, tx).await?.covers_id(tx, id.0).await?;
        match ApiClients::rotate(tx, id.0, stored, overlap).await? {
            Rotated::Done(secrets, revocations) => (all, ended) = (secrets, revocations),
            Rotated::TooMany => {
                too_many = true;
                return Err(DbError::Withdrawn);
            }
        }
        reply_of(stored.id, None, &all)
    });
    let once = once.await;
    if too_many {
        return Err(Problem::new(Code::Conflict, "The client has 10 live secrets. Retire one first."));
    }
    let once = once.map_err(refused)?;
    ended.into_iter().for_each(|ended| worker.state.revoke(ended));
    Ok(respond::secret(match once {
        Once::First(_) => Once::First(reply_of(stored.id, Some(secret.plain.expose_secret()), &all)?),
        replayed @ Once::Replayed(_) => replayed,
    }))
}

fn reply_of(id: SecretId, secret: Option<&str>, secrets: &[Secret]) -> DbResult<Reply> {
    let document = RotatedSecret { id: id.to_string(), client_secret: secret, secrets };
    respond::document(StatusCode::CREATED, &document, [])
}

fn seconds(name: &str, field: Option<Count>, most: TimeDelta) -> Outcome<Option<TimeDelta>> {
    let Some(field) = field else { return Ok(None) };
    let time = TimeDelta::try_seconds(field.into_column()).filter(|time| *time <= most);
    let too_long =
        || complaint(name, &format!("Ensure this value is less than or equal to {}.", most.num_seconds()));
    time.map(Some).ok_or_else(too_long)
}

/// `POST /api/v1/api-clients/{id}/retire-secret/`
pub(crate) async fn retire(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    key: IdempotencyKey,
    body: Body<RetirementFields>,
) -> Outcome<HttpResponse> {
    let Body { fields, bytes } = body;
    let (secret, force) = (fields.secret.into_column(), fields.force.into_column());
    let (key, mut outcome) = (key.for_body(&bytes), None);
    let once = ctx.db().write_once(key.as_ref(), async |tx| {
        let done = ApiClients::retire(tx, id.0, secret, force, now() - SECRET_IN_USE).await?;
        outcome = Some(done);
        match done {
            Retirement::Retired(_) => {
                respond::document(StatusCode::OK, &ApiClients::secrets_in(tx, id.0).await?, [])
            }
            Retirement::InUse(_) | Retirement::Last => Err(DbError::Withdrawn),
        }
    });
    let once = once.await;
    match outcome {
        Some(Retirement::Retired(ended)) if once.is_ok() => worker.state.revoke(ended),
        Some(Retirement::InUse(last)) => {
            let detail = format!("The secret was last used at {}.", last.to_rfc3339());
            return Err(Problem::new(Code::SecretInUse, detail));
        }
        Some(Retirement::Last) => {
            return Err(Problem::new(Code::SecretInUse, "The secret is the only one that the client has."));
        }
        Some(Retirement::Retired(_)) | None => {}
    }
    Ok(respond::once(once.map_err(refused)?))
}
