//! The audit trail: on whose behalf a transaction works, and the rows that say what it did. A row is written in the
//! transaction of its deed, so that neither is there without the other.

use bulkhead_domain::audit::AUDIT;
use bulkhead_domain::ids::new_id;
use bulkhead_domain::list::{ListRequest, Page};
use bulkhead_domain::resource::Resource;
use bulkhead_domain::tenant::TenantScope;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crud::Listed;
use crate::error::DbResult;
use crate::listing::page;
use crate::schema::audit_log;
use crate::tenant_db::{TenantDb, WriteTx};

/// On whose behalf a transaction works.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Actor<'a> {
    /// A principal of the tenant.
    Principal(TenantScope),
    /// An operator, by the name that it gave.
    Operator(&'a str),
    /// The server itself, before it knows whom it works for.
    System,
}

impl Actor<'_> {
    pub(crate) const fn of(scope: TenantScope) -> Self {
        Self::Principal(scope)
    }

    /// Its kind and its name, as they are stored.
    pub(crate) fn names(self) -> (&'static str, String) {
        match self {
            Self::Principal(scope) => (scope.kind().as_str(), scope.actor().to_string()),
            Self::Operator(name) => ("operator", name.to_owned()),
            Self::System => ("system", "server".to_owned()),
        }
    }
}

impl WriteTx<'_> {
    /// Writes down a deed of this transaction. `action` is `{thing}.{verb}`; `target` names what it was done to, and never
    /// holds a secret.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn audit(&mut self, action: &'static str, target: Value) -> DbResult<()> {
        let (kind, actor) = self.actor().names();
        self.run(async |s| {
            let row = (
                audit_log::tenant_id.eq(s.tenant()),
                audit_log::id.eq(new_id()),
                audit_log::actor_kind.eq(kind),
                audit_log::actor_id.eq(actor),
                audit_log::action.eq(action),
                audit_log::target.eq(target),
            );
            s.execute(diesel::insert_into(audit_log::table).values(row)).await
        })
        .await
        .map(drop)
    }
}

/// One deed.
#[derive(Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = audit_log, check_for_backend(Pg))]
pub struct AuditEntry {
    /// The entry's id.
    pub id: Uuid,
    /// `user`, `client`, `service`, `operator` or `system`.
    pub actor_kind: String,
    /// The actor's id, or the name that an operator gave.
    pub actor_id: String,
    /// What was done: `api_client.create` and its like.
    pub action: String,
    /// What it was done to.
    #[schema(value_type = Object)]
    pub target: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// The audit trail of a tenant.
pub struct AuditLog;

impl Listed for AuditLog {
    const RESOURCE: &'static Resource = &AUDIT;
    type View = AuditEntry;

    async fn list(db: TenantDb<'_>, request: &ListRequest) -> DbResult<Page<AuditEntry>> {
        page(db, Self::RESOURCE, request).await
    }
}
