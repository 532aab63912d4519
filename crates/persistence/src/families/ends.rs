//! Sessions as their person sees them, and how they end: by logging out, one by one, or all at once. What ends is revoked in
//! the same transaction, so that its access tokens die with it.

use std::time::Duration;

use bulkhead_domain::ids::{FamilyId, TenantId, UserId};
use bulkhead_domain::revocation::{Revocation, Subject};
use bulkhead_domain::tenant::TenantScope;
use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::pg::Pg;
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::is_live;
use crate::audit::Actor;
use crate::block;
use crate::credentials::AuthDb;
use crate::error::{DbError, DbResult};
use crate::kept::kept;
use crate::revocations;
use crate::schema::{refresh_families as families, users};
use crate::write::{WriteTx, write};

/// A session that can still be refreshed.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = families, check_for_backend(Pg))]
pub struct OpenSession {
    /// Its id, which is that of the family.
    pub id: Uuid,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed.
    #[diesel(column_name = rotated_at)]
    pub last_used_at: DateTime<Utc>,
    /// When it ends, however often it is refreshed.
    pub expires_at: DateTime<Utc>,
    /// The address that it was opened from.
    pub ip_address: Option<String>,
    /// The program that opened it.
    pub user_agent: String,
}

impl AuthDb {
    /// The live sessions of a person, the last used first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn sessions(
        &self,
        tenant: TenantId,
        user: UserId,
        idle: Duration,
    ) -> DbResult<Vec<OpenSession>> {
        block::read(&self.pool, tenant, async |s| {
            let mine = families::tenant_id.eq(s.tenant()).and(families::user_id.eq(user.uuid()));
            let me = users::table.filter(users::tenant_id.eq(s.tenant()).and(users::id.eq(user.uuid())));
            let of_now = families::session_epoch.eq_any(me.select(users::session_epoch));
            let live = families::table.filter(mine).filter(of_now).filter(is_live(idle));
            s.many(live.order(families::rotated_at.desc()).select(OpenSession::as_select()).limit(200)).await
        })
        .await
    }

    /// Ends one session. A person's own only, when `user` is given. Ending it again changes nothing.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when there is no such session; the database is away.
    pub async fn end_session(
        &self,
        tenant: TenantId,
        user: Option<UserId>,
        family: FamilyId,
    ) -> DbResult<Revocation> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            let ended = tx
                .run(async |s| {
                    let one = families::tenant_id.eq(s.tenant()).and(families::id.eq(family.uuid()));
                    let whose: Box<
                        dyn BoxableExpression<families::table, Pg, SqlType = diesel::sql_types::Bool>,
                    > = match user {
                        Some(user) => Box::new(families::user_id.eq(user.uuid())),
                        None => Box::new(families::id.eq(family.uuid())),
                    };
                    let row = families::table.filter(one).filter(whose);
                    s.execute(kept(diesel::update(row).set(families::revoked_at.eq(now)))).await
                })
                .await?;
            if ended == 0 {
                return Err(DbError::NotFound);
            }
            let ended = Revocation { tenant, subject: Subject::Session(family), epoch: 0 };
            tx.run(async |s| revocations::record(s, &ended).await).await?;
            Ok(ended)
        })
        .await
    }

    /// Ends the session of a refresh token, if the token is or was one of its family: its lineage says so. `None`: it never
    /// was, or the session is forgotten.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn end_session_of_token(
        &self,
        tenant: TenantId,
        family: FamilyId,
        lineage: &[u8; 32],
    ) -> DbResult<Option<Revocation>> {
        let genuine = block::read(&self.pool, tenant, async |s| {
            let one = families::tenant_id.eq(s.tenant()).and(families::id.eq(family.uuid()));
            let genuine = families::table.filter(one).filter(families::lineage_hash.eq(&lineage[..]));
            s.one::<_, bool>(diesel::select(diesel::dsl::exists(genuine))).await
        })
        .await?;
        if !genuine {
            return Ok(None);
        }
        match self.end_session(tenant, None, family).await {
            Ok(ended) => Ok(Some(ended)),
            Err(DbError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends every session of a person.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when there is no such person; the database is away.
    pub async fn end_sessions(&self, scope: TenantScope, user: UserId) -> DbResult<Revocation> {
        write(&self.pool, scope.tenant(), Actor::of(scope), async |tx| {
            let ended = tx.end_sessions_of(user, None).await?;
            tx.audit("user.log_out_everywhere", json!({ "user": user })).await?;
            Ok(ended)
        })
        .await
    }
}

impl WriteTx<'_> {
    /// Begins a new epoch of a person, in which tokens and sessions of the old one are worth nothing; but for the session
    /// `kept`, which goes on with new tokens. For the role of credentials.
    pub(crate) async fn end_sessions_of(
        &mut self,
        user: UserId,
        kept_session: Option<FamilyId>,
    ) -> DbResult<Revocation> {
        let (epoch, session_epoch) = self
            .run(async |s| {
                let me = users::table.filter(users::tenant_id.eq(s.tenant()).and(users::id.eq(user.uuid())));
                let grown = (
                    users::token_epoch.eq(users::token_epoch + 1),
                    users::session_epoch.eq(users::session_epoch + 1),
                );
                let epochs = (users::token_epoch, users::session_epoch);
                s.one::<_, (i64, i64)>(kept(diesel::update(me).set(grown).returning(epochs))).await
            })
            .await?;
        let spared = kept_session.map_or(Uuid::nil(), FamilyId::uuid);
        self.run(async |s| {
            let mine = families::tenant_id.eq(s.tenant()).and(families::user_id.eq(user.uuid()));
            let others =
                families::table.filter(mine.and(families::id.ne(spared)).and(families::revoked_at.is_null()));
            let end = s.execute(kept(diesel::update(others).set(families::revoked_at.eq(now))));
            let one = families::table.filter(mine.and(families::id.eq(spared)));
            let keep = s.execute(kept(diesel::update(one).set(families::session_epoch.eq(session_epoch))));
            futures_util::future::try_join(end, keep).await
        })
        .await?;
        self.revoke(Subject::User(user), epoch).await
    }
}
