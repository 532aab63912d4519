//! Refresh token families, which are people's sessions: opened by a log-in, rotated by refreshing, listed and ended. What
//! a token looks like is not known here, only what it hashes to.

use std::time::Duration;

use bulkhead_domain::ids::{FamilyId, TenantId};
use bulkhead_domain::revocation::{Revocation, Subject};
use chrono::{DateTime, Utc};
use diesel::dsl::{IntervalDsl, now};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamptz};
use futures_util::future::{try_join, try_join4};
use uuid::Uuid;

use crate::audit::Actor;
use crate::credentials::{Account, AuthDb, DirectoryEntry};
use crate::error::{DbError, DbResult};
use crate::guards::{GuardKey, note_success};
use crate::kept::kept;
use crate::revocations;
use crate::schema::{refresh_families as families, tenants, users};
use crate::session::Session;
use crate::write::write;

mod ends;

pub use ends::OpenSession;

/// How a session came about.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The address that it was opened from.
    pub ip_address: Option<String>,
    /// The program that opened it, as it calls itself; at most 255 characters.
    pub user_agent: String,
    /// The credentials that were right, to be noted.
    pub proven: Option<GuardKey>,
    /// The link by which another account of the same person opened it.
    pub via: Option<Via>,
}

/// Another account of the same person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via {
    /// The other account's tenant.
    pub tenant: TenantId,
    /// The link.
    pub link: Uuid,
}

/// What a presented refresh token turned out to be.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// The family's current token (or, within the grace, the one before it).
    Rotated {
        /// Whose family it is.
        holder: Box<Rotated>,
        /// Which of [`RotationOf::successors`] is current now.
        successor: usize,
    },
    /// A token of the family that was used up before: the family is revoked.
    Replayed,
    /// No live family of this tenant, or one whose user or tenant may not work any more; or the token before the current
    /// one, within the grace, when the current one is none of the successors: then neither ends the session.
    Refused,
}

/// A rotated family.
#[derive(Clone, Debug, Queryable)]
pub struct Rotated {
    /// The tenant.
    pub tenant: DirectoryEntry,
    /// The user, as it is now: role and state are read again at each rotation.
    pub account: Account,
    /// When the family ends, however often it is rotated.
    pub ends: DateTime<Utc>,
    session_epoch: i64,
    via_tenant: Option<Uuid>,
    via_link: Option<Uuid>,
}

impl Rotated {
    /// The link that opened the session, and must still hold.
    #[must_use]
    pub fn via(&self) -> Option<Via> {
        let (tenant, link) = self.via_tenant.zip(self.via_link)?;
        Some(Via { tenant: TenantId::from_uuid(tenant), link })
    }

    /// Whether its person may go on: neither was disabled, nor were its sessions ended.
    fn may_go_on(&self) -> bool {
        self.tenant.is_active()
            && self.account.is_active()
            && self.session_epoch == self.account.session_epoch
    }
}

/// The first token of a family.
#[derive(Clone, Copy)]
pub struct FirstToken<'a> {
    /// SHA-256 of the part that all tokens of the family share.
    pub lineage: &'a [u8; 32],
    /// SHA-256 of the token.
    pub token: &'a [u8; 32],
    /// When the family ends, however often it is rotated.
    pub expires_at: DateTime<Utc>,
}

/// The hashes of one rotation, and the time within which a used token is forgiven.
#[derive(Clone, Copy)]
pub struct RotationOf<'a> {
    /// SHA-256 of the part that all tokens of a family share and nobody else knows.
    pub lineage: &'a [u8; 32],
    /// SHA-256 of the presented token.
    pub presented: &'a [u8; 32],
    /// SHA-256 of its successors, which are the same however often the token is presented. The first is stored; the others
    /// are those that a server which has not heard of the newest key yet, or heard of it before this one, may have stored.
    pub successors: &'a [[u8; 32]],
    /// How long after a rotation the token before it still works: a lost reply, or a second tab.
    pub grace: Duration,
    /// How long a session may rest between two rotations.
    pub idle: Duration,
}

impl AuthDb {
    /// Starts a refresh token family, sweeps away those of the person that have ended, and notes the log-in and the credentials that were right for it.
    ///
    /// # Errors
    /// When the database is away, or the user was removed meanwhile.
    pub async fn open_family(
        &self,
        tenant: TenantId,
        account: &Account,
        family: FamilyId,
        first: FirstToken<'_>,
        origin: &Origin,
    ) -> DbResult<()> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            tx.run(async |s| {
                let row = (
                    families::tenant_id.eq(s.tenant()),
                    families::id.eq(family.uuid()),
                    families::user_id.eq(account.id().uuid()),
                    families::lineage_hash.eq(&first.lineage[..]),
                    families::current_hash.eq(&first.token[..]),
                    families::expires_at.eq(first.expires_at),
                    // As it was when the password was checked: a session that was ended since has ended.
                    families::session_epoch.eq(account.session_epoch),
                    families::ip_address.eq(origin.ip_address.as_deref()),
                    families::user_agent.eq(&origin.user_agent),
                    families::via_tenant.eq(origin.via.map(|via| via.tenant.uuid())),
                    families::via_link.eq(origin.via.map(|via| via.link)),
                );
                let whose = families::user_id.eq(account.id().uuid()).and(families::expires_at.lt(now));
                let over = families::table.filter(families::tenant_id.eq(s.tenant()).and(whose));
                let swept = s.execute(diesel::delete(over));
                let opened = s.execute(diesel::insert_into(families::table).values(row));
                let me = users::table
                    .filter(users::tenant_id.eq(s.tenant()).and(users::id.eq(account.id().uuid())));
                let noted = s.execute(diesel::update(me).set(users::last_login_at.eq(now)));
                let proven = async {
                    match &origin.proven {
                        Some(key) => note_success(s, key).await,
                        None => Ok(()),
                    }
                };
                try_join4(swept, opened, noted, proven).await.map(drop)
            })
            .await
        })
        .await
    }

    /// Replaces a family's refresh token, atomically: of any number of simultaneous attempts with one token, PostgreSQL
    /// lets one through, and the others meet the grace or the replay rule (RFC 9700 §4.14.2).
    ///
    /// # Errors
    /// When the database is away.
    pub async fn rotate(
        &self,
        tenant: TenantId,
        family: FamilyId,
        hashes: RotationOf<'_>,
    ) -> DbResult<Rotation> {
        let first = *hashes.successors.first().ok_or_else(|| DbError::Internal("no successor".to_owned()))?;
        let outcome = write(&self.pool, tenant, Actor::System, async |tx| {
            let (rotated, holder) = tx
                .run(async |s| try_join(rotate_current(s, family, hashes, first), holder_of(s, family)).await)
                .await?;
            // `NotFound` rolls back: a refused rotation must leave the family as it was.
            let holder = holder.filter(Rotated::may_go_on);
            let holder = Box::new(holder.ok_or(DbError::NotFound)?);
            if rotated > 0 {
                return Ok(Rotation::Rotated { holder, successor: 0 });
            }
            if let Some(current) = tx.run(async |s| current_after(s, family, hashes).await).await? {
                let known = hashes.successors.iter().position(|successor| current == successor);
                return Ok(
                    known.map_or(Rotation::Refused, |successor| Rotation::Rotated { holder, successor })
                );
            }
            if tx.run(async |s| revoke_if_genuine(s, family, hashes).await).await? == 0 {
                return Ok(Rotation::Refused);
            }
            let ended =
                Revocation { tenant: holder.tenant.id(), subject: Subject::Session(family), epoch: 0 };
            tx.run(async |s| revocations::record(s, &ended).await).await?;
            Ok(Rotation::Replayed)
        })
        .await;
        match outcome {
            Err(DbError::NotFound) => Ok(Rotation::Refused),
            other => other,
        }
    }
}

/// What a family must be to be used: not ended, not too old, and not left alone for too long.
fn is_live(idle: Duration) -> Box<dyn BoxableExpression<families::table, Pg, SqlType = Bool>> {
    let since = now.into_sql::<Timestamptz>() - seconds(idle);
    let live = families::revoked_at.is_null().and(families::expires_at.gt(now));
    Box::new(live.and(families::rotated_at.gt(since)))
}

fn seconds(time: Duration) -> diesel::data_types::PgInterval {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX).seconds()
}

async fn rotate_current(
    s: Session<'_>,
    family: FamilyId,
    hashes: RotationOf<'_>,
    successor: [u8; 32],
) -> QueryResult<usize> {
    let live = families::table
        .filter(families::tenant_id.eq(s.tenant()).and(families::id.eq(family.uuid())))
        .filter(families::current_hash.eq(&hashes.presented[..]))
        .filter(is_live(hashes.idle));
    s.execute(kept(diesel::update(live).set((
        families::previous_hash.eq(families::current_hash.nullable()),
        families::current_hash.eq(&successor[..]),
        families::generation.eq(families::generation + 1),
        families::rotated_at.eq(now),
    ))))
    .await
}

/// What is current, when the presented token is the one before it and the grace is not over. Its holder never saw the
/// reply, or is a second tab that sent the same token at the same moment, and gets the same successor. Nothing is stored:
/// the successor may be of another server with another key, and its holder must not lose it.
async fn current_after(
    s: Session<'_>,
    family: FamilyId,
    hashes: RotationOf<'_>,
) -> QueryResult<Option<Vec<u8>>> {
    // The database's clock on both sides: servers' clocks may differ by more than the grace.
    let since = now.into_sql::<Timestamptz>() - seconds(hashes.grace);
    let live = families::table
        .filter(families::tenant_id.eq(s.tenant()).and(families::id.eq(family.uuid())))
        .filter(families::previous_hash.eq(&hashes.presented[..]).and(families::rotated_at.gt(since)))
        .filter(is_live(hashes.idle));
    s.optional(live.select(families::current_hash)).await
}

/// A used-up token that is genuine (it knows the family's lineage) means that two parties hold the family. Neither can
/// be told from the thief, so both lose it. A guess that merely names the family changes nothing.
async fn revoke_if_genuine(s: Session<'_>, family: FamilyId, hashes: RotationOf<'_>) -> QueryResult<usize> {
    let live = families::table
        .filter(families::tenant_id.eq(s.tenant()).and(families::id.eq(family.uuid())))
        .filter(
            families::lineage_hash
                .eq(&hashes.lineage[..])
                .and(families::current_hash.ne(&hashes.presented[..])),
        )
        .filter(is_live(hashes.idle));
    s.execute(kept(diesel::update(live).set(families::revoked_at.eq(now)))).await
}

async fn holder_of(s: Session<'_>, family: FamilyId) -> QueryResult<Option<Rotated>> {
    let of_user = users::tenant_id.eq(families::tenant_id).and(users::id.eq(families::user_id));
    let of_tenant = tenants::id.eq(families::tenant_id);
    let found = families::table
        .inner_join(users::table.on(of_user))
        .inner_join(tenants::table.on(of_tenant))
        .filter(families::tenant_id.eq(s.tenant()).and(families::id.eq(family.uuid())));
    let columns = (
        DirectoryEntry::as_select(),
        Account::as_select(),
        families::expires_at,
        families::session_epoch,
        families::via_tenant,
        families::via_link,
    );
    s.optional(found.select(columns)).await
}
