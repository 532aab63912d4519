//! People, as their own tenant sees them. Their passwords are in `credentials`, behind another role.

use bulkhead_domain::field::Field as _;
use bulkhead_domain::ids::UserId;
use bulkhead_domain::members::ProfilePatch;
use bulkhead_domain::person::Email;
use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::pg::Pg;
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use crate::error::DbResult;
use crate::kept::kept;
use crate::schema::users;
use crate::tenant_db::{TenantDb, WriteTx};

/// A person.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Pg))]
pub struct User {
    /// The id.
    pub id: Uuid,
    /// The user name.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The role's word.
    pub role: String,
    /// When it joined.
    pub created_at: DateTime<Utc>,
}

/// The people of a tenant.
pub struct Users;

impl Users {
    /// One person.
    ///
    /// # Errors
    /// [`DbError::NotFound`](crate::error::DbError::NotFound) when the tenant has no such person.
    pub async fn get(db: TenantDb<'_>, id: UserId) -> DbResult<User> {
        db.read(async |s| {
            let row = users::table.filter(users::tenant_id.eq(s.tenant()).and(users::id.eq(id.uuid())));
            s.one(row.select(User::as_select())).await
        })
        .await
    }

    /// Changes what people may write about themselves.
    ///
    /// # Errors
    /// [`DbError::NotFound`](crate::error::DbError::NotFound) when the tenant has no such person.
    pub async fn change_profile(tx: &mut WriteTx<'_>, id: UserId, patch: ProfilePatch) -> DbResult<User> {
        let ProfilePatch { first_name, last_name } = patch;
        tx.run(async |s| {
            let row = users::table.filter(users::tenant_id.eq(s.tenant()).and(users::id.eq(id.uuid())));
            let changes = (
                first_name.map(|name| users::first_name.eq(name.into_column())),
                last_name.map(|name| users::last_name.eq(name.into_column())),
                users::version.eq(users::version + 1),
                users::updated_at.eq(now),
            );
            s.one(kept(diesel::update(row).set(changes).returning(User::as_returning()))).await
        })
        .await
    }
    /// Gives a person another address, which was shown to be its own.
    ///
    /// # Errors
    /// [`DbError::Duplicate`](crate::error::DbError::Duplicate) when another person of the tenant has it,
    /// [`DbError::NotFound`](crate::error::DbError::NotFound) when there is no such person.
    pub async fn change_email(tx: &mut WriteTx<'_>, id: UserId, email: &Email) -> DbResult<User> {
        let user = tx
            .run(async |s| {
                let row = users::table.filter(users::tenant_id.eq(s.tenant()).and(users::id.eq(id.uuid())));
                let changes = (
                    users::email.eq(email.as_str()),
                    users::email_norm.eq(email.norm()),
                    users::version.eq(users::version + 1),
                    users::updated_at.eq(now),
                );
                s.one(kept(diesel::update(row).set(changes).returning(User::as_returning()))).await
            })
            .await?;
        tx.audit("user.email_change", json!({ "user": id })).await?;
        Ok(user)
    }
}
