//! The operator's door: tenants and people, across tenants. Every operation is one transaction under the operator's
//! name, and leaves a row in the tenant's audit log if it changed anything. Serves commands, never a request.

mod clients;
mod domains;
mod error;
mod standing;
mod tenants;
mod users;

use bulkhead_domain::ids::{TenantId, UserId, new_id};
use bulkhead_domain::revocation::{Revocation, Subject};
use bulkhead_domain::tenant::TenantName;
use diesel::ExpressionMethods as _;
use diesel_async::{AnsiTransactionManager, RunQueryDsl, TransactionManager};
use postgres_protocol::escape::escape_literal;
use serde_json::Value;

pub use domains::Domain;
pub use error::PlatformError;
pub use tenants::{NewTenant, TenantStatus, TenantSummary};
pub use users::{Imported, ImportedUser, NewUser};

use crate::audit::Actor;
use crate::connect::ConnectSettings;
use crate::error::DbResult;
use crate::pool::Connection;
use crate::revocations;
use crate::schema::audit_log;
use crate::write::WriteTx;

/// How long a command waits for what somebody else holds. What it ends must be known while servers still look for it.
const LOCK_TIMEOUT: &str = "5s";
/// How long a command that was stopped half way may keep what it holds.
const IDLE_TIMEOUT: &str = "10s";
/// The longest operator's name, in characters.
const ACTOR_MAX: usize = 200;

/// A connection as `bulkhead_platform`, in one operator's name.
pub struct Platform {
    connection: Connection,
    actor: String,
}

/// What an operation did, for the audit log.
struct Deed {
    tenant: TenantId,
    action: &'static str,
    target: Value,
}

impl Platform {
    /// Connects. `actor` names the operator in audit logs: 1 to 200 printable characters.
    ///
    /// # Errors
    /// No usable name, or no connection.
    pub async fn connect(settings: &ConnectSettings, actor: &str) -> Result<Self, PlatformError> {
        let actor = actor.trim();
        if !(1..=ACTOR_MAX).contains(&actor.chars().count()) || actor.chars().any(char::is_control) {
            return Err(PlatformError::BadActor);
        }
        Ok(Self { connection: Connection::open(settings).await?, actor: actor.to_owned() })
    }

    /// Creates an active tenant, with a first domain and a first user if given. All of it or nothing.
    ///
    /// # Errors
    /// The slug, the domain or the user's name is taken; the domain is no host name; the database is away.
    pub async fn create_tenant(&mut self, new: &NewTenant) -> Result<TenantId, PlatformError> {
        self.begin().await?;
        let outcome = self.create_tenant_in_tx(new).await;
        self.end(outcome).await
    }

    async fn create_tenant_in_tx(&mut self, new: &NewTenant) -> Result<TenantId, PlatformError> {
        let domain = new.domain.as_deref().map(tenants::host_name).transpose()?;
        let tenant = tenants::insert(&mut self.connection.raw, new, domain.as_deref()).await?;
        let target = serde_json::json!({
            "slug": new.slug, "name": new.name, "domain": domain, "on_trial": new.on_trial,
            "paid_until": new.paid_until,
        });
        self.audit(Deed { tenant, action: "tenant.create", target }).await?;
        if let Some(user) = &new.admin {
            self.create_user_in_tx(tenant, user).await?;
        }
        Ok(tenant)
    }

    /// Creates an active user in an active tenant.
    ///
    /// # Errors
    /// The tenant is unknown or not active; the user name or the address is taken there; the database is away.
    pub async fn create_user(&mut self, tenant: TenantId, new: &NewUser) -> Result<UserId, PlatformError> {
        self.begin().await?;
        let outcome = match tenants::require_active(&mut self.connection.raw, tenant).await {
            Ok(()) => self.create_user_in_tx(tenant, new).await,
            Err(error) => Err(error),
        };
        self.end(outcome).await
    }

    async fn create_user_in_tx(&mut self, tenant: TenantId, new: &NewUser) -> Result<UserId, PlatformError> {
        let user = users::insert(&mut self.connection.raw, tenant, new).await?;
        let target =
            serde_json::json!({ "user": user, "username": new.username.as_str(), "role": new.role.as_str() });
        self.audit(Deed { tenant, action: "user.create", target }).await?;
        Ok(user)
    }

    /// Creates users of an older system in an active tenant: all of them or, when one is refused, none. A rehearsal does
    /// the same and takes it back.
    ///
    /// # Errors
    /// The tenant is unknown or not active; [`PlatformError::Row`]; the database is away.
    pub async fn import_users(
        &mut self,
        tenant: TenantId,
        people: &[ImportedUser],
        skip_existing: bool,
        rehearsal: bool,
    ) -> Result<Imported, PlatformError> {
        self.begin().await?;
        let outcome = self.import_in_tx(tenant, people, skip_existing).await;
        match outcome {
            Ok(imported) if rehearsal => {
                AnsiTransactionManager::rollback_transaction(&mut self.connection.raw).await?;
                Ok(imported)
            }
            outcome => self.end(outcome).await,
        }
    }

    async fn import_in_tx(
        &mut self,
        tenant: TenantId,
        people: &[ImportedUser],
        skip_existing: bool,
    ) -> Result<Imported, PlatformError> {
        tenants::require_active(&mut self.connection.raw, tenant).await?;
        let mut imported = Imported::default();
        for person in people {
            match users::import(&mut self.connection.raw, tenant, person, skip_existing).await? {
                true => imported.created += 1,
                false => imported.skipped += 1,
            }
        }
        let target = serde_json::json!({ "created": imported.created, "skipped": imported.skipped });
        self.audit(Deed { tenant, action: "user.import", target }).await?;
        Ok(imported)
    }

    /// Every tenant, by slug.
    ///
    /// # Errors
    /// The database is away.
    pub async fn list_tenants(&mut self) -> Result<Vec<TenantSummary>, PlatformError> {
        self.begin().await?;
        let outcome = tenants::list(&mut self.connection.raw).await;
        self.end(outcome).await
    }

    /// The tenant of that id, slug or host, if there is one.
    ///
    /// # Errors
    /// The database is away.
    pub async fn find_tenant(&mut self, name: &TenantName) -> Result<Option<TenantSummary>, PlatformError> {
        self.begin().await?;
        let outcome = tenants::find(&mut self.connection.raw, name).await;
        self.end(outcome).await
    }

    /// Lets a tenant's people and clients work again, or no longer. Suspending ends every token at once.
    ///
    /// # Errors
    /// There is no such tenant, or it is being deleted; the database is away.
    pub async fn set_suspended(&mut self, tenant: TenantId, suspended: bool) -> Result<(), PlatformError> {
        self.begin().await?;
        let outcome = self.set_suspended_in_tx(tenant, suspended).await;
        self.end(outcome).await
    }

    async fn set_suspended_in_tx(&mut self, tenant: TenantId, suspended: bool) -> Result<(), PlatformError> {
        let status = if suspended { TenantStatus::Suspended } else { TenantStatus::Active };
        let epoch = tenants::set_status(&mut self.connection.raw, tenant, status).await?;
        let ended = Revocation { tenant, subject: Subject::Tenant, epoch };
        let mut revoked = vec![ended];
        revoked.extend(tenants::end_linked_sessions(&mut self.connection.raw, tenant).await?);
        let rows: Vec<_> = revoked.iter().map(revocations::row).collect();
        diesel::insert_into(crate::schema::revocations::table)
            .values(rows)
            .execute(&mut self.connection.raw)
            .await?;
        let action = if suspended { "tenant.suspend" } else { "tenant.resume" };
        self.audit(Deed { tenant, action, target: serde_json::json!({}) }).await
    }

    async fn begin(&mut self) -> Result<(), PlatformError> {
        let opening = self.opening();
        Ok(AnsiTransactionManager::begin_transaction_sql(&mut self.connection.raw, &opening).await?)
    }

    fn opening(&self) -> String {
        format!(
            "begin; set local bulkhead.platform_actor = {}; set local lock_timeout = '{LOCK_TIMEOUT}'; \
             set local idle_in_transaction_session_timeout = '{IDLE_TIMEOUT}'",
            escape_literal(&self.actor).trim_start()
        )
    }

    /// Runs `work`, written for a tenant's requests, in a transaction of this operator's.
    async fn within<T>(
        &mut self,
        tenant: TenantId,
        work: impl AsyncFnOnce(&mut WriteTx<'_>) -> DbResult<T>,
    ) -> Result<T, PlatformError> {
        let mut tx = WriteTx::new(&self.connection, tenant, Actor::Operator(&self.actor), self.opening());
        let result = work(&mut tx).await;
        Ok(tx.finish(result).await??)
    }

    async fn end<T>(&mut self, outcome: Result<T, PlatformError>) -> Result<T, PlatformError> {
        match outcome {
            Ok(value) => {
                AnsiTransactionManager::commit_transaction(&mut self.connection.raw).await?;
                Ok(value)
            }
            Err(error) => {
                if let Err(rollback) =
                    AnsiTransactionManager::rollback_transaction(&mut self.connection.raw).await
                {
                    tracing::debug!(error = %rollback, "rollback failed; the connection is gone");
                }
                Err(error)
            }
        }
    }

    async fn audit(&mut self, deed: Deed) -> Result<(), PlatformError> {
        let row = (
            audit_log::tenant_id.eq(deed.tenant.uuid()),
            audit_log::id.eq(new_id()),
            audit_log::actor_kind.eq("operator"),
            audit_log::actor_id.eq(&self.actor),
            audit_log::action.eq(deed.action),
            audit_log::target.eq(deed.target),
        );
        diesel::insert_into(audit_log::table).values(row).execute(&mut self.connection.raw).await?;
        Ok(())
    }
}
