//! People of a tenant, as an operator creates them, within the transaction that `platform` opened.

use bulkhead_domain::ids::{TenantId, UserId};
use bulkhead_domain::person::{Email, Username};
use bulkhead_domain::scope::Role;
use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use secrecy::{ExposeSecret, SecretString};

use super::PlatformError;
use crate::schema::{user_credentials, users};

/// A user to create.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Unique within the tenant, by its normal form.
    pub username: Username,
    /// Unique within the tenant, by its normal form.
    pub email: Email,
    /// At most 150 characters; may be empty.
    pub first_name: String,
    /// At most 150 characters; may be empty.
    pub last_name: String,
    /// What the user may do.
    pub role: Role,
    /// The password's hash: whatever the log-in can verify. None: the user has to set one first.
    pub password_hash: Option<SecretString>,
}

/// A user of an older system.
#[derive(Clone, Debug)]
pub struct ImportedUser {
    /// Where it stands in its file, for complaints.
    pub row: usize,
    /// The user.
    pub user: NewUser,
    /// Whether it may log in.
    pub is_active: bool,
}

/// What became of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Users that were created.
    pub created: usize,
    /// Users that the tenant had already.
    pub skipped: usize,
}

/// Adds a user of an older system; `false` when the tenant has one of its name or address, and such are to be skipped.
pub(super) async fn import(
    connection: &mut AsyncPgConnection,
    tenant: TenantId,
    imported: &ImportedUser,
    skip_existing: bool,
) -> Result<bool, PlatformError> {
    let ImportedUser { row, user, is_active } = imported;
    if skip_existing {
        let same = users::username_norm.eq(user.username.norm()).or(users::email_norm.eq(user.email.norm()));
        let found = users::table.filter(users::tenant_id.eq(tenant.uuid())).filter(same);
        if diesel::select(diesel::dsl::exists(found)).get_result(connection).await? {
            return Ok(false);
        }
    }
    let at_row = |error| PlatformError::Row { row: *row, why: Box::new(error) };
    let id = insert(connection, tenant, user).await.map_err(at_row)?;
    if !is_active {
        let me = users::table.filter(users::tenant_id.eq(tenant.uuid()).and(users::id.eq(id.uuid())));
        diesel::update(me).set(users::status.eq("disabled")).execute(connection).await?;
    }
    Ok(true)
}

pub(super) async fn insert(
    connection: &mut AsyncPgConnection,
    tenant: TenantId,
    new: &NewUser,
) -> Result<UserId, PlatformError> {
    let id = UserId::generate();
    let row = (
        users::tenant_id.eq(tenant.uuid()),
        users::id.eq(id.uuid()),
        users::username.eq(new.username.as_str()),
        users::username_norm.eq(new.username.norm()),
        users::email.eq(new.email.as_str()),
        users::email_norm.eq(new.email.norm()),
        users::first_name.eq(&new.first_name),
        users::last_name.eq(&new.last_name),
        users::role.eq(new.role.as_str()),
    );
    diesel::insert_into(users::table).values(row).execute(connection).await?;
    if let Some(hash) = &new.password_hash {
        let credentials = (
            user_credentials::tenant_id.eq(tenant.uuid()),
            user_credentials::user_id.eq(id.uuid()),
            user_credentials::password_hash.eq(hash.expose_secret()),
        );
        diesel::insert_into(user_credentials::table).values(credentials).execute(connection).await?;
    }
    Ok(id)
}
