//! A tenant as it sees itself, and what may be changed of it. Finding a tenant before it is known who asks is
//! `credentials`, and the operators' view across tenants is `platform`.

use bulkhead_domain::field::Field as _;
use bulkhead_domain::tenant::TenantPatch;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use futures_util::future::try_join;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crud::{View, coalesce};
use crate::error::{DbError, DbResult};
use crate::kept::kept;
use crate::schema::{tenant_domains, tenants};
use crate::session::Session;
use crate::tenant_db::{TenantDb, WriteTx};

/// A tenant, as its administrators see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Tenant {
    /// What it is.
    #[serde(flatten)]
    row: TenantRow,
    /// The hosts by which its people reach the server, the primary one first.
    domains: Vec<TenantDomain>,
}

/// The row of a tenant.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = tenants, check_for_backend(Pg))]
struct TenantRow {
    /// The id.
    id: Uuid,
    /// The short name, by which it is named before log-in.
    slug: String,
    /// The name.
    name: String,
    /// `active`, `suspended` or `deleting`.
    status: String,
    /// Whether it has not paid yet.
    on_trial: bool,
    /// The last day that is paid for.
    paid_until: Option<NaiveDate>,
    /// Who may join: nobody by themselves (`closed`), the invited (`invite`), or anybody (`open`).
    registration: String,
    /// Whatever the tenant's own programs keep here.
    #[schema(value_type = Object)]
    settings: Value,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

/// A host of a tenant.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = tenant_domains, check_for_backend(Pg))]
pub struct TenantDomain {
    /// The host name.
    domain: String,
    /// Whether it is the one that the tenant is known by.
    is_primary: bool,
}

impl View for Tenant {
    fn id(&self) -> Uuid {
        self.row.id
    }

    fn version(&self) -> i64 {
        self.row.version
    }
}

/// What changes of a tenant. What is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct TenantChange {
    /// What the tenant decides itself.
    pub own: TenantPatch,
    /// Whether it has not paid yet: an operator's to say.
    pub on_trial: Option<bool>,
    /// The last day that is paid for, or no such day: an operator's to say.
    pub paid_until: Option<Option<NaiveDate>>,
}

impl TenantChange {
    /// The names of what changes.
    fn members(&self) -> Vec<&'static str> {
        let all = [
            ("name", self.own.name.is_some()),
            ("settings", self.own.settings.is_some()),
            ("registration", self.own.registration.is_some()),
            ("on_trial", self.on_trial.is_some()),
            ("paid_until", self.paid_until.is_some()),
        ];
        all.into_iter().filter(|(_, changes)| *changes).map(|(name, _)| name).collect()
    }
}

/// The tenant that one is in.
pub struct Tenants;

impl Tenants {
    /// The tenant.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn get(db: TenantDb<'_>) -> DbResult<Tenant> {
        let (row, domains) = db.read(async |s| try_join(row(s), domains(s)).await).await?;
        Ok(Tenant { row, domains })
    }

    /// Changes the tenant, if it still is in the expected version.
    ///
    /// # Errors
    /// [`Stale`](DbError::Stale); [`NotFound`](DbError::NotFound) when there is no such tenant; [`Rejected`](DbError::Rejected); the
    /// database is away.
    pub async fn change(
        tx: &mut WriteTx<'_>,
        expected: Option<i64>,
        change: TenantChange,
    ) -> DbResult<Tenant> {
        let members = change.members();
        let (changed, domains) =
            tx.run(async |s| try_join(update(s, expected, change), domains(s)).await).await?;
        let Some(row) = changed else {
            // Fails with `NotFound` when there is none.
            tx.run(row).await?;
            return Err(DbError::Stale);
        };
        tx.audit("tenant.change", told(&row, &members)).await?;
        Ok(Tenant { row, domains })
    }
}

async fn row(s: Session<'_>) -> QueryResult<TenantRow> {
    s.one(tenants::table.filter(tenants::id.eq(s.tenant())).select(TenantRow::as_select())).await
}

async fn domains(s: Session<'_>) -> QueryResult<Vec<TenantDomain>> {
    let mine = tenant_domains::table.filter(tenant_domains::tenant_id.eq(s.tenant()));
    let order = (tenant_domains::is_primary.desc(), tenant_domains::domain);
    s.many(mine.order(order).select(TenantDomain::as_select())).await
}

async fn update(
    s: Session<'_>,
    expected: Option<i64>,
    change: TenantChange,
) -> QueryResult<Option<TenantRow>> {
    let TenantChange { own, on_trial, paid_until } = change;
    let row = tenants::table
        .filter(tenants::id.eq(s.tenant()))
        .filter(tenants::version.eq(coalesce(expected, tenants::version)));
    let changes = (
        own.name.map(|name| tenants::name.eq(name.into_column())),
        own.settings.map(|settings| tenants::settings.eq(settings.into_column())),
        own.registration.map(|policy| tenants::registration.eq(policy.into_column())),
        on_trial.map(|on_trial| tenants::on_trial.eq(on_trial)),
        paid_until.map(|day| tenants::paid_until.eq(day)),
        tenants::version.eq(tenants::version + 1),
        tenants::updated_at.eq(diesel::dsl::now),
    );
    s.optional(kept(diesel::update(row).set(changes).returning(TenantRow::as_returning()))).await
}

/// What the audit trail keeps of a change. The settings are the tenant's own and may be long: only that they changed.
fn told(row: &TenantRow, members: &[&str]) -> Value {
    json!({
        "changed": members, "name": row.name, "registration": row.registration, "on_trial": row.on_trial,
        "paid_until": row.paid_until,
    })
}
