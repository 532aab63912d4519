//! Invitations as a tenant's administrators make, see and revoke them. Whoever holds a token accepts one in `joining`,
//! behind another role; what is stored of the token can be written here and never be read.

use bulkhead_domain::field::{Choice as _, Field as _};
use bulkhead_domain::invitations::{INVITATIONS, InvitationFields, InvitationStatus};
use bulkhead_domain::list::{ListRequest, Page};
use bulkhead_domain::members::Refusal;
use bulkhead_domain::person::normalize_name;
use bulkhead_domain::resource::Resource;
use bulkhead_domain::scope::Role;
use chrono::{DateTime, Utc};
use diesel::dsl::{exists, now};
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crud::{Listed, View};
use crate::error::{DbError, DbResult};
use crate::kept::kept;
use crate::listing::page;
use crate::members::{manager, principal};
use crate::schema::{invitations, users};
use crate::tenant_db::{TenantDb, WriteTx};

/// An invitation.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = invitations, check_for_backend(Pg))]
pub struct Invitation {
    /// The id.
    pub id: Uuid,
    /// The address that was invited.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// What the person may do.
    #[schema(value_type = Role)]
    pub role: String,
    /// What became of it.
    #[schema(value_type = InvitationStatus)]
    pub status: String,
    /// The user, the client or the service that invited; null when nobody did but whoever registered.
    pub invited_by: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

impl Invitation {
    fn role(&self) -> DbResult<Role> {
        Role::parse(&self.role).ok_or_else(|| DbError::Internal(format!("unknown role {}", self.role)))
    }

    fn is_open(&self) -> bool {
        self.status == InvitationStatus::Open.as_str()
    }

    /// What the audit trail keeps.
    fn told(&self) -> Value {
        json!({ "invitation": self.id, "email": self.email, "role": self.role })
    }
}

impl View for Invitation {
    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }
}

/// The token of an invitation, as it is stored.
#[derive(Clone, Copy)]
pub struct NewInvitation<'a> {
    /// The invitation's id, which is in the token too.
    pub id: Uuid,
    /// SHA-256 of the token.
    pub digest: &'a [u8; 32],
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}

/// The invitations of a tenant.
pub struct Invitations;

impl Listed for Invitations {
    const RESOURCE: &'static Resource = &INVITATIONS;
    type View = Invitation;

    async fn list(db: TenantDb<'_>, request: &ListRequest) -> DbResult<Page<Invitation>> {
        page(db, Self::RESOURCE, request).await
    }
}

impl Invitations {
    /// One invitation.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when the tenant has no such invitation.
    pub async fn get(db: TenantDb<'_>, id: Uuid) -> DbResult<Invitation> {
        db.read(async |s| {
            let row =
                invitations::table.filter(invitations::tenant_id.eq(s.tenant()).and(invitations::id.eq(id)));
            s.one(row.select(Invitation::as_select())).await
        })
        .await
    }

    /// Invites somebody. Open invitations of the same address are revoked.
    ///
    /// # Errors
    /// [`DbError::Refused`]; [`DbError::Duplicate`] when the address is a member's; the database is away.
    pub async fn create(
        tx: &mut WriteTx<'_>,
        new: NewInvitation<'_>,
        fields: InvitationFields,
    ) -> DbResult<Invitation> {
        let (inviter, manager) = (principal(tx)?.actor(), manager(tx).await?);
        manager.reaches(fields.role)?;
        is_no_member(tx, fields.email.norm()).await?;
        for replaced in Self::revoke_open(tx, fields.email.norm()).await? {
            manager.reaches(replaced.role()?)?;
        }
        let invitation: Invitation = tx
            .run(async |s| {
                let row = (
                    invitations::tenant_id.eq(s.tenant()),
                    invitations::id.eq(new.id),
                    invitations::email.eq(fields.email.as_str()),
                    invitations::email_norm.eq(fields.email.norm()),
                    invitations::first_name.eq(fields.first_name.into_column()),
                    invitations::last_name.eq(fields.last_name.into_column()),
                    invitations::role.eq(fields.role.as_str()),
                    invitations::invited_by.eq(inviter),
                    invitations::token_hash.eq(&new.digest[..]),
                    invitations::expires_at.eq(new.expires_at),
                );
                let insert = diesel::insert_into(invitations::table).values(row);
                s.one(insert.returning(Invitation::as_returning())).await
            })
            .await?;
        tx.audit("invitation.create", invitation.told()).await?;
        Ok(invitation)
    }

    /// Gives an open invitation another token and another end. The token before no longer works.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Refused`]; [`DbError::Duplicate`] when the address is a member's by now; the
    /// database is away.
    pub async fn renew(tx: &mut WriteTx<'_>, new: NewInvitation<'_>) -> DbResult<Invitation> {
        let before = Self::lock(tx, new.id, None).await?;
        if !before.is_open() {
            return Err(DbError::Refused(Refusal::InvitationOver));
        }
        is_no_member(tx, &normalize_name(&before.email)).await?;
        let invitation: Invitation = tx
            .run(async |s| {
                let row = invitations::table
                    .filter(invitations::tenant_id.eq(s.tenant()).and(invitations::id.eq(new.id)));
                let changes = (
                    invitations::token_hash.eq(&new.digest[..]),
                    invitations::expires_at.eq(new.expires_at),
                    invitations::version.eq(invitations::version + 1),
                    invitations::updated_at.eq(now),
                );
                s.one(kept(diesel::update(row).set(changes).returning(Invitation::as_returning()))).await
            })
            .await?;
        tx.audit("invitation.resend", invitation.told()).await?;
        Ok(invitation)
    }

    /// Takes an invitation back, if it still is in the expected version. One that was taken back before stays so.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Stale`]; [`DbError::Refused`], also when it was accepted; the database is away.
    pub async fn revoke(tx: &mut WriteTx<'_>, id: Uuid, expected: Option<i64>) -> DbResult<()> {
        let before = Self::lock(tx, id, expected).await?;
        if before.status == InvitationStatus::Revoked.as_str() {
            return Ok(());
        }
        if !before.is_open() {
            return Err(DbError::Refused(Refusal::InvitationOver));
        }
        tx.run(async |s| {
            let row =
                invitations::table.filter(invitations::tenant_id.eq(s.tenant()).and(invitations::id.eq(id)));
            s.execute(kept(diesel::update(row).set(revoked()))).await
        })
        .await?;
        tx.audit("invitation.revoke", before.told()).await
    }

    /// The invitation, locked until the transaction ends, where whoever acts may touch it.
    async fn lock(tx: &mut WriteTx<'_>, id: Uuid, expected: Option<i64>) -> DbResult<Invitation> {
        let manager = manager(tx).await?;
        let invitation: Invitation = tx
            .run(async |s| {
                let row = invitations::table
                    .filter(invitations::tenant_id.eq(s.tenant()).and(invitations::id.eq(id)));
                s.one(row.select(Invitation::as_select()).for_update()).await
            })
            .await?;
        if expected.is_some_and(|version| version != invitation.version) {
            return Err(DbError::Stale);
        }
        manager.reaches(invitation.role()?)?;
        Ok(invitation)
    }

    async fn revoke_open(tx: &mut WriteTx<'_>, email_norm: &str) -> DbResult<Vec<Invitation>> {
        tx.run(async |s| {
            let open = invitations::table
                .filter(invitations::tenant_id.eq(s.tenant()).and(invitations::email_norm.eq(email_norm)))
                .filter(invitations::status.eq(InvitationStatus::Open.as_str()));
            let update = diesel::update(open).set(revoked()).returning(Invitation::as_returning());
            s.many(kept(update)).await
        })
        .await
    }
}

/// What revoking changes in a row.
#[diesel::dsl::auto_type(no_type_alias)]
pub(crate) fn revoked() -> _ {
    let status: &'static str = "revoked";
    let newer: diesel::helper_types::Add<invitations::version, i64> = invitations::version + 1_i64;
    (invitations::status.eq(status), invitations::version.eq(newer), invitations::updated_at.eq(now))
}

async fn is_no_member(tx: &mut WriteTx<'_>, email_norm: &str) -> DbResult<()> {
    let known = tx
        .run(async |s| {
            let known =
                users::table.filter(users::tenant_id.eq(s.tenant()).and(users::email_norm.eq(email_norm)));
            s.one(diesel::select(exists(known))).await
        })
        .await?;
    if known { Err(DbError::Duplicate("users_email_unique".to_owned())) } else { Ok(()) }
}
