//! Fresh tenants with people in them, made by SQL as the operator role: the log-in that follows is the product's own.

use std::sync::OnceLock;

use argon2::{Argon2, PasswordHasher as _};
use bulkhead_domain::ids::new_id;
use tokio_postgres::Client;
use uuid::Uuid;

/// What every person's password is, unless a test says otherwise.
pub const PASSWORD: &str = "a long and winding passphrase";

/// How the word begins that every text of one tenant carries, and no text of another may. Sixteen more characters
/// follow.
pub const MARKER: &str = "zqmark";

/// A person.
#[derive(Clone, Debug)]
pub struct User {
    /// The id.
    pub id: Uuid,
    /// The name to log in with; no other tenant has it.
    pub username: String,
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// A tenant.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The id.
    pub id: Uuid,
    /// The slug.
    pub slug: String,
    /// Its host name.
    pub host: String,
    /// The word that only its texts carry.
    pub marker: String,
    /// The owner.
    pub owner: User,
    /// An administrator.
    pub admin: User,
    /// A member: reads, writes, deletes.
    pub member: User,
    /// A viewer: reads.
    pub viewer: User,
}

/// The argon2id hash of a password, with the product's parameters, which are the library's defaults too.
#[must_use]
pub fn hash(password: &str) -> String {
    static USUAL: OnceLock<String> = OnceLock::new();
    let hash = || Argon2::default().hash_password(password.as_bytes()).expect("hash").to_string();
    if password == PASSWORD { USUAL.get_or_init(hash).clone() } else { hash() }
}

/// Makes a tenant with an owner, an administrator, a member and a viewer.
pub async fn create(operator: &Client) -> Tenant {
    let id = new_id();
    // The last digits: the first are the time.
    let tail = &id.simple().to_string()[16..];
    let (slug, marker) = (format!("t-{tail}"), format!("{MARKER}{tail}"));
    let host = format!("{slug}.tenants.test");
    let name = format!("Tenant {marker}");
    let insert = "insert into bulkhead.tenants (id, slug, name) values ($1::text::uuid, $2, $3)";
    operator.execute(insert, &[&id.to_string(), &slug, &name]).await.expect("make a tenant");
    let insert = "insert into bulkhead.tenant_domains (domain, tenant_id, is_primary) values ($1, $2::text::uuid, true)";
    operator.execute(insert, &[&host, &id.to_string()]).await.expect("give it a host");
    let mut people = Vec::new();
    for role in ["owner", "admin", "member", "viewer"] {
        let (username, email) = (format!("{role}-{tail}"), format!("{role}-{tail}@example.test"));
        people.push(add_user(operator, id, &username, &email, role, PASSWORD).await);
    }
    let [owner, admin, member, viewer] = people.try_into().expect("four people");
    Tenant { id, slug, host, marker, owner, admin, member, viewer }
}

/// Adds a person to a tenant.
pub async fn add_user(
    operator: &Client,
    tenant: Uuid,
    username: &str,
    email: &str,
    role: &str,
    password: &str,
) -> User {
    let id = new_id();
    let (tenant_text, id_text) = (tenant.to_string(), id.to_string());
    let (username_norm, email_norm) = (username.to_lowercase(), email.to_lowercase());
    let first_name = format!("{MARKER}{}", &tenant.simple().to_string()[16..]);
    let insert = "insert into bulkhead.users
        (tenant_id, id, username, username_norm, email, email_norm, first_name, role)
        values ($1::text::uuid, $2::text::uuid, $3, $4, $5, $6, $7, $8)";
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
        [&tenant_text, &id_text, &username, &username_norm, &email, &email_norm, &first_name, &role];
    operator.execute(insert, &values).await.expect("make a user");
    let insert = "insert into bulkhead.user_credentials (tenant_id, user_id, password_hash) values
        ($1::text::uuid, $2::text::uuid, $3)";
    operator.execute(insert, &[&tenant_text, &id_text, &hash(password)]).await.expect("give it a password");
    User { id, username: username.to_owned(), email: email.to_owned(), password: password.to_owned() }
}
