//! Links between one person's accounts in several tenants. Each tenant has its half, which says nothing without the other, and
//! each statement here works in one tenant's transaction: nothing reads two tenants at once. No administrator reads any of it.

use bulkhead_domain::ids::{FamilyId, TenantId, UserId};
use bulkhead_domain::revocation::{Revocation, Subject};
use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::pg::Pg;
use diesel::prelude::*;
use uuid::Uuid;

use crate::audit::Actor;
use crate::block;
use crate::credentials::{Account, AuthDb, DirectoryEntry};
use crate::error::DbResult;
use crate::kept::kept;
use crate::revocations;
use crate::schema::{account_links as links, refresh_families as families, tenants, users};
use crate::write::write;

/// The most links that one account can have.
pub const MOST_LINKS: i64 = 50;

/// One half of a link: what one of the two tenants knows.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = links, check_for_backend(Pg))]
pub struct Half {
    /// The link's id, the same in both halves.
    pub id: Uuid,
    session_epoch: i64,
    tenant_epoch: i64,
    other_tenant: Uuid,
    other_user: Uuid,
    /// When the link was made.
    pub created_at: DateTime<Utc>,
}

impl Half {
    /// The other account's tenant.
    #[must_use]
    pub const fn other_tenant(&self) -> TenantId {
        TenantId::from_uuid(self.other_tenant)
    }

    /// The other account.
    #[must_use]
    pub const fn other_user(&self) -> UserId {
        UserId::from_uuid(self.other_user)
    }
}

/// A half together with its own account, as both are now.
#[derive(Clone, Debug, Queryable)]
pub struct LinkedAccount {
    /// The half.
    pub half: Half,
    /// The account's tenant.
    pub tenant: DirectoryEntry,
    /// The account.
    pub account: Account,
}

impl LinkedAccount {
    /// Whether this half still holds: its account and its tenant are active, and nothing ended their sessions since.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.tenant.is_active()
            && self.account.is_active()
            && self.half.tenant_epoch == self.tenant.token_epoch
            && self.half.session_epoch == self.account.session_epoch
    }
}

impl AuthDb {
    /// Stores one half: `tenant` and `account` are its own, as they were when they were proved.
    ///
    /// # Errors
    /// [`BadReference`](crate::error::DbError::BadReference) when the account is gone; the database is away.
    pub async fn store_half(
        &self,
        link: Uuid,
        tenant: &DirectoryEntry,
        account: &Account,
        other: (TenantId, UserId),
    ) -> DbResult<()> {
        write(&self.pool, tenant.id(), Actor::System, async |tx| {
            tx.run(async |s| {
                let row = (
                    links::tenant_id.eq(s.tenant()),
                    links::id.eq(link),
                    links::user_id.eq(account.id().uuid()),
                    links::session_epoch.eq(account.session_epoch),
                    links::tenant_epoch.eq(tenant.token_epoch),
                    links::other_tenant.eq(other.0.uuid()),
                    links::other_user.eq(other.1.uuid()),
                );
                s.execute(diesel::insert_into(links::table).values(row)).await.map(drop)
            })
            .await
        })
        .await
    }

    /// The halves of an account, the oldest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn halves(&self, tenant: TenantId, user: UserId) -> DbResult<Vec<Half>> {
        block::read(&self.pool, tenant, async |s| {
            let mine = links::tenant_id.eq(s.tenant()).and(links::user_id.eq(user.uuid()));
            let halves = links::table.filter(mine).order(links::id).limit(MOST_LINKS);
            s.many(halves.select(Half::as_select())).await
        })
        .await
    }

    /// The half of a link in `tenant`, with its account.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn half(&self, tenant: TenantId, link: Uuid) -> DbResult<Option<LinkedAccount>> {
        block::read(&self.pool, tenant, async |s| {
            let of_user = users::tenant_id.eq(links::tenant_id).and(users::id.eq(links::user_id));
            let found = links::table
                .inner_join(users::table.on(of_user))
                .inner_join(tenants::table.on(tenants::id.eq(links::tenant_id)))
                .filter(links::tenant_id.eq(s.tenant()).and(links::id.eq(link)));
            let columns = (Half::as_select(), DirectoryEntry::as_select(), Account::as_select());
            s.optional(found.select(columns)).await
        })
        .await
    }

    /// Ends a link on both sides, one after the other, with the sessions that it opened there. Either half missing ends it
    /// already, so nothing is lost when this stops in between.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn end_link(&self, tenant: TenantId, half: &Half) -> DbResult<Vec<Revocation>> {
        let mut ended = self.end_half(tenant, half.id).await?;
        ended.extend(self.end_half(half.other_tenant(), half.id).await?);
        Ok(ended)
    }

    /// Ends every link of an account.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn end_links(&self, tenant: TenantId, user: UserId) -> DbResult<Vec<Revocation>> {
        let mut ended = Vec::new();
        for half in self.halves(tenant, user).await? {
            ended.extend(self.end_link(tenant, &half).await?);
        }
        Ok(ended)
    }

    async fn end_half(&self, tenant: TenantId, link: Uuid) -> DbResult<Vec<Revocation>> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            let opened: Vec<Uuid> = tx
                .run(async |s| {
                    let half = links::table.filter(links::tenant_id.eq(s.tenant()).and(links::id.eq(link)));
                    let opened = families::table
                        .filter(families::tenant_id.eq(s.tenant()).and(families::via_link.eq(link)))
                        .filter(families::revoked_at.is_null());
                    let end = diesel::update(opened).set(families::revoked_at.eq(now));
                    let removed = s.execute(diesel::delete(half));
                    let ended = s.many(kept(end.returning(families::id)));
                    futures_util::future::try_join(removed, ended).await.map(|(_, ended)| ended)
                })
                .await?;
            let mut ended = Vec::new();
            for session in opened {
                let subject = Subject::Session(FamilyId::from_uuid(session));
                let revocation = Revocation { tenant, subject, epoch: 0 };
                tx.run(async |s| revocations::record(s, &revocation).await).await?;
                ended.push(revocation);
            }
            Ok(ended)
        })
        .await
    }
}
