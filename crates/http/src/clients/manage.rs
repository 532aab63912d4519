//! Making, changing, switching off and removing clients.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use bulkhead_auth::client_secret;
use bulkhead_domain::clients::{ApiClientFields, ApiClientPatch};
use bulkhead_domain::code::Code;
use bulkhead_domain::field::Field as _;
use bulkhead_domain::ids::ClientId;
use bulkhead_persistence::error::{DbError, DbResult};
use bulkhead_persistence::idempotency::{Once, Reply, RetryKey};
use bulkhead_persistence::tenant_db::WriteTx;
use bulkhead_persistence::{ApiClient, ApiClients, Changed, Created, TenantNames};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use utoipa::ToSchema;

use super::reach::Reach;
use super::secrets::stored;
use super::{RESOURCE, unknown_scopes};
use crate::context::TenantCtx;
use crate::extract::body::Body;
use crate::extract::form::complaint;
use crate::extract::id::PathId;
use crate::extract::precondition::IfMatch;
use crate::extract::retry::IdempotencyKey;
use crate::problem::{Outcome, Problem};
use crate::resource::collection;
use crate::respond;
use crate::worker::Worker;

/// A client that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedClient<'a> {
    #[serde(flatten)]
    client: &'a ApiClient,
    /// The secret, now and never again; null when this is the answer to an earlier request repeated.
    client_secret: Option<&'a str>,
    /// The tenant.
    tenant: &'a TenantNames,
    /// What to look at before using it.
    warnings: &'a [&'static str],
}

/// Said of a client that may do nothing.
const POWERLESS: &str = "The client has neither roles nor scopes, so it may do nothing.";

/// `POST /api/v1/api-clients/`
pub(crate) async fn create(
    ctx: TenantCtx,
    key: IdempotencyKey,
    body: Body<ApiClientFields>,
) -> Outcome<HttpResponse> {
    let Body { fields, bytes } = body;
    known_scopes(Some(&fields.scopes.clone().into_column()))?;
    let key = key.for_body(&bytes);
    let (id, secret) = (ClientId::generate(), client_secret::generate());
    let stored = stored(&secret, None);
    let mut made = None;
    let once = ctx.db().write_once(key.as_ref(), async |tx| {
        let reach = Reach::of(&ctx, tx).await?;
        let created = ApiClients::create(tx, id, fields, stored).await?;
        reach.covers(&created.client)?;
        // What is stored for a retry has no secret in it.
        let reply = reply_of(&created, None)?;
        made = Some(created);
        Ok(reply)
    });
    let once = once.await.map_err(refused)?;
    Ok(respond::secret(match (once, made) {
        (Once::First(_), Some(created)) => {
            Once::First(reply_of(&created, Some(secret.plain.expose_secret()))?)
        }
        (once, _) => once,
    }))
}

fn reply_of(created: &Created, secret: Option<&str>) -> DbResult<Reply> {
    let warnings: &[&'static str] = if created.client.rights().is_empty() { &[POWERLESS] } else { &[] };
    let document =
        CreatedClient { client: &created.client, client_secret: secret, tenant: &created.tenant, warnings };
    let location = format!("{}{}/", collection::<ApiClients>(), created.client.id);
    respond::document(StatusCode::CREATED, &document, [(header::LOCATION, location)])
}

/// `PATCH /api/v1/api-clients/{id}/`
pub(crate) async fn partial_update(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    expected: IfMatch,
    body: Body<ApiClientPatch>,
) -> Outcome<HttpResponse> {
    let patch = body.fields;
    known_scopes(patch.scopes.clone().map(|scopes| scopes.into_column()).as_deref())?;
    let deed = async |tx: &mut WriteTx<'_>| {
        let reach = Reach::of(&ctx, tx).await?;
        reach.covers_id(tx, id.0).await?;
        let changed = ApiClients::change(tx, id.0, expected.0, patch).await?;
        // Looked at within the transaction, so that two changes at once cannot add up to what neither could give.
        reach.covers(&changed.client)?;
        Ok(changed)
    };
    changed(&ctx, &worker, None, deed).await
}

/// `DELETE /api/v1/api-clients/{id}/`
pub(crate) async fn destroy(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    expected: IfMatch,
) -> Outcome<HttpResponse> {
    let ended = ctx.db().write(async |tx| ApiClients::remove(tx, id.0, expected.0).await).await;
    worker.state.revoke(ended.map_err(refused)?);
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/v1/api-clients/{id}/disable/`
pub(crate) async fn disable(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    key: IdempotencyKey,
) -> Outcome<HttpResponse> {
    let key = key.for_body(b"");
    changed(&ctx, &worker, key.as_ref(), async |tx| ApiClients::set_active(tx, id.0, false).await).await
}

/// `POST /api/v1/api-clients/{id}/enable/`
pub(crate) async fn enable(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    key: IdempotencyKey,
) -> Outcome<HttpResponse> {
    let deed = async |tx: &mut WriteTx<'_>| {
        Reach::of(&ctx, tx).await?.covers_id(tx, id.0).await?;
        ApiClients::set_active(tx, id.0, true).await
    };
    let key = key.for_body(b"");
    changed(&ctx, &worker, key.as_ref(), deed).await
}

/// `POST /api/v1/api-clients/{id}/revoke-tokens/`
pub(crate) async fn revoke_tokens(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    key: IdempotencyKey,
) -> Outcome<HttpResponse> {
    let key = key.for_body(b"");
    changed(&ctx, &worker, key.as_ref(), async |tx| ApiClients::end_tokens(tx, id.0).await).await
}

/// Does a deed, once under a key if there is one, and believes at once what it ended.
async fn changed(
    ctx: &TenantCtx,
    worker: &Worker,
    key: Option<&RetryKey>,
    deed: impl AsyncFnOnce(&mut WriteTx<'_>) -> DbResult<Changed>,
) -> Outcome<HttpResponse> {
    let mut over = None;
    let once = ctx.db().write_once(key, async |tx| {
        let Changed { client, ended } = deed(tx).await?;
        over = ended;
        respond::reply(StatusCode::OK, &client, None)
    });
    let once = once.await.map_err(refused)?;
    over.into_iter().for_each(|ended| worker.state.revoke(ended));
    Ok(respond::once(once))
}

pub(super) fn refused(error: DbError) -> Problem {
    match error {
        DbError::Withdrawn => powerless(),
        error => Problem::from_db(error, Some(RESOURCE)),
    }
}

fn known_scopes(words: Option<&[String]>) -> Outcome<()> {
    words.and_then(unknown_scopes).map_or(Ok(()), |sentence| Err(complaint("scopes", &sentence)))
}

fn powerless() -> Problem {
    Problem::new(Code::PermissionDenied, "The client can, or could, do what you cannot do yourself.")
}
