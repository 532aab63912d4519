//! Idempotency keys: a claimed key and the reply stored under it, per tenant and principal. The key's row commits with
//! the write that it protects, so a crash between the two is impossible.

use std::collections::BTreeMap;

use bulkhead_domain::clock::now;
use bulkhead_domain::ids::new_id;
use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::query_dsl::methods;
use diesel::result::Error;
use diesel::sql_types;
use futures_util::future::try_join;
use serde_json::Value;
use uuid::Uuid;

use crate::error::{DbError, DbResult};
use crate::kept::kept;
use crate::schema::idempotency_keys as keys;
use crate::session::Session;
use crate::tenant_db::TenantDb;

/// How long a key is remembered.
const LIFETIME: TimeDelta = TimeDelta::hours(24);
/// Removes expired keys of a tenant: some, so that the write which pays for it stays short, and only those that nobody is
/// claiming again at this moment.
const SWEEP: &str = "DELETE FROM idempotency_keys WHERE (tenant_id, principal_id, key) IN (SELECT tenant_id, principal_id, key \
                     FROM idempotency_keys WHERE tenant_id = $1 AND created_at < $2 LIMIT 200 FOR UPDATE SKIP LOCKED)";

/// The key that a client sent, and the fingerprint of the request it came with.
#[derive(Clone, Debug)]
pub struct RetryKey {
    /// 1 to 255 characters, as sent.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub fingerprint: [u8; 32],
}

/// What is answered, and answered again.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers that belong to the result (`Location`, `ETag`), not to the request.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Whether the work was done now or before.
#[derive(Clone, Debug)]
pub enum Once {
    /// Now.
    First(Reply),
    /// Before: this is the stored reply.
    Replayed(Reply),
}

/// A key on behalf of a principal: two principals of a tenant may use the same key.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) principal: Uuid,
    pub(crate) key: &'a RetryKey,
}

/// Claims the key; `false` when somebody holds it. Waits for a transaction that is claiming it now, at most the role's
/// `lock_timeout`.
pub(crate) async fn claim(session: Session<'_>, claim: Option<Claim<'_>>) -> QueryResult<bool> {
    let Some(Claim { principal, key }) = claim else { return Ok(true) };
    let expired = now() - LIFETIME;
    let row = (
        keys::tenant_id.eq(session.tenant()),
        keys::principal_id.eq(principal),
        keys::key.eq(&key.key),
        keys::fingerprint.eq(&key.fingerprint[..]),
    );
    let insert = diesel::insert_into(keys::table)
        .values(row)
        .on_conflict((keys::tenant_id, keys::principal_id, keys::key))
        .do_update()
        .set((
            keys::fingerprint.eq(&key.fingerprint[..]),
            keys::status.eq(None::<i16>),
            keys::headers.eq(None::<Value>),
            keys::body.eq(None::<Vec<u8>>),
            keys::created_at.eq(diesel::dsl::now),
        ));
    let insert = methods::FilterDsl::filter(insert, keys::created_at.lt(expired));
    session.execute(kept(insert)).await.map(|rows| rows == 1)
}

/// Stores the reply under the claimed key, and now and then sweeps expired keys of the tenant.
pub(crate) async fn store(session: Session<'_>, claim: Claim<'_>, reply: &Reply) -> QueryResult<()> {
    let Claim { principal, key } = claim;
    let mine = keys::table
        .filter(keys::tenant_id.eq(session.tenant()))
        .filter(keys::principal_id.eq(principal).and(keys::key.eq(&key.key)));
    let headers = serde_json::to_value(&reply.headers).unwrap_or_default();
    let store = session.execute(kept(diesel::update(mine).set((
        keys::status.eq(i16::try_from(reply.status).unwrap_or(200)),
        keys::headers.eq(headers),
        keys::body.eq(&reply.body),
    ))));
    // One write in 64, by chance, so that a retry is not unlucky again.
    if new_id().as_bytes().last().is_some_and(|byte| *byte >= 4) {
        return store.await.and_then(stored);
    }
    let sweep = diesel::sql_query(SWEEP)
        .bind::<sql_types::Uuid, _>(session.tenant())
        .bind::<sql_types::Timestamptz, _>(now() - LIFETIME);
    try_join(store, session.execute(sweep)).await.and_then(|(rows, _)| stored(rows))
}

/// The claimed row is ours until the COMMIT; that it is not there would be a defect that loses the reply.
fn stored(rows: usize) -> QueryResult<()> {
    if rows == 1 { Ok(()) } else { Err(Error::RollbackTransaction) }
}

/// The stored reply, if this is the request that it was stored for.
pub(crate) async fn replay(db: TenantDb<'_>, claim: Claim<'_>) -> DbResult<Reply> {
    type Row = (Vec<u8>, Option<i16>, Option<Value>, Option<Vec<u8>>);
    let Claim { principal, key } = claim;
    let stored: Option<Row> = db
        .read(async |s| {
            let row = keys::table
                .filter(keys::tenant_id.eq(s.tenant()))
                .filter(keys::principal_id.eq(principal).and(keys::key.eq(&key.key)));
            s.optional(row.select((keys::fingerprint, keys::status, keys::headers, keys::body))).await
        })
        .await?;
    match stored {
        Some((fingerprint, ..)) if fingerprint != key.fingerprint => Err(DbError::KeyReused),
        Some((_, Some(status), headers, body)) => Ok(Reply {
            status: u16::try_from(status).unwrap_or(200),
            headers: headers.and_then(|headers| serde_json::from_value(headers).ok()).unwrap_or_default(),
            body: body.unwrap_or_default(),
        }),
        _ => Err(DbError::Busy("the first request with this key has not ended".to_owned())),
    }
}
