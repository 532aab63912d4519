//! Tenants and their domains, as an operator sees them. Each function works within the transaction that `platform`
//! opened.

use bulkhead_domain::ids::{FamilyId, TenantId};
use bulkhead_domain::revocation::{Revocation, Subject};
use bulkhead_domain::tenant::{Slug, TenantName};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::{ExpressionMethods as _, JoinOnDsl as _, OptionalExtension as _, QueryDsl as _};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::{NewUser, PlatformError};
use crate::error::DbError;
use crate::schema::{refresh_families as families, tenant_domains, tenants};

/// A tenant to create.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// Unique among all tenants.
    pub slug: Slug,
    /// 1 to 200 characters.
    pub name: String,
    /// The first (and primary) host name, in any case; unique among all tenants.
    pub domain: Option<String>,
    /// Whether it has not paid yet.
    pub on_trial: bool,
    /// The last day that is paid for, if there is one.
    pub paid_until: Option<NaiveDate>,
    /// The first user.
    pub admin: Option<NewUser>,
}

/// Whether a tenant's people and clients may work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantStatus {
    /// They may.
    Active,
    /// They may not, for now.
    Suspended,
    /// They may not, and its rows are going away.
    Deleting,
}

impl TenantStatus {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
        }
    }

    fn parse(word: &str) -> Result<Self, PlatformError> {
        let all = [Self::Active, Self::Suspended, Self::Deleting];
        let found = all.into_iter().find(|status| status.as_str() == word);
        found.ok_or_else(|| {
            PlatformError::Database(DbError::Internal(format!("unknown tenant status {word}")))
        })
    }
}

/// A tenant, in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSummary {
    /// Its id.
    pub id: TenantId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether it may work.
    pub status: TenantStatus,
    /// Whether it has not paid yet.
    pub on_trial: bool,
    /// The last day that is paid for.
    pub paid_until: Option<NaiveDate>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Grows when everything that was issued before shall end.
    pub token_epoch: i64,
}

pub(super) type Row = (Uuid, String, String, String, bool, Option<NaiveDate>, DateTime<Utc>, i64);
pub(super) type Columns = (
    tenants::id,
    tenants::slug,
    tenants::name,
    tenants::status,
    tenants::on_trial,
    tenants::paid_until,
    tenants::created_at,
    tenants::token_epoch,
);
pub(super) const COLUMNS: Columns = (
    tenants::id,
    tenants::slug,
    tenants::name,
    tenants::status,
    tenants::on_trial,
    tenants::paid_until,
    tenants::created_at,
    tenants::token_epoch,
);

pub(super) fn summary(row: Row) -> Result<TenantSummary, PlatformError> {
    let (id, slug, name, status, on_trial, paid_until, created_at, token_epoch) = row;
    let (id, status) = (TenantId::from_uuid(id), TenantStatus::parse(&status)?);
    Ok(TenantSummary { id, slug, name, status, on_trial, paid_until, created_at, token_epoch })
}

pub(super) async fn list(connection: &mut AsyncPgConnection) -> Result<Vec<TenantSummary>, PlatformError> {
    let rows: Vec<Row> = tenants::table.select(COLUMNS).order(tenants::slug).load(connection).await?;
    rows.into_iter().map(summary).collect()
}

pub(super) async fn find(
    connection: &mut AsyncPgConnection,
    name: &TenantName,
) -> Result<Option<TenantSummary>, PlatformError> {
    let all = tenants::table.select(COLUMNS);
    let row: Option<Row> = match name {
        TenantName::Id(id) => all.filter(tenants::id.eq(id.uuid())).first(connection).await,
        TenantName::Slug(slug) => all.filter(tenants::slug.eq(slug)).first(connection).await,
        TenantName::Host(host) => {
            let of_host = tenant_domains::table.on(tenant_domains::tenant_id.eq(tenants::id));
            let found = tenants::table.inner_join(of_host).filter(tenant_domains::domain.eq(host));
            found.select(COLUMNS).first(connection).await
        }
    }
    .optional()?;
    row.map(summary).transpose()
}

/// Sets a tenant's status and begins a new epoch, in which tokens of the old one are worth nothing. Returns the epoch.
pub(super) async fn set_status(
    connection: &mut AsyncPgConnection,
    tenant: TenantId,
    status: TenantStatus,
) -> Result<i64, PlatformError> {
    let deleting = TenantStatus::Deleting.as_str();
    let row = tenants::table.filter(tenants::id.eq(tenant.uuid())).filter(tenants::status.ne(deleting));
    let changes = (
        tenants::status.eq(status.as_str()),
        tenants::token_epoch.eq(tenants::token_epoch + 1),
        tenants::version.eq(tenants::version + 1),
        tenants::updated_at.eq(diesel::dsl::now),
    );
    let epoch = diesel::update(row).set(changes).returning(tenants::token_epoch).get_result(connection).await;
    epoch.optional()?.ok_or(PlatformError::UnknownTenant)
}

/// Ends the sessions in other tenants that people of this one opened through links. The links themselves have ended with the
/// tenant's epoch.
pub(super) async fn end_linked_sessions(
    connection: &mut AsyncPgConnection,
    tenant: TenantId,
) -> Result<Vec<Revocation>, PlatformError> {
    let opened = families::table.filter(families::via_tenant.eq(tenant.uuid()));
    let ended: Vec<(Uuid, Uuid)> = diesel::update(opened.filter(families::revoked_at.is_null()))
        .set(families::revoked_at.eq(diesel::dsl::now))
        .returning((families::tenant_id, families::id))
        .load(connection)
        .await?;
    let revocation = |(tenant, family)| Revocation {
        tenant: TenantId::from_uuid(tenant),
        subject: Subject::Session(FamilyId::from_uuid(family)),
        epoch: 0,
    };
    Ok(ended.into_iter().map(revocation).collect())
}

/// Inserts the tenant; `domain` is the host name that [`host_name`] made of the one it asks for.
pub(super) async fn insert(
    connection: &mut AsyncPgConnection,
    new: &NewTenant,
    domain: Option<&str>,
) -> Result<TenantId, PlatformError> {
    let id = TenantId::generate();
    let row = (
        tenants::id.eq(id.uuid()),
        tenants::slug.eq(new.slug.as_str()),
        tenants::name.eq(&new.name),
        tenants::on_trial.eq(new.on_trial),
        tenants::paid_until.eq(new.paid_until),
    );
    diesel::insert_into(tenants::table).values(row).execute(connection).await?;
    if let Some(domain) = domain {
        let row = (
            tenant_domains::domain.eq(domain),
            tenant_domains::tenant_id.eq(id.uuid()),
            tenant_domains::is_primary.eq(true),
        );
        diesel::insert_into(tenant_domains::table).values(row).execute(connection).await?;
    }
    Ok(id)
}

/// Locks the tenant against a change of status until the transaction ends.
pub(super) async fn require_active(
    connection: &mut AsyncPgConnection,
    tenant: TenantId,
) -> Result<(), PlatformError> {
    let locked = tenants::table.filter(tenants::id.eq(tenant.uuid())).select(tenants::status).for_share();
    let status: Option<String> = locked.first(connection).await.optional()?;
    match status.as_deref().map(TenantStatus::parse).transpose()? {
        None => Err(PlatformError::UnknownTenant),
        Some(TenantStatus::Active) => Ok(()),
        Some(TenantStatus::Suspended | TenantStatus::Deleting) => Err(PlatformError::TenantNotActive),
    }
}

/// The host name in lower case and without a final dot (RFC 1123 §2.1, RFC 1035 §2.3.4).
pub(super) fn host_name(domain: &str) -> Result<String, PlatformError> {
    let host = domain.trim().trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let sound = host.len() <= 253 && host.split('.').all(is_label);
    if sound { Ok(host) } else { Err(PlatformError::BadDomain(domain.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn a_domain_is_a_host_name_and_nothing_more() {
        assert_eq!(host_name(" Acme.Example.COM. ").unwrap(), "acme.example.com");
        assert_eq!(host_name("acme.localhost").unwrap(), "acme.localhost");
        for bad in [
            "",
            ".",
            "a..b",
            "-a.b",
            "a-.b",
            "https://a.b",
            "a.b:80",
            "a.b/c",
            "a b",
            "é.com",
            &"a".repeat(64),
        ] {
            assert!(host_name(bad).is_err(), "{bad}");
        }
    }
}
