//! What log-in needs: the tenant directory, an account with its password hash and its second factor. It runs as the role that
//! may read credentials and nothing of the tenants' work; the other modules that do extend [`AuthDb`].

use bulkhead_domain::ids::{TenantId, UserId};
use bulkhead_domain::scope::Role;
use bulkhead_domain::tenant::TenantName;
use diesel::dsl::{AsSelect, auto_type};
use diesel::pg::Pg;
use diesel::prelude::*;
use futures_util::future::try_join;
use uuid::Uuid;

use crate::block;
use crate::connect::ConnectSettings;
use crate::error::{DbError, DbResult};
use crate::pool::{Pool, PoolSettings};
use crate::schema::{
    account_links, password_resets, refresh_families as families, second_factors, tenant_domains, tenants,
    user_credentials, users,
};

diesel::allow_tables_to_appear_in_same_query!(
    account_links,
    password_resets,
    families,
    second_factors,
    tenant_domains,
    tenants,
    user_credentials,
    users
);

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
    registration: String,
}

impl DirectoryEntry {
    /// The tenant's id.
    #[must_use]
    pub const fn id(&self) -> TenantId {
        TenantId::from_uuid(self.id)
    }

    /// Whether anybody may register who has an address: the tenant is `open`.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.registration == "open"
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
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    role: String,
    status: String,
    /// Grows when tokens that were issued before say what is no longer so.
    pub token_epoch: i64,
    /// Grows when every session shall end.
    pub session_epoch: i64,
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

/// A confirmed second factor.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = second_factors, check_for_backend(Pg))]
pub struct StoredFactor {
    /// The secret, sealed.
    pub secret: Vec<u8>,
    /// The last time step whose code was taken.
    pub last_step: Option<i64>,
}

/// An account with what it proves itself by.
#[derive(Clone, Debug, Queryable)]
pub struct KnownAccount {
    /// The account.
    pub account: Account,
    /// The password's hash, in whatever form it was stored.
    pub password_hash: String,
    /// The second factor, if there is a confirmed one.
    pub second_factor: Option<StoredFactor>,
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

    /// The account that this name (a user name or an e-mail address, normalised) has **within this tenant**. Tenant and name
    /// are one key: a user of another tenant is nobody here.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn find_account(&self, tenant: TenantId, name: &str) -> DbResult<Option<KnownAccount>> {
        block::read(&self.pool, tenant, async |s| {
            let found = known_accounts()
                .filter(users::tenant_id.eq(s.tenant()))
                .filter(users::username_norm.eq(name).or(users::email_norm.eq(name)))
                // An address is its owner's, whoever took it for a user name.
                .order(users::email_norm.eq(name).desc());
            s.optional(found.limit(1)).await
        })
        .await
    }

    /// An account by its id, with its tenant.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn account(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> DbResult<Option<(DirectoryEntry, KnownAccount)>> {
        block::read(&self.pool, tenant, async |s| {
            let of_tenant = tenants::table.filter(tenants::id.eq(s.tenant()));
            let entry = s.optional(of_tenant.select(DirectoryEntry::as_select()));
            let mine = users::tenant_id.eq(s.tenant()).and(users::id.eq(user.uuid()));
            let (entry, known) = try_join(entry, s.optional(known_accounts().filter(mine))).await?;
            Ok(entry.zip(known))
        })
        .await
    }
}

/// Accounts that have a password.
#[auto_type]
fn known_accounts() -> _ {
    let passwords =
        user_credentials::tenant_id.eq(users::tenant_id).and(user_credentials::user_id.eq(users::id));
    let factors = second_factors::tenant_id
        .eq(users::tenant_id)
        .and(second_factors::user_id.eq(users::id))
        .and(second_factors::confirmed_at.is_not_null());
    let account: AsSelect<Account, Pg> = Account::as_select();
    let factor: AsSelect<Option<StoredFactor>, Pg> = Option::<StoredFactor>::as_select();
    users::table
        .inner_join(user_credentials::table.on(passwords))
        .left_join(second_factors::table.on(factors))
        .select((account, user_credentials::password_hash, factor))
}
