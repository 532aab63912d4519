//! How often credentials may be tried, counted in the database: for all servers together, over restarts, and before the
//! credentials are looked at. Whose credentials they are, and from where they come, is said by the caller.
//!
//! Each account has a row per network that tried, with growing delays: one network cannot guess for long. And it has one row
//! for all networks from which its credentials never were right, with so many attempts an hour: many networks together
//! cannot either. Whoever tries as somebody else only ever delays himself, and the person from a network that it never used.

use std::time::Duration;

use bulkhead_domain::clock::now;
use bulkhead_domain::ids::TenantId;
use bulkhead_domain::ids::new_id;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Double, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName, sql_query};
use uuid::Uuid;

use crate::audit::Actor;
use crate::credentials::AuthDb;
use crate::error::{DbError, DbResult};
use crate::session::Session;
use crate::write::write_lazily;

/// A statement with the three parameters that each of them begins with.
macro_rules! of {
    ($statement:expr, $s:expr, $key:expr, $network:expr) => {
        sql_query($statement)
            .bind::<SqlUuid, _>($s.tenant())
            .bind::<SqlUuid, _>($key.account)
            .bind::<Text, _>($network)
    };
}

/// How much guessing is borne.
#[derive(Clone, Copy, Debug)]
pub struct GuessSettings {
    /// Attempts of one network, as one account, that are free of delay; after them the delay doubles with each, from two
    /// seconds to an hour.
    pub free: u32,
    /// Attempts an hour, as one account, from all networks where it never logged in.
    pub hourly: u32,
}

/// Whose credentials are tried, and from where.
#[derive(Clone, Debug)]
pub struct GuardKey {
    /// The tenant; nobody's id when there is none of the name that was given.
    pub tenant: TenantId,
    /// The user's id, or what stands for a name that nobody has.
    pub account: Uuid,
    /// The network, as text. Not empty.
    pub network: String,
}

/// A network whose credentials were right is trusted for so long after the last time.
const TRUST: TimeDelta = TimeDelta::days(90);

/// One more attempt from a network, unless it has to wait. What is older than a day is forgiven. While attempts are free the
/// time lies back, because transactions that wait for each other do not come in the order of their clocks.
const OF_NETWORK: &str = "INSERT INTO credential_guards AS g (tenant_id, account, network, failures, free_at) \
    VALUES ($1, $2, $3, 1, now() - interval '1 minute') \
    ON CONFLICT (tenant_id, account, network) DO UPDATE SET \
        failures = CASE WHEN g.free_at < now() - interval '1 day' THEN 1 ELSE g.failures + 1 END, \
        free_at = CASE WHEN g.free_at < now() - interval '1 day' OR g.failures < $4 THEN now() - interval '1 minute' \
            ELSE now() + make_interval(secs => least(3600, power(2, least(g.failures - $4 + 1, 12)))) END \
    WHERE g.free_at <= now() \
    RETURNING g.proven_at";

/// One more attempt from any network, unless they have to wait: the generic cell rate algorithm, whose time of arrival is
/// `free_at` and whose burst is an hour's attempts.
const OF_ACCOUNT: &str = "INSERT INTO credential_guards AS g (tenant_id, account, network, failures, free_at) \
    VALUES ($1, $2, $3, 1, now() - interval '1 hour' + make_interval(secs => $4)) \
    ON CONFLICT (tenant_id, account, network) DO UPDATE SET failures = g.failures + 1, \
        free_at = greatest(g.free_at, now() - interval '1 hour') + make_interval(secs => $4) \
    WHERE g.free_at <= now() \
    RETURNING g.proven_at";

/// The credentials were right: their network is trusted from now on, and begins anew.
const RIGHT: &str = "UPDATE credential_guards SET failures = 0, free_at = now() - interval '1 minute', proven_at = now() \
    WHERE tenant_id = $1 AND account = $2 AND network = $3";

const WAIT: &str = "SELECT extract(epoch FROM free_at - now())::float8 AS seconds FROM credential_guards \
    WHERE tenant_id = $1 AND account = $2 AND network = $3";

/// What no longer delays anybody and is no proof any more: some, and only what nobody is using at this moment.
const SWEEP: &str = "DELETE FROM credential_guards WHERE (tenant_id, account, network) IN (SELECT tenant_id, account, network \
    FROM credential_guards WHERE tenant_id = $1 AND free_at < now() - interval '1 day' \
    AND (proven_at IS NULL OR proven_at < now() - interval '90 days') LIMIT 200 FOR UPDATE SKIP LOCKED)";

#[derive(QueryableByName)]
struct Proven {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    proven_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Wait {
    #[diesel(sql_type = Double)]
    seconds: f64,
}

impl AuthDb {
    /// Counts an attempt before it is made. `Some`: it must not be made for so long. Of any number of attempts at one moment
    /// no more are let through than one after the other would be: each waits for the row of the one before.
    ///
    /// Not flushed to disk: a database that crashes forgets the attempts of the last second.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn reserve_attempt(
        &self,
        key: &GuardKey,
        settings: GuessSettings,
    ) -> DbResult<Option<Duration>> {
        let mut refused = None;
        let outcome = write_lazily(&self.pool, key.tenant, Actor::System, async |tx| {
            let trusted = tx.run(async |s| of_network(s, key, settings.free).await).await?;
            let refusing = match trusted {
                None => Some(key.network.as_str()),
                Some(true) => None,
                Some(false) => {
                    let admitted = tx.run(async |s| of_account(s, key, settings.hourly).await).await?;
                    (!admitted).then_some("")
                }
            };
            // One attempt in 64, by chance, clears up.
            if new_id().as_bytes().last().is_some_and(|byte| *byte < 4) {
                tx.run(async |s| s.execute(sql_query(SWEEP).bind::<SqlUuid, _>(s.tenant())).await).await?;
            }
            let Some(network) = refusing else { return Ok(()) };
            refused = Some(tx.run(async |s| wait(s, key, network).await).await?);
            // What was refused by the one row must not count in the other.
            Err(DbError::Withdrawn)
        })
        .await;
        match outcome {
            Ok(()) => Ok(None),
            Err(DbError::Withdrawn) => Ok(refused),
            Err(error) => Err(error),
        }
    }
}

impl AuthDb {
    /// Notes that credentials were right, when no session is opened that would.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn note_attempt(&self, key: &GuardKey) -> DbResult<()> {
        write_lazily(&self.pool, key.tenant, Actor::System, async |tx| {
            tx.run(async |s| note_success(s, key).await).await
        })
        .await
    }
}

/// Notes that credentials were right.
pub(crate) async fn note_success(s: Session<'_>, key: &GuardKey) -> QueryResult<()> {
    s.execute(of!(RIGHT, s, key, &key.network)).await.map(drop)
}

/// Whether the network was let through, and if so whether it is trusted.
async fn of_network(s: Session<'_>, key: &GuardKey, free: u32) -> QueryResult<Option<bool>> {
    let free = i32::try_from(free).unwrap_or(i32::MAX);
    let query = of!(OF_NETWORK, s, key, &key.network).bind::<Integer, _>(free);
    let counted = s.optional::<_, Proven>(query).await?;
    Ok(counted.map(|row| row.proven_at.is_some_and(|at| at > now() - TRUST)))
}

async fn of_account(s: Session<'_>, key: &GuardKey, hourly: u32) -> QueryResult<bool> {
    let step = 3600.0 / f64::from(hourly.max(1));
    let query = of!(OF_ACCOUNT, s, key, "").bind::<Double, _>(step);
    Ok(s.optional::<_, Proven>(query).await?.is_some())
}

async fn wait(s: Session<'_>, key: &GuardKey, network: &str) -> QueryResult<Duration> {
    let row = s.optional::<_, Wait>(of!(WAIT, s, key, network)).await?;
    Ok(Duration::from_secs_f64(row.map_or(1.0, |row| row.seconds).clamp(1.0, 3600.0)))
}
