//! What an administrator or an operator does with a client: each deed in one transaction with its row in the audit trail,
//! and with the revocation of tokens that would say what is no longer so.

use bulkhead_domain::clients::{ApiClientFields, ApiClientPatch, ClientStatus};
use bulkhead_domain::field::Choice as _;
use bulkhead_domain::ids::{ClientId, parse_id};
use bulkhead_domain::revocation::{Revocation, Subject};
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ApiClient, ApiClients, NewSecret, api_clients};
use crate::crud::Entity;
use crate::error::DbResult;
use crate::kept::kept;
use crate::schema::tenants;
use crate::write::WriteTx;

/// A tenant by its names.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = tenants, check_for_backend(Pg))]
#[schema(as = TenantNames)]
pub struct TenantNames {
    /// The tenant's id.
    pub id: Uuid,
    /// The tenant's slug.
    pub slug: String,
    /// The tenant's name.
    pub name: String,
}

/// A client that was made, with its tenant.
#[derive(Clone, Debug)]
pub struct Created {
    /// The client.
    pub client: ApiClient,
    /// Its tenant.
    pub tenant: TenantNames,
}

/// A client after a change.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The client.
    pub client: ApiClient,
    /// What ended with it, for this server to know at once.
    pub ended: Option<Revocation>,
}

impl ApiClients {
    /// Makes a client with its first secret.
    ///
    /// # Errors
    /// [`Duplicate`](crate::error::DbError::Duplicate) when the name is taken; the database is away.
    pub async fn create(
        tx: &mut WriteTx<'_>,
        id: ClientId,
        fields: ApiClientFields,
        secret: NewSecret<'_>,
    ) -> DbResult<Created> {
        let client = Self::insert(tx, id.uuid(), fields).await?;
        Self::add_secret(tx, id, secret).await?;
        let tenant = tx
            .run(async |s| {
                s.one(tenants::table.filter(tenants::id.eq(s.tenant())).select(TenantNames::as_select()))
                    .await
            })
            .await?;
        tx.audit("api_client.create", told(&client)).await?;
        Ok(Created { client, tenant })
    }

    /// Changes a client, if it still is in the expected version. When its rights or restrictions change, its tokens end:
    /// they say what it was.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::DbError::NotFound), [`Stale`](crate::error::DbError::Stale), [`Duplicate`](crate::error::DbError::Duplicate); the database is away.
    pub async fn change(
        tx: &mut WriteTx<'_>,
        id: Uuid,
        expected: Option<i64>,
        patch: ApiClientPatch,
    ) -> DbResult<Changed> {
        let before = Self::lock(tx, id).await?;
        let client = Self::update(tx, id, expected, patch).await?;
        tx.audit("api_client.change", told(&client)).await?;
        if client.outdates(&before) {
            return Self::begin_epoch(tx, id, before.status == "active").await;
        }
        Ok(Changed { client, ended: None })
    }

    /// Lets a client get tokens, or no longer; the latter ends those that it has.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::DbError::NotFound); the database is away.
    pub async fn set_active(tx: &mut WriteTx<'_>, id: Uuid, active: bool) -> DbResult<Changed> {
        let before = Self::lock(tx, id).await?;
        if before.is_active == active {
            return Ok(Changed { client: before, ended: None });
        }
        let action = if active { "api_client.enable" } else { "api_client.disable" };
        tx.audit(action, told(&before)).await?;
        Self::begin_epoch(tx, id, active).await
    }

    /// Ends every token and session of a client. It gets new ones with its secret.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::DbError::NotFound); the database is away.
    pub async fn end_tokens(tx: &mut WriteTx<'_>, id: Uuid) -> DbResult<Changed> {
        let before = Self::lock(tx, id).await?;
        tx.audit("api_client.revoke_tokens", told(&before)).await?;
        Self::begin_epoch(tx, id, before.is_active).await
    }

    /// Removes a client with its secrets, if it still is in the expected version, and ends its tokens.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::DbError::NotFound), [`Stale`](crate::error::DbError::Stale); the database is away.
    pub async fn remove(tx: &mut WriteTx<'_>, id: Uuid, expected: Option<i64>) -> DbResult<Revocation> {
        let client = Self::lock(tx, id).await?;
        Self::delete(tx, id, expected).await?;
        tx.audit("api_client.delete", told(&client)).await?;
        tx.revoke(Subject::Client(ClientId::from_uuid(id)), client.token_epoch + 1).await
    }

    /// The client that a person names, by its id or its client identifier; locked until the transaction ends.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::DbError::NotFound); the database is away.
    pub async fn named(tx: &mut WriteTx<'_>, name: &str) -> DbResult<ApiClient> {
        if let Some(id) = parse_id(name) {
            return Self::lock(tx, id).await;
        }
        tx.run(async |s| {
            let mine = api_clients::table.filter(api_clients::tenant_id.eq(s.tenant()));
            let found = mine.filter(api_clients::client_id.eq(name)).select(ApiClient::as_select());
            s.one(found.for_update()).await
        })
        .await
    }

    /// Every client of the tenant, by name.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn all(tx: &mut WriteTx<'_>) -> DbResult<Vec<ApiClient>> {
        tx.run(async |s| {
            let mine = api_clients::table.filter(api_clients::tenant_id.eq(s.tenant()));
            s.many(mine.order(api_clients::name).select(ApiClient::as_select())).await
        })
        .await
    }

    /// The client, locked until the transaction ends: two deeds on one client happen one after the other.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::DbError::NotFound); the database is away.
    pub async fn lock(tx: &mut WriteTx<'_>, id: Uuid) -> DbResult<ApiClient> {
        tx.run(async |s| {
            let row =
                api_clients::table.filter(api_clients::tenant_id.eq(s.tenant()).and(api_clients::id.eq(id)));
            s.one(row.select(ApiClient::as_select()).for_update()).await
        })
        .await
    }

    async fn begin_epoch(tx: &mut WriteTx<'_>, id: Uuid, active: bool) -> DbResult<Changed> {
        let status = if active { ClientStatus::Active } else { ClientStatus::Disabled }.as_str();
        let client = tx
            .run(async |s| {
                let row = api_clients::table
                    .filter(api_clients::tenant_id.eq(s.tenant()).and(api_clients::id.eq(id)));
                let changes = (
                    api_clients::status.eq(status),
                    api_clients::token_epoch.eq(api_clients::token_epoch + 1),
                    api_clients::version.eq(api_clients::version + 1),
                    api_clients::updated_at.eq(diesel::dsl::now),
                );
                s.one(kept(diesel::update(row).set(changes).returning(ApiClient::as_returning()))).await
            })
            .await?;
        let ended = tx.revoke(Subject::Client(ClientId::from_uuid(id)), client.token_epoch).await?;
        Ok(Changed { client, ended: Some(ended) })
    }
}

/// What the audit trail keeps of a client.
fn told(client: &ApiClient) -> Value {
    json!({
        "api_client": client.id, "client_id": client.client_id, "name": client.name, "roles": client.roles,
        "scopes": client.scopes, "allowed_ips": client.allowed_ips, "rate_limit": client.rate_limit,
    })
}
