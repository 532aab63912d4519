//! The people of a tenant, as its administrators see and change them. Whether somebody may is decided within the
//! transaction, by what the database says of both at that moment; passwords are in `credentials`, behind another role.

mod manager;

use bulkhead_domain::field::Choice as _;
use bulkhead_domain::ids::UserId;
use bulkhead_domain::list::{ListRequest, Page};
use bulkhead_domain::members::{MemberFields, MemberPatch, MemberStatus, Refusal, Standing, USERS};
use bulkhead_domain::resource::Resource;
use bulkhead_domain::revocation::{Revocation, Subject};
use bulkhead_domain::scope::Role;
use chrono::{DateTime, Utc};
use diesel::dsl::{auto_type, now};
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use manager::{manager, principal};

use crate::crud::{Listed, View};
use crate::error::{DbError, DbResult};
use crate::kept::kept;
use crate::listing::page;
use crate::schema::users;
use crate::tenant_db::{TenantDb, WriteTx};
use manager::{Scene, scene};

/// A person of the tenant.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = users, check_for_backend(Pg))]
pub struct Member {
    /// The id.
    pub id: Uuid,
    /// The name to log in with.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// What it may do.
    #[schema(value_type = Role)]
    pub role: String,
    /// Whether it may log in.
    #[schema(value_type = MemberStatus)]
    pub status: String,
    /// The same as a truth value.
    #[diesel(select_expression = active(), select_expression_type = active)]
    pub is_active: bool,
    /// When it last logged in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When it joined.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    token_epoch: i64,
    #[serde(skip)]
    version: i64,
}

#[auto_type]
fn active() -> _ {
    users::status.eq("active")
}

impl Member {
    /// What the rules look at.
    fn standing(&self) -> DbResult<Standing> {
        let unknown = || DbError::Internal(format!("unknown role {}", self.role));
        Ok(Standing { role: Role::parse(&self.role).ok_or_else(unknown)?, active: self.is_active })
    }

    /// What it becomes by a patch, as far as the rules look at it.
    fn standing_after(&self, patch: &MemberPatch) -> DbResult<Standing> {
        let before = self.standing()?;
        let active = patch.status.map_or(before.active, |status| status == MemberStatus::Active);
        Ok(Standing { role: patch.role.unwrap_or(before.role), active })
    }

    /// What the audit trail keeps.
    fn told(&self) -> Value {
        json!({
            "user": self.id, "username": self.username, "email": self.email, "role": self.role, "status": self.status,
        })
    }

    /// Whether a patch changes nothing.
    fn is_already(&self, patch: &MemberPatch) -> bool {
        let MemberPatch { username, email, first_name, last_name, role, status } = patch;
        username.as_ref().is_none_or(|name| name.as_str() == self.username)
            && email.as_ref().is_none_or(|email| email.as_str() == self.email)
            && first_name.as_ref().is_none_or(|name| name.as_str() == self.first_name)
            && last_name.as_ref().is_none_or(|name| name.as_str() == self.last_name)
            && role.is_none_or(|role| role.as_str() == self.role)
            && status.is_none_or(|status| status.as_str() == self.status)
    }

    /// Who it is and what it may do, without whether it may do it now.
    fn says(&self) -> [&str; 5] {
        [&self.username, &self.email, &self.first_name, &self.last_name, &self.role]
    }
}

impl View for Member {
    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }
}

/// A person after a change.
#[derive(Clone, Debug)]
pub struct MemberChange {
    /// The person.
    pub member: Member,
    /// What ended with it, for this server to know at once.
    pub ended: Option<Revocation>,
    /// Whether what was mailed to the person before must no longer work.
    pub outdates_mail: bool,
    /// The address that was the person's before, if it is another now.
    pub former_email: Option<String>,
}

/// The people of a tenant.
pub struct Members;

impl Listed for Members {
    const RESOURCE: &'static Resource = &USERS;
    type View = Member;

    async fn list(db: TenantDb<'_>, request: &ListRequest) -> DbResult<Page<Member>> {
        page(db, Self::RESOURCE, request).await
    }
}

impl Members {
    /// One person.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when the tenant has no such person.
    pub async fn get(db: TenantDb<'_>, id: Uuid) -> DbResult<Member> {
        db.read(async |s| {
            let row = users::table.filter(users::tenant_id.eq(s.tenant()).and(users::id.eq(id)));
            s.one(row.select(Member::as_select())).await
        })
        .await
    }

    /// Adds a person without a password.
    ///
    /// # Errors
    /// [`DbError::Refused`]; [`DbError::Duplicate`] when a name is taken; the database is away.
    pub async fn create(tx: &mut WriteTx<'_>, id: UserId, fields: MemberFields) -> DbResult<Member> {
        manager(tx).await?.reaches(fields.role)?;
        let member: Member = tx
            .run(async |s| {
                let row = (
                    users::tenant_id.eq(s.tenant()),
                    users::id.eq(id.uuid()),
                    users::username.eq(fields.username.as_str()),
                    users::username_norm.eq(fields.username.norm()),
                    users::email.eq(fields.email.as_str()),
                    users::email_norm.eq(fields.email.norm()),
                    users::first_name.eq(fields.first_name.as_str()),
                    users::last_name.eq(fields.last_name.as_str()),
                    users::role.eq(fields.role.as_str()),
                    users::status.eq(fields.status.as_str()),
                );
                s.one(diesel::insert_into(users::table).values(row).returning(Member::as_returning())).await
            })
            .await?;
        tx.audit("user.create", member.told()).await?;
        Ok(member)
    }

    /// Changes a person, if it still is in the expected version; one that already is so stays as it is. With another role its tokens end, because they say what
    /// is no longer so, and its sessions go on; when it is deactivated, its sessions end too.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Stale`], [`DbError::Refused`], [`DbError::Duplicate`]; the database is away.
    pub async fn change(
        tx: &mut WriteTx<'_>,
        id: Uuid,
        expected: Option<i64>,
        patch: MemberPatch,
    ) -> DbResult<MemberChange> {
        let Scene { manager, person: before, another_owner } = scene(tx, id, expected).await?;
        let (standing, after) = (before.standing()?, before.standing_after(&patch)?);
        manager.judge(id, standing, Some(after), another_owner)?;
        if before.is_already(&patch) {
            return Ok(MemberChange {
                member: before,
                ended: None,
                outdates_mail: false,
                former_email: None,
            });
        }
        // A token alone must not move an account to another mailbox, where the next password would be mailed.
        if manager.is(id) && patch.email.as_ref().is_some_and(|email| email.as_str() != before.email) {
            return Err(DbError::Refused(Refusal::OwnAccount));
        }
        let outdates = standing != after;
        let leaves = standing.active && !after.active;
        let member = update(tx, id, &patch, (outdates, leaves)).await?;
        if leaves {
            tx.audit("user.deactivate", member.told()).await?;
        } else if standing.active != after.active {
            tx.audit("user.activate", member.told()).await?;
        }
        if member.says() != before.says() {
            tx.audit("user.change", member.told()).await?;
        }
        let subject = Subject::User(UserId::from_uuid(id));
        let ended = if outdates { Some(tx.revoke(subject, member.token_epoch).await?) } else { None };
        let former_email = (member.email != before.email).then_some(before.email);
        Ok(MemberChange { member, ended, outdates_mail: leaves || former_email.is_some(), former_email })
    }

    /// Removes a person with its credentials and sessions, if it still is in the expected version.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Stale`], [`DbError::Refused`]; the database is away.
    pub async fn remove(tx: &mut WriteTx<'_>, id: Uuid, expected: Option<i64>) -> DbResult<Revocation> {
        let Scene { manager, person, another_owner } = scene(tx, id, expected).await?;
        manager.judge(id, person.standing()?, None, another_owner)?;
        let removed = tx
            .run(async |s| {
                let row = users::table.filter(users::tenant_id.eq(s.tenant()).and(users::id.eq(id)));
                s.execute(diesel::delete(row)).await
            })
            .await;
        removed.map_err(|error| match error {
            // What the person made stays, and goes on naming it.
            DbError::Referenced(_) => DbError::Refused(Refusal::Referenced),
            other => other,
        })?;
        tx.audit("user.delete", person.told()).await?;
        tx.revoke(Subject::User(UserId::from_uuid(id)), person.token_epoch + 1).await
    }
}

/// Writes a patch; and new epochs, where tokens and where sessions end with it.
async fn update(
    tx: &mut WriteTx<'_>,
    id: Uuid,
    patch: &MemberPatch,
    (tokens_end, sessions_end): (bool, bool),
) -> DbResult<Member> {
    tx.run(async |s| {
        let row = users::table.filter(users::tenant_id.eq(s.tenant()).and(users::id.eq(id)));
        let names = (
            patch.username.as_ref().map(|name| users::username.eq(name.as_str())),
            patch.username.as_ref().map(|name| users::username_norm.eq(name.norm())),
            patch.email.as_ref().map(|email| users::email.eq(email.as_str())),
            patch.email.as_ref().map(|email| users::email_norm.eq(email.norm())),
            patch.first_name.as_ref().map(|name| users::first_name.eq(name.as_str())),
            patch.last_name.as_ref().map(|name| users::last_name.eq(name.as_str())),
        );
        let changes = (
            names,
            patch.role.map(|role| users::role.eq(role.as_str())),
            patch.status.map(|status| users::status.eq(status.as_str())),
            users::token_epoch.eq(users::token_epoch + i64::from(tokens_end)),
            users::session_epoch.eq(users::session_epoch + i64::from(sessions_end)),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        );
        s.one(kept(diesel::update(row).set(changes).returning(Member::as_returning()))).await
    })
    .await
}
