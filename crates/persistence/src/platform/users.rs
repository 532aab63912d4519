//! People of a tenant, as an operator creates them, within the transaction that `platform` opened.

use bulkhead_domain::ids::{TenantId, UserId};
use bulkhead_domain::person::{Email, Username};
use bulkhead_domain::scope::Role;
use diesel::ExpressionMethods as _;
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
    /// The password's hash in PHC form: whatever the log-in can verify.
    pub password_hash: SecretString,
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
    let credentials = (
        user_credentials::tenant_id.eq(tenant.uuid()),
        user_credentials::user_id.eq(id.uuid()),
        user_credentials::password_hash.eq(new.password_hash.expose_secret()),
    );
    diesel::insert_into(user_credentials::table).values(credentials).execute(connection).await?;
    Ok(id)
}
