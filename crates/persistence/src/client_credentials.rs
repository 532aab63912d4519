//! What the token endpoints need of clients: who it is, the hashes of its live secrets, and its sessions. It runs as the
//! role that may read credentials and nothing of the tenants' work.

use bulkhead_domain::clients::{ClientIdentifier, rights};
use bulkhead_domain::ids::{ClientId, FamilyId, SecretId, TenantId};
use bulkhead_domain::revocation::{Revocation, Subject};
use bulkhead_domain::scope::ScopeSet;
use chrono::{DateTime, Utc};
use diesel::dsl::{IntervalDsl as _, now};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use futures_util::future::{try_join, try_join3};
use uuid::Uuid;

use crate::audit::Actor;
use crate::block;
use crate::clients::api_clients as clients;
use crate::credentials::{AuthDb, DirectoryEntry};
use crate::error::DbResult;
use crate::kept::kept;
use crate::schema::{api_client_secrets as secrets, api_client_sessions as sessions, tenants};
use crate::write::write;

diesel::allow_tables_to_appear_in_same_query!(clients, secrets, sessions, tenants);

/// A client as a token describes it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = clients, check_for_backend(Pg))]
pub struct ClientAccount {
    id: Uuid,
    /// Its client identifier.
    pub client_id: String,
    status: String,
    /// Its roles.
    pub roles: Vec<String>,
    scopes: Vec<String>,
    /// Networks that it may call from; none: from anywhere.
    pub allowed_ips: Vec<String>,
    rate_limit: Option<i32>,
    /// When it ends, if ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// Grows when everything that was issued before shall end.
    pub token_epoch: i64,
}

impl ClientAccount {
    /// The client's id.
    #[must_use]
    pub const fn id(&self) -> ClientId {
        ClientId::from_uuid(self.id)
    }

    /// Whether it may get tokens, as far as its status goes.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == "active"
    }

    /// What it may do.
    #[must_use]
    pub fn rights(&self) -> ScopeSet {
        rights(&self.roles, &self.scopes)
    }

    /// Its own limit of requests an hour.
    #[must_use]
    pub fn hourly_rate(&self) -> Option<u32> {
        self.rate_limit.and_then(|rate| u32::try_from(rate).ok())
    }
}

/// A secret that was not retired.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = secrets, check_for_backend(Pg))]
pub struct StoredSecret {
    id: Uuid,
    secret_hash: Vec<u8>,
    /// When it ends, if ever.
    pub expires_at: Option<DateTime<Utc>>,
}

impl StoredSecret {
    /// The secret's id.
    #[must_use]
    pub const fn id(&self) -> SecretId {
        SecretId::from_uuid(self.id)
    }

    /// SHA-256 of the secret.
    #[must_use]
    pub fn hash(&self) -> Option<[u8; 32]> {
        self.secret_hash.as_slice().try_into().ok()
    }
}

/// What is known under a client identifier. Each part may be missing.
#[derive(Clone, Debug)]
pub struct KnownClient {
    /// The tenant that the identifier names.
    pub tenant: Option<DirectoryEntry>,
    /// The client.
    pub client: Option<ClientAccount>,
    /// Its secrets that were not retired.
    pub secrets: Vec<StoredSecret>,
}

/// A session to open.
#[derive(Clone, Copy, Debug)]
pub struct NewClientSession<'a> {
    /// Its id.
    pub id: FamilyId,
    /// The client.
    pub client: ClientId,
    /// The secret that it proved itself with.
    pub secret: SecretId,
    /// SHA-256 of the refresh token.
    pub token: &'a [u8; 32],
    /// The client's epoch.
    pub token_epoch: i64,
    /// When the session ends.
    pub expires_at: DateTime<Utc>,
}

/// A live session of a client.
#[derive(Clone, Debug, Queryable)]
pub struct ClientSession {
    /// The tenant.
    pub tenant: DirectoryEntry,
    /// The client, as it is now.
    pub client: ClientAccount,
    /// The secret that the session was opened with.
    pub secret: StoredSecret,
    /// When the session ends.
    pub expires_at: DateTime<Utc>,
}

impl AuthDb {
    /// What is known under a client identifier, in one round trip that does the same work whatever it finds.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn find_client(&self, identifier: &ClientIdentifier) -> DbResult<KnownClient> {
        block::read(&self.pool, identifier.tenant(), async |s| {
            let lately = now.into_sql::<Timestamptz>() - 30.days();
            let named = || clients::tenant_id.eq(s.tenant()).and(clients::client_id.eq(identifier.as_str()));
            let tenant =
                tenants::table.filter(tenants::id.eq(s.tenant())).select(DirectoryEntry::as_select());
            let client = clients::table.filter(named()).select(ClientAccount::as_select());
            let of_client =
                secrets::tenant_id.eq(clients::tenant_id).and(secrets::api_client_id.eq(clients::id));
            let live = secrets::table
                .inner_join(clients::table.on(of_client))
                .filter(named().and(secrets::retired_at.is_null()))
                // Those that ended long ago need not be told from wrong ones, and would only become more and more.
                .filter(secrets::expires_at.is_null().or(secrets::expires_at.gt(lately.nullable())))
                .select(StoredSecret::as_select());
            let (tenant, client, secrets) =
                try_join3(s.optional(tenant), s.optional(client), s.many(live)).await?;
            Ok(KnownClient { tenant, client, secrets })
        })
        .await
    }

    /// Opens a session for a client, and sweeps away those of its sessions that have ended.
    ///
    /// # Errors
    /// When the database is away, or the client was removed meanwhile.
    pub async fn open_client_session(&self, tenant: TenantId, new: NewClientSession<'_>) -> DbResult<()> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            tx.run(async |s| {
                let row = (
                    sessions::tenant_id.eq(s.tenant()),
                    sessions::id.eq(new.id.uuid()),
                    sessions::api_client_id.eq(new.client.uuid()),
                    sessions::secret_id.eq(new.secret.uuid()),
                    sessions::token_hash.eq(&new.token[..]),
                    sessions::token_epoch.eq(new.token_epoch),
                    sessions::expires_at.eq(new.expires_at),
                );
                let over = sessions::table
                    .filter(
                        sessions::tenant_id.eq(s.tenant()).and(sessions::api_client_id.eq(new.client.uuid())),
                    )
                    .filter(sessions::expires_at.lt(now));
                let opened = s.execute(diesel::insert_into(sessions::table).values(row));
                try_join(opened, s.execute(diesel::delete(over))).await.map(drop)
            })
            .await
        })
        .await
    }

    /// The live session that a refresh token belongs to, with its client as it is now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn client_session(
        &self,
        tenant: TenantId,
        session: FamilyId,
        token: &[u8; 32],
    ) -> DbResult<Option<ClientSession>> {
        block::read(&self.pool, tenant, async |s| {
            let of_client =
                clients::tenant_id.eq(sessions::tenant_id).and(clients::id.eq(sessions::api_client_id));
            let of_secret =
                secrets::tenant_id.eq(sessions::tenant_id).and(secrets::id.eq(sessions::secret_id));
            let found = sessions::table
                .inner_join(clients::table.on(of_client))
                .inner_join(secrets::table.on(of_secret))
                .inner_join(tenants::table.on(tenants::id.eq(sessions::tenant_id)))
                .filter(sessions::tenant_id.eq(s.tenant()).and(sessions::id.eq(session.uuid())))
                .filter(sessions::token_hash.eq(&token[..]))
                .filter(sessions::revoked_at.is_null().and(sessions::expires_at.gt(now)))
                .filter(sessions::token_epoch.eq(clients::token_epoch).and(secrets::retired_at.is_null()));
            let columns = (
                DirectoryEntry::as_select(),
                ClientAccount::as_select(),
                StoredSecret::as_select(),
                sessions::expires_at,
            );
            s.optional(found.select(columns)).await
        })
        .await
    }

    /// Ends a session of this client, or one of its own access tokens; `None` when there is nothing of its to end.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn end_client_session(
        &self,
        tenant: TenantId,
        client: ClientId,
        session: FamilyId,
        token: &[u8; 32],
    ) -> DbResult<Option<Revocation>> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            let ended = tx
                .run(async |s| {
                    let live = sessions::table
                        .filter(sessions::tenant_id.eq(s.tenant()).and(sessions::id.eq(session.uuid())))
                        .filter(
                            sessions::api_client_id
                                .eq(client.uuid())
                                .and(sessions::token_hash.eq(&token[..])),
                        )
                        .filter(sessions::revoked_at.is_null());
                    s.execute(kept(diesel::update(live).set(sessions::revoked_at.eq(now)))).await
                })
                .await?;
            if ended == 0 {
                return Ok(None);
            }
            tx.revoke(Subject::Session(session), 0).await.map(Some)
        })
        .await
    }

    /// Ends one access token.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn end_token(&self, tenant: TenantId, token: Uuid) -> DbResult<Revocation> {
        write(&self.pool, tenant, Actor::System, async |tx| tx.revoke(Subject::Token(token), 0).await).await
    }
}
