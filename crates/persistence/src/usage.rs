//! What clients do: their attempts to get a token, and how much they call. Both are gathered in memory and written here
//! in batches, as the log-in role; administrators read them.

use std::collections::BTreeMap;

use bulkhead_domain::clients::ATTEMPTS;
use bulkhead_domain::clock;
use bulkhead_domain::ids::{TenantId, new_id};
use bulkhead_domain::list::{ListRequest, Page};
use bulkhead_domain::resource::Resource;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::upsert::excluded;
use futures_util::future::try_join;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::Actor;
use crate::clients::api_clients as clients;
use crate::credentials::AuthDb;
use crate::crud::Listed;
use crate::error::DbResult;
use crate::kept::kept;
use crate::listing::page;
use crate::revocations;
use crate::schema::{
    api_client_attempts as attempts, api_client_secrets as secrets, api_client_usage as usage,
};
use crate::tenant_db::{TenantDb, WriteTx};
use crate::write::{write, write_lazily};

/// How long attempts and counts are kept.
const KEPT: TimeDelta = TimeDelta::days(90);

/// An attempt to get a token, as it is stored and as it is shown.
#[derive(Clone, Debug, Insertable, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = attempts, check_for_backend(Pg))]
#[schema(as = ApiClientAttempt)]
pub struct Attempt {
    /// The attempt's id.
    pub id: Uuid,
    /// The client identifier that was presented.
    pub client_id: String,
    /// The client, if there is one of that identifier.
    pub api_client: Option<Uuid>,
    /// The secret, if it was one of the client's.
    pub secret: Option<Uuid>,
    /// Whether a token was given.
    pub success: bool,
    /// `granted`, or why not.
    pub outcome: String,
    /// The address that it came from.
    pub ip_address: Option<String>,
    /// What the caller says it is, cut off at 255 characters.
    pub user_agent: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Requests of one client within one hour.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = usage, check_for_backend(Pg))]
#[schema(as = ApiClientUsage)]
pub struct HourlyUsage {
    /// The beginning of the hour.
    pub hour: DateTime<Utc>,
    /// The operation's id, as in the OpenAPI document.
    pub operation: String,
    /// The secret behind the requests' tokens.
    pub secret: Uuid,
    /// Requests.
    pub requests: i64,
    /// Those of them that were refused: a status of 400 or above.
    pub refused: i64,
}

/// Rows of one statement: PostgreSQL takes 65 535 parameters, and a row has up to ten.
const ROWS_AT_ONCE: usize = 1000;

/// What is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageKey {
    /// The client.
    pub client: Uuid,
    /// The secret behind the token.
    pub secret: Uuid,
    /// The beginning of the hour.
    pub hour: DateTime<Utc>,
    /// The operation's id.
    pub operation: String,
}

/// How often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageCount {
    /// Requests.
    pub requests: i64,
    /// Those that were refused.
    pub refused: i64,
}

/// What was gathered of one tenant.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Attempts.
    pub attempts: Vec<Attempt>,
    /// Requests.
    pub counts: BTreeMap<UsageKey, UsageCount>,
}

impl AuthDb {
    /// Adds what was gathered, in one transaction, and notes when clients and secrets were last used. It does not wait for the
    /// disk: with a flush for every tenant, a server with a thousand busy ones writes more slowly than they work.
    ///
    /// # Errors
    /// When the database is away; nothing was added then.
    pub async fn add_usage(&self, tenant: TenantId, batch: &Batch) -> DbResult<()> {
        write_lazily(&self.pool, tenant, Actor::System, async |tx| {
            add_attempts(tx, &batch.attempts).await?;
            add_counts(tx, &batch.counts).await?;
            note_last_use(tx, batch).await
        })
        .await
    }

    /// Removes what is older than it is kept for, revocations that no token can be older than included.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn sweep_usage(&self, tenant: TenantId) -> DbResult<()> {
        let oldest = clock::now() - KEPT;
        write(&self.pool, tenant, Actor::System, async |tx| {
            tx.run(async |s| {
                let old_attempts = attempts::table
                    .filter(attempts::tenant_id.eq(s.tenant()).and(attempts::created_at.lt(oldest)));
                let old_counts =
                    usage::table.filter(usage::tenant_id.eq(s.tenant()).and(usage::hour.lt(oldest)));
                let gone =
                    try_join(s.execute(diesel::delete(old_attempts)), s.execute(diesel::delete(old_counts)));
                gone.await?;
                revocations::sweep(s).await
            })
            .await
        })
        .await
    }
}

async fn add_attempts(tx: &mut WriteTx<'_>, new: &[Attempt]) -> DbResult<()> {
    for some in new.chunks(ROWS_AT_ONCE) {
        tx.run(async |s| {
            let rows: Vec<_> =
                some.iter().map(|attempt| (attempts::tenant_id.eq(s.tenant()), attempt)).collect();
            s.execute(diesel::insert_into(attempts::table).values(rows)).await
        })
        .await?;
    }
    Ok(())
}

async fn add_counts(tx: &mut WriteTx<'_>, counts: &BTreeMap<UsageKey, UsageCount>) -> DbResult<()> {
    let counts: Vec<_> = counts.iter().collect();
    for some in counts.chunks(ROWS_AT_ONCE) {
        add_some_counts(tx, some).await?;
    }
    Ok(())
}

async fn add_some_counts(tx: &mut WriteTx<'_>, counts: &[(&UsageKey, &UsageCount)]) -> DbResult<()> {
    tx.run(async |s| {
        let rows: Vec<_> = counts
            .iter()
            .map(|(key, count)| {
                (
                    usage::tenant_id.eq(s.tenant()),
                    usage::api_client.eq(key.client),
                    usage::hour.eq(key.hour),
                    usage::operation.eq(&key.operation),
                    usage::secret.eq(key.secret),
                    usage::requests.eq(count.requests),
                    usage::refused.eq(count.refused),
                )
            })
            .collect();
        let insert = diesel::insert_into(usage::table)
            .values(rows)
            .on_conflict((usage::tenant_id, usage::api_client, usage::hour, usage::operation, usage::secret))
            .do_update()
            .set((
                usage::requests.eq(usage::requests + excluded(usage::requests)),
                usage::refused.eq(usage::refused + excluded(usage::refused)),
            ));
        s.execute(insert).await
    })
    .await
    .map(drop)
}

/// Each client and each secret once, in the order of their ids, so that two servers do not wait for each other in a ring.
async fn note_last_use(tx: &mut WriteTx<'_>, batch: &Batch) -> DbResult<()> {
    let granted = batch.attempts.iter().filter(|attempt| attempt.success);
    let granted = granted.filter_map(|attempt| Some((attempt.api_client?, attempt.secret?)));
    let called = batch.counts.keys().map(|key| (key.client, key.secret));
    let mut used: Vec<(Uuid, Uuid)> = granted.chain(called).collect();
    used.sort_unstable();
    used.dedup();
    let (used_clients, used_secrets): (Vec<Uuid>, Vec<Uuid>) = used.into_iter().unzip();
    if used_clients.is_empty() {
        return Ok(());
    }
    tx.run(async |s| {
        let client =
            clients::table.filter(clients::tenant_id.eq(s.tenant()).and(clients::id.eq_any(&used_clients)));
        let secret =
            secrets::table.filter(secrets::tenant_id.eq(s.tenant()).and(secrets::id.eq_any(&used_secrets)));
        let now = diesel::dsl::now;
        try_join(
            s.execute(kept(diesel::update(client).set(clients::last_used_at.eq(now)))),
            s.execute(kept(diesel::update(secret).set(secrets::last_used_at.eq(now)))),
        )
        .await
    })
    .await
    .map(drop)
}

/// Attempts of a tenant's clients.
pub struct Attempts;

impl Listed for Attempts {
    const RESOURCE: &'static Resource = &ATTEMPTS;
    type View = Attempt;

    async fn list(db: TenantDb<'_>, request: &ListRequest) -> DbResult<Page<Attempt>> {
        page(db, Self::RESOURCE, request).await
    }
}

/// A client's requests since a point in time, the latest hour first; at most 10 000 rows.
///
/// # Errors
/// When the database is away.
pub async fn hourly_usage(
    db: TenantDb<'_>,
    client: Uuid,
    since: DateTime<Utc>,
) -> DbResult<Vec<HourlyUsage>> {
    db.read(async |s| s.many(usage_of(s.tenant(), client, since)).await).await
}

/// The latest attempts of a tenant, of one client if given, within an operator's transaction.
///
/// # Errors
/// When the database is away.
pub async fn latest_attempts(
    tx: &mut WriteTx<'_>,
    client: Option<Uuid>,
    limit: i64,
) -> DbResult<Vec<Attempt>> {
    tx.run(async |s| {
        let mut found = attempts::table.filter(attempts::tenant_id.eq(s.tenant())).into_boxed();
        if let Some(client) = client {
            found = found.filter(attempts::api_client.eq(client));
        }
        let found = found.order((attempts::created_at.desc(), attempts::id.desc())).limit(limit);
        s.many(found.select(Attempt::as_select())).await
    })
    .await
}

#[diesel::dsl::auto_type(no_type_alias)]
fn usage_of(tenant: Uuid, client: Uuid, since: DateTime<Utc>) -> _ {
    let columns: diesel::dsl::AsSelect<HourlyUsage, Pg> = HourlyUsage::as_select();
    usage::table
        .filter(usage::tenant_id.eq(tenant).and(usage::api_client.eq(client)).and(usage::hour.ge(since)))
        .order((usage::hour.desc(), usage::operation, usage::secret))
        .limit(10_000_i64)
        .select(columns)
}

/// An attempt that happens now, of which nothing else is known yet.
#[must_use]
pub fn attempt_now(client_id: &str) -> Attempt {
    Attempt {
        id: new_id(),
        client_id: client_id.to_owned(),
        api_client: None,
        secret: None,
        success: false,
        outcome: String::new(),
        ip_address: None,
        user_agent: String::new(),
        created_at: clock::now(),
    }
}
