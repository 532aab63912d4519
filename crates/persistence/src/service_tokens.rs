//! Tokens that were made for services: known by their id, so that they can be ended. The tokens themselves are not kept.

use bulkhead_domain::revocation::Revocation;
use bulkhead_domain::revocation::Subject;
use bulkhead_domain::scope::ScopeSet;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::error::{DbError, DbResult};
use crate::kept::kept;
use crate::schema::service_tokens;
use crate::write::WriteTx;

/// A token to write down.
#[derive(Clone, Debug)]
pub struct NewServiceToken<'a> {
    /// Its id, which is its `jti` as well.
    pub id: Uuid,
    /// The service's name, 1 to 100 characters.
    pub service: &'a str,
    /// What it may do.
    pub scopes: &'a ScopeSet,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// A token that was made.
#[derive(Clone, Debug, Queryable, Selectable, Serialize)]
#[diesel(table_name = service_tokens, check_for_backend(Pg))]
pub struct ServiceToken {
    /// Its id.
    pub id: Uuid,
    /// The service's name.
    pub service: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Who made it.
    pub issued_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// The tokens of services.
pub struct ServiceTokens;

impl ServiceTokens {
    /// Writes a token down before it is handed out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn record(tx: &mut WriteTx<'_>, new: &NewServiceToken<'_>) -> DbResult<()> {
        let (_, issued_by) = tx.actor().names();
        tx.run(async |s| {
            let row = (
                service_tokens::tenant_id.eq(s.tenant()),
                service_tokens::id.eq(new.id),
                service_tokens::service.eq(new.service),
                service_tokens::scopes.eq(new.scopes.words()),
                service_tokens::issued_by.eq(issued_by),
                service_tokens::expires_at.eq(new.expires_at),
            );
            s.execute(diesel::insert_into(service_tokens::table).values(row)).await
        })
        .await?;
        let target = json!({
            "service_token": new.id, "service": new.service, "scopes": new.scopes.words(), "expires_at": new.expires_at,
        });
        tx.audit("service_token.issue", target).await
    }

    /// Ends a token.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when there is no such token, or it was ended before; the database is away.
    pub async fn revoke(tx: &mut WriteTx<'_>, id: Uuid) -> DbResult<Revocation> {
        let ended = tx
            .run(async |s| {
                let row = service_tokens::table
                    .filter(service_tokens::tenant_id.eq(s.tenant()).and(service_tokens::id.eq(id)))
                    .filter(service_tokens::revoked_at.is_null());
                s.execute(kept(diesel::update(row).set(service_tokens::revoked_at.eq(diesel::dsl::now))))
                    .await
            })
            .await?;
        if ended == 0 {
            return Err(DbError::NotFound);
        }
        tx.audit("service_token.revoke", json!({ "service_token": id })).await?;
        tx.revoke(Subject::Token(id), 0).await
    }

    /// The tokens that still work, newest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn live(tx: &mut WriteTx<'_>) -> DbResult<Vec<ServiceToken>> {
        tx.run(async |s| {
            let live = service_tokens::table.filter(service_tokens::tenant_id.eq(s.tenant())).filter(
                service_tokens::revoked_at.is_null().and(service_tokens::expires_at.gt(diesel::dsl::now)),
            );
            s.many(live.order(service_tokens::id.desc()).select(ServiceToken::as_select())).await
        })
        .await
    }
}
