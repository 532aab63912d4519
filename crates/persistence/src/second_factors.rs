//! Second factors and their recovery codes, as they are stored: secrets sealed, codes hashed, nothing taken twice. Whether a
//! code is right is not decided here.

use bulkhead_domain::ids::{TenantId, UserId};
use bulkhead_domain::tenant::TenantScope;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::dsl::now;
use diesel::prelude::*;
use futures_util::future::try_join;
use serde_json::json;

use crate::audit::Actor;
use crate::block;
use crate::credentials::AuthDb;
use crate::error::{DbError, DbResult};
use crate::kept::kept;
use crate::schema::{recovery_codes as codes, second_factors as factors};
use crate::session::Session;
use crate::write::write;

/// What a person may know of its second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorState {
    /// Since when it is asked for.
    pub confirmed_at: DateTime<Utc>,
    /// Recovery codes that were not used.
    pub codes_left: i64,
}

impl AuthDb {
    /// The state of a confirmed second factor; `None` when there is none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn second_factor(&self, tenant: TenantId, user: UserId) -> DbResult<Option<FactorState>> {
        block::read(&self.pool, tenant, async |s| {
            let mine = factors::tenant_id.eq(s.tenant()).and(factors::user_id.eq(user.uuid()));
            let confirmed = factors::table.filter(mine).select(factors::confirmed_at);
            let my_codes = codes::tenant_id.eq(s.tenant()).and(codes::user_id.eq(user.uuid()));
            let left = codes::table.filter(my_codes).count();
            let (confirmed, codes_left) =
                try_join(s.optional::<_, Option<DateTime<Utc>>>(confirmed), s.one::<_, i64>(left)).await?;
            Ok(confirmed.flatten().map(|confirmed_at| FactorState { confirmed_at, codes_left }))
        })
        .await
    }

    /// Stores a sealed secret that is not asked for yet, in the place of an earlier one of that kind.
    ///
    /// # Errors
    /// [`DbError::Duplicate`] when there is a confirmed one; the database is away.
    pub async fn propose_second_factor(&self, tenant: TenantId, user: UserId, sealed: &[u8]) -> DbResult<()> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            tx.run(async |s| {
                let mine = factors::tenant_id.eq(s.tenant()).and(factors::user_id.eq(user.uuid()));
                let proposed = factors::table.filter(mine.and(factors::confirmed_at.is_null()));
                let row = (
                    factors::tenant_id.eq(s.tenant()),
                    factors::user_id.eq(user.uuid()),
                    factors::secret.eq(sealed),
                );
                let removed = s.execute(diesel::delete(proposed));
                try_join(removed, s.execute(diesel::insert_into(factors::table).values(row))).await.map(drop)
            })
            .await
        })
        .await
    }

    /// The sealed secret that was proposed and not confirmed.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn proposed_second_factor(&self, tenant: TenantId, user: UserId) -> DbResult<Option<Vec<u8>>> {
        block::read(&self.pool, tenant, async |s| {
            let mine = factors::tenant_id.eq(s.tenant()).and(factors::user_id.eq(user.uuid()));
            let proposed = factors::table.filter(mine.and(factors::confirmed_at.is_null()));
            s.optional(proposed.select(factors::secret)).await
        })
        .await
    }

    /// Asks for the factor from now on. `step` is that of the code that confirmed it, `hashes` are those of the recovery codes.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when this secret is not the proposed one any more; the database is away.
    pub async fn confirm_second_factor(
        &self,
        scope: TenantScope,
        sealed: &[u8],
        step: i64,
        hashes: &[[u8; 32]],
    ) -> DbResult<()> {
        let user = UserId::from_uuid(scope.actor());
        write(&self.pool, scope.tenant(), Actor::of(scope), async |tx| {
            let confirmed = tx
                .run(async |s| {
                    let mine = factors::tenant_id.eq(s.tenant()).and(factors::user_id.eq(user.uuid()));
                    let proposed = mine.and(factors::confirmed_at.is_null()).and(factors::secret.eq(sealed));
                    let taken = (factors::confirmed_at.eq(now), factors::last_step.eq(step));
                    s.execute(kept(diesel::update(factors::table.filter(proposed)).set(taken))).await
                })
                .await?;
            if confirmed == 0 {
                return Err(DbError::NotFound);
            }
            tx.run(async |s| replace_codes(s, user, hashes).await).await?;
            tx.audit("user.second_factor_on", json!({ "user": user })).await
        })
        .await
    }

    /// Replaces the recovery codes.
    ///
    /// # Errors
    /// [`DbError::BadReference`] when there is no factor; the database is away.
    pub async fn replace_recovery_codes(&self, scope: TenantScope, hashes: &[[u8; 32]]) -> DbResult<()> {
        let user = UserId::from_uuid(scope.actor());
        write(&self.pool, scope.tenant(), Actor::of(scope), async |tx| {
            tx.run(async |s| replace_codes(s, user, hashes).await).await?;
            tx.audit("user.recovery_codes_replace", json!({ "user": user })).await
        })
        .await
    }

    /// Takes the code of a time step, which must be later than the last that was taken. Of two at once one succeeds.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn take_step(&self, tenant: TenantId, user: UserId, step: i64) -> DbResult<bool> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            tx.run(async |s| {
                let mine = factors::tenant_id.eq(s.tenant()).and(factors::user_id.eq(user.uuid()));
                let earlier = factors::last_step.is_null().or(factors::last_step.lt(step));
                let row =
                    factors::table.filter(mine.and(factors::confirmed_at.is_not_null())).filter(earlier);
                s.execute(kept(diesel::update(row).set(factors::last_step.eq(step)))).await
            })
            .await
        })
        .await
        .map(|taken| taken == 1)
    }

    /// Takes a recovery code, which is gone with it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn take_recovery_code(
        &self,
        tenant: TenantId,
        user: UserId,
        hash: &[u8; 32],
    ) -> DbResult<bool> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            tx.run(async |s| {
                let mine = codes::tenant_id.eq(s.tenant()).and(codes::user_id.eq(user.uuid()));
                let code = codes::table.filter(mine.and(codes::code_hash.eq(&hash[..])));
                s.execute(diesel::delete(code)).await
            })
            .await
        })
        .await
        .map(|taken| taken == 1)
    }

    /// Removes a person's second factor with its recovery codes. An administrator's deed, or the person's own.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when there is none; the database is away.
    pub async fn remove_second_factor(&self, scope: TenantScope, user: UserId) -> DbResult<()> {
        write(&self.pool, scope.tenant(), Actor::of(scope), async |tx| {
            let removed = tx
                .run(async |s| {
                    let mine = factors::tenant_id.eq(s.tenant()).and(factors::user_id.eq(user.uuid()));
                    s.execute(diesel::delete(factors::table.filter(mine))).await
                })
                .await?;
            if removed == 0 {
                return Err(DbError::NotFound);
            }
            tx.audit("user.second_factor_off", json!({ "user": user })).await
        })
        .await
    }
}

async fn replace_codes(s: Session<'_>, user: UserId, hashes: &[[u8; 32]]) -> QueryResult<()> {
    let mine = codes::tenant_id.eq(s.tenant()).and(codes::user_id.eq(user.uuid()));
    let rows: Vec<_> = hashes
        .iter()
        .map(|hash| {
            (codes::tenant_id.eq(s.tenant()), codes::user_id.eq(user.uuid()), codes::code_hash.eq(&hash[..]))
        })
        .collect();
    s.execute(diesel::delete(codes::table.filter(mine))).await?;
    s.execute(diesel::insert_into(codes::table).values(rows)).await.map(drop)
}
