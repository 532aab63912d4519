//! People, as their own tenant sees them. Their passwords are in `credentials`, behind another role.

use bulkhead_domain::ids::UserId;
use diesel::pg::Pg;
use diesel::prelude::*;
use uuid::Uuid;

use crate::error::DbResult;
use crate::schema::users;
use crate::tenant_db::TenantDb;

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
}
