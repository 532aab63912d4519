//! What log-in and refresh need: the tenant directory, one user's password hash, and refresh token families. It runs as
//! the role that may read credentials and nothing of the tenants' work.

use std::time::Duration;

use bulkhead_domain::ids::{FamilyId, TenantId, UserId};
use bulkhead_domain::revocation::{Revocation, Subject};
use bulkhead_domain::scope::Role;
use bulkhead_domain::tenant::TenantName;
use chrono::{DateTime, Utc};
use diesel::dsl::{IntervalDsl, now};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use futures_util::future::try_join;
use uuid::Uuid;

use crate::audit::Actor;
use crate::block;
use crate::connect::ConnectSettings;
use crate::error::{DbError, DbResult};
use crate::kept::kept;
use crate::pool::{Pool, PoolSettings};
use crate::revocations;
use crate::schema::{refresh_families as families, tenant_domains, tenants, user_credentials, users};
use crate::session::Session;
use crate::write::write;

diesel::allow_tables_to_appear_in_same_query!(tenants, tenant_domains, users, user_credentials, families);

/// One worker's way to credentials.
#[derive(Clone)]
pub struct AuthDb {
    pub(crate) pool: Pool,
}

/// A tenant as the directory shows it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = tenants, check_for_backend(Pg))]
pub struct DirectoryEntry {
    id: Uuid,
    /// The slug.
    pub slug: String,
    /// The name.
    pub name: String,
    status: String,
    /// Grows when everything that was issued before shall end.
    pub token_epoch: i64,
}

impl DirectoryEntry {
    /// The tenant's id.
    #[must_use]
    pub const fn id(&self) -> TenantId {
        TenantId::from_uuid(self.id)
    }

    /// Whether its people may work.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == "active"
    }
}

/// A user as a token describes it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Pg))]
pub struct Account {
    id: Uuid,
    /// The user name.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    role: String,
    status: String,
    /// Grows when everything that was issued before shall end.
    pub token_epoch: i64,
}

impl Account {
    /// The user's id.
    #[must_use]
    pub const fn id(&self) -> UserId {
        UserId::from_uuid(self.id)
    }

    /// The user's role.
    ///
    /// # Errors
    /// When the stored word is not a role, which the table's constraint prevents.
    pub fn role(&self) -> DbResult<Role> {
        Role::parse(&self.role).ok_or_else(|| DbError::Internal(format!("unknown role {}", self.role)))
    }

    /// Whether the user may log in.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == "active"
    }
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
}

impl AuthDb {
    /// Connects when first used.
    #[must_use]
    pub fn new(connect: ConnectSettings, settings: PoolSettings) -> Self {
        Self { pool: Pool::new(connect, settings) }
    }

    /// Finds a tenant by id, slug or host.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn find_tenant(&self, name: &TenantName) -> DbResult<Option<DirectoryEntry>> {
        // The directory belongs to no tenant; the policy of this role lets it read the directory's columns only.
        let nobody = TenantId::from_uuid(Uuid::nil());
        block::read(&self.pool, nobody, async |s| {
            let entry = DirectoryEntry::as_select();
            match name {
                TenantName::Id(id) => {
                    s.optional(tenants::table.filter(tenants::id.eq(id.uuid())).select(entry)).await
                }
                TenantName::Slug(slug) => {
                    s.optional(tenants::table.filter(tenants::slug.eq(slug)).select(entry)).await
                }
                TenantName::Host(host) => {
                    let of_host = tenant_domains::table.on(tenant_domains::tenant_id.eq(tenants::id));
                    let found = tenants::table.inner_join(of_host).filter(tenant_domains::domain.eq(host));
                    s.optional(found.select(entry)).await
                }
            }
        })
        .await
    }

    /// The account that this name (a user name or an e-mail address, normalised) has **within this tenant**, with its
    /// password hash. Tenant and name are one key: a user of another tenant is nobody here.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn find_account(&self, tenant: TenantId, name: &str) -> DbResult<Option<(Account, String)>> {
        block::read(&self.pool, tenant, async |s| {
            let of_user =
                user_credentials::tenant_id.eq(users::tenant_id).and(user_credentials::user_id.eq(users::id));
            let found = users::table
                .inner_join(user_credentials::table.on(of_user))
                .filter(users::tenant_id.eq(s.tenant()))
                .filter(users::username_norm.eq(name).or(users::email_norm.eq(name)))
                // A user name that is another's e-mail address must not decide by chance.
                .order(users::username_norm.eq(name).desc());
            s.optional(found.select((Account::as_select(), user_credentials::password_hash)).limit(1)).await
        })
        .await
    }

    /// Starts a refresh token family, and notes the log-in.
    ///
    /// # Errors
    /// When the database is away, or the user was removed meanwhile.
    pub async fn open_family(
        &self,
        tenant: TenantId,
        user: UserId,
        family: FamilyId,
        first: FirstToken<'_>,
    ) -> DbResult<()> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            tx.run(async |s| {
                let row = (
                    families::tenant_id.eq(s.tenant()),
                    families::id.eq(family.uuid()),
                    families::user_id.eq(user.uuid()),
                    families::lineage_hash.eq(&first.lineage[..]),
                    families::current_hash.eq(&first.token[..]),
                    families::expires_at.eq(first.expires_at),
                );
                let opened = s.execute(diesel::insert_into(families::table).values(row));
                let me = users::table.filter(users::tenant_id.eq(s.tenant()).and(users::id.eq(user.uuid())));
                let noted = s.execute(diesel::update(me).set(users::last_login_at.eq(now)));
                try_join(opened, noted).await.map(drop)
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
            let holder = holder.filter(|holder| holder.tenant.is_active() && holder.account.is_active());
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

async fn rotate_current(
    s: Session<'_>,
    family: FamilyId,
    hashes: RotationOf<'_>,
    successor: [u8; 32],
) -> QueryResult<usize> {
    let live = families::table
        .filter(families::tenant_id.eq(s.tenant()).and(families::id.eq(family.uuid())))
        .filter(families::current_hash.eq(&hashes.presented[..]))
        .filter(families::revoked_at.is_null().and(families::expires_at.gt(now)));
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
    let grace = i64::try_from(hashes.grace.as_secs()).unwrap_or(0).seconds();
    let since = now.into_sql::<Timestamptz>() - grace;
    let live = families::table
        .filter(families::tenant_id.eq(s.tenant()).and(families::id.eq(family.uuid())))
        .filter(families::previous_hash.eq(&hashes.presented[..]).and(families::rotated_at.gt(since)))
        .filter(families::revoked_at.is_null().and(families::expires_at.gt(now)));
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
        .filter(families::revoked_at.is_null().and(families::expires_at.gt(now)));
    s.execute(kept(diesel::update(live).set(families::revoked_at.eq(now)))).await
}

async fn holder_of(s: Session<'_>, family: FamilyId) -> QueryResult<Option<Rotated>> {
    let of_user = users::tenant_id.eq(families::tenant_id).and(users::id.eq(families::user_id));
    let of_tenant = tenants::id.eq(families::tenant_id);
    let found = families::table
        .inner_join(users::table.on(of_user))
        .inner_join(tenants::table.on(of_tenant))
        .filter(families::tenant_id.eq(s.tenant()).and(families::id.eq(family.uuid())));
    s.optional(found.select((DirectoryEntry::as_select(), Account::as_select(), families::expires_at))).await
}
