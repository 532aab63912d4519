//! A client's secrets: several may be live at once, each with its own end. Their hashes are written here and read only by
//! the log-in role.

use bulkhead_domain::clock::now;
use bulkhead_domain::ids::{ClientId, SecretId};
use bulkhead_domain::revocation::{Revocation, Subject};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ApiClients;
use crate::error::DbResult;
use crate::kept::kept;
use crate::schema::api_client_secrets as secrets;
use crate::tenant_db::TenantDb;
use crate::write::WriteTx;

/// Live secrets that one client may have.
const MOST_LIVE: usize = 10;

/// A secret to store.
#[derive(Clone, Copy, Debug)]
pub struct NewSecret<'a> {
    /// Its id.
    pub id: SecretId,
    /// SHA-256 of it.
    pub hash: &'a [u8; 32],
    /// Its last characters.
    pub hint: &'a str,
    /// When it ends, if ever.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A secret, without what it is.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = secrets, check_for_backend(Pg))]
#[schema(as = ApiClientSecret)]
pub struct Secret {
    /// The secret's id.
    pub id: Uuid,
    /// The secret's last characters.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends, if ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was retired.
    pub retired_at: Option<DateTime<Utc>>,
    /// When a token was last obtained with it, or a request made with such a token, to the second.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl Secret {
    /// Whether a token can be had for it.
    #[must_use]
    pub fn is_live(&self, at: DateTime<Utc>) -> bool {
        self.retired_at.is_none() && self.expires_at.is_none_or(|end| end > at)
    }
}

/// A client's secrets after a rotation.
#[derive(Clone, Debug)]
pub enum Rotated {
    /// All that there are, newest first, and what ended at once.
    Done(Vec<Secret>, Vec<Revocation>),
    /// The client has as many live secrets as it may have.
    TooMany,
}

/// What became of a secret that was to be retired.
#[derive(Clone, Copy, Debug)]
pub enum Retirement {
    /// It no longer works, and tokens obtained with it are refused.
    Retired(Revocation),
    /// It was used at this time, recently; nothing was done.
    InUse(DateTime<Utc>),
    /// It is the only live one; nothing was done.
    Last,
}

impl ApiClients {
    /// Adds a secret. The others stay as they are.
    pub(super) async fn add_secret(
        tx: &mut WriteTx<'_>,
        client: ClientId,
        secret: NewSecret<'_>,
    ) -> DbResult<()> {
        tx.run(async |s| {
            let row = (
                secrets::tenant_id.eq(s.tenant()),
                secrets::id.eq(secret.id.uuid()),
                secrets::api_client_id.eq(client.uuid()),
                secrets::secret_hash.eq(&secret.hash[..]),
                secrets::hint.eq(secret.hint),
                secrets::expires_at.eq(secret.expires_at),
            );
            s.execute(diesel::insert_into(secrets::table).values(row)).await.map(drop)
        })
        .await
    }

    /// Adds a secret and lets the others end after `overlap`, or before if they were to. No overlap retires them at once.
    ///
    /// # Errors
    /// [`DbError::NotFound`](crate::error::DbError::NotFound) without such a client; the database is away.
    pub async fn rotate(
        tx: &mut WriteTx<'_>,
        client: Uuid,
        secret: NewSecret<'_>,
        overlap: TimeDelta,
    ) -> DbResult<Rotated> {
        let id = ClientId::from_uuid(client);
        Self::lock(tx, client).await?;
        let end = now() + overlap;
        let live: Vec<Secret> = Self::secrets_in(tx, client).await?;
        let live = live.into_iter().filter(|secret| secret.is_live(now())).map(|secret| secret.id);
        let live: Vec<Uuid> = live.collect();
        let mut ended = Vec::new();
        if overlap <= TimeDelta::zero() {
            for old in live {
                ended.push(Self::end(tx, old).await?);
            }
        } else if live.len() >= MOST_LIVE {
            return Ok(Rotated::TooMany);
        } else {
            Self::end_at(tx, client, end).await?;
        }
        Self::add_secret(tx, id, secret).await?;
        let target = json!({ "api_client": client, "secret": secret.id, "others_end": end });
        tx.audit("api_client.rotate_secret", target).await?;
        Ok(Rotated::Done(Self::secrets_in(tx, client).await?, ended))
    }

    /// Lets the client's secrets end at this time, those that would last longer; and the tokens obtained with them, which
    /// do not know of it.
    async fn end_at(tx: &mut WriteTx<'_>, client: Uuid, end: DateTime<Utc>) -> DbResult<()> {
        let ending: Vec<Uuid> = tx
            .run(async |s| {
                let old = secrets::table
                    .filter(secrets::tenant_id.eq(s.tenant()).and(secrets::api_client_id.eq(client)));
                let old = old.filter(secrets::retired_at.is_null());
                let old = old.filter(secrets::expires_at.is_null().or(secrets::expires_at.gt(end)));
                let update = diesel::update(old).set(secrets::expires_at.eq(end)).returning(secrets::id);
                s.many(kept(update)).await
            })
            .await?;
        for secret in ending {
            tx.revoke_at(Subject::Secret(SecretId::from_uuid(secret)), end).await?;
        }
        Ok(())
    }

    /// Retires a secret. Unless forced, not one that was used after `used_after`, and not the only live one.
    ///
    /// # Errors
    /// [`DbError::NotFound`](crate::error::DbError::NotFound) without such a live secret; the database is away.
    pub async fn retire(
        tx: &mut WriteTx<'_>,
        client: Uuid,
        secret: Uuid,
        force: bool,
        used_after: DateTime<Utc>,
    ) -> DbResult<Retirement> {
        Self::lock(tx, client).await?;
        let live: Vec<Secret> = Self::secrets_in(tx, client).await?;
        let live: Vec<Secret> = live.into_iter().filter(|secret| secret.is_live(now())).collect();
        let found = live.iter().find(|known| known.id == secret).ok_or(crate::error::DbError::NotFound)?;
        if let Some(used) = found.last_used_at.filter(|used| *used > used_after && !force) {
            return Ok(Retirement::InUse(used));
        }
        if live.len() == 1 && !force {
            return Ok(Retirement::Last);
        }
        let target = json!({ "api_client": client, "secret": secret, "forced": force });
        tx.audit("api_client.retire_secret", target).await?;
        Self::end(tx, secret).await.map(Retirement::Retired)
    }

    /// A client's secrets, newest first. Empty when there is no such client.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn secrets(db: TenantDb<'_>, client: Uuid) -> DbResult<Vec<Secret>> {
        db.read(async |s| s.many(of_client(s.tenant(), client)).await).await
    }

    /// The same within a transaction.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn secrets_in(tx: &mut WriteTx<'_>, client: Uuid) -> DbResult<Vec<Secret>> {
        tx.run(async |s| s.many(of_client(s.tenant(), client)).await).await
    }

    async fn end(tx: &mut WriteTx<'_>, secret: Uuid) -> DbResult<Revocation> {
        tx.run(async |s| {
            let row = secrets::table.filter(secrets::tenant_id.eq(s.tenant()).and(secrets::id.eq(secret)));
            s.execute(kept(diesel::update(row).set(secrets::retired_at.eq(diesel::dsl::now)))).await
        })
        .await?;
        tx.revoke(Subject::Secret(SecretId::from_uuid(secret)), 0).await
    }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of_client(tenant: Uuid, client: Uuid) -> _ {
    let columns: diesel::dsl::AsSelect<Secret, Pg> = Secret::as_select();
    secrets::table
        .filter(secrets::tenant_id.eq(tenant).and(secrets::api_client_id.eq(client)))
        .order((secrets::created_at.desc(), secrets::id.desc()))
        .select(columns)
}
