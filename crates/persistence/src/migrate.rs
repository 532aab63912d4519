//! Applying the embedded migrations, and telling whether a database is as new as this binary. Each file is applied
//! exactly once, by one process at a time, as the owner. What a migration may hold is in `migrations/README.md`.
//!
//! A runner of our own, because diesel's blocks a thread of a multi-threaded runtime, takes no lock, and keeps no
//! checksums.

mod embedded;

use std::time::Duration;

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use thiserror::Error;
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

pub use embedded::SchemaState;
use embedded::{MIGRATIONS, checksum, state_of, unapplied};

use crate::bootstrap::OWNER;
use crate::connect::{ConnectError, ConnectSettings, connect_plain};
use crate::error::DbResult;

/// First line of a file that must not run in a transaction.
const NO_TRANSACTION: &str = "-- bulkhead: no transaction";

/// The session lock of whoever migrates. Only ever tried, never waited for: a waiting statement holds a snapshot, and
/// `create index concurrently` in the process that has the lock would wait for that snapshot, for ever.
const MIGRATION_LOCK: i64 = 0x6275_6c6b_0002;

const VERSION_TABLE: &str = "create table if not exists bulkhead.schema_migrations (
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now(),
    constraint schema_migrations_pkey primary key (name)
);
grant select on bulkhead.schema_migrations to bulkhead_app, bulkhead_auth, bulkhead_platform;";

/// Why migrating stopped. Migrations that were applied before the failing one stay applied.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The role cannot become the owner, or there is no schema to work in.
    #[error("cannot act as {OWNER}: {0}; use the URL of bulkhead_migrator, after `bulkhead bootstrap`")]
    NotMigrator(String),
    /// Another process kept migrating for longer than the caller would wait.
    #[error("another process has been migrating for longer than {0:?}; look at it, then try again")]
    Locked(Duration),
    /// A file differs from what was applied under its name.
    #[error("migration {0} was changed after it had been applied; restore it and write a new one instead")]
    Changed(String),
    /// A migration failed, and its transaction was rolled back.
    #[error("migration {name}: {reason}")]
    Failed {
        /// Its directory's name.
        name: &'static str,
        /// The server's words.
        reason: String,
    },
    /// A statement of the runner itself failed.
    #[error("while reading or writing the list of migrations: {0}")]
    Bookkeeping(String),
}

/// Applies what is pending and names it; names nothing when another process did it meanwhile. `wait` bounds how long
/// to wait for that other process.
///
/// # Errors
/// No connection, the wrong role, `wait` exceeded, a changed file, or a failing migration.
pub async fn migrate(migrator: &ConnectSettings, wait: Duration) -> Result<Vec<&'static str>, MigrateError> {
    let client = connect_plain(migrator).await?;
    become_owner(&client).await?;
    take_lock(&client, wait).await?;
    client.batch_execute(VERSION_TABLE).await.map_err(bookkeeping)?;
    let pending = unapplied(&applied(&client).await?)?;
    let mut done = Vec::new();
    for (name, sql) in pending {
        tracing::info!(migration = name, "migrating");
        apply(&client, name, sql).await?;
        done.push(name);
    }
    // The lock goes with the connection.
    Ok(done)
}

/// The names of the migrations that [`migrate`] would apply now.
///
/// # Errors
/// No connection, the wrong role, or a changed file.
pub async fn pending(migrator: &ConnectSettings) -> Result<Vec<&'static str>, MigrateError> {
    let client = connect_plain(migrator).await?;
    become_owner(&client).await?;
    let pending = unapplied(&applied(&client).await?)?;
    Ok(pending.into_iter().map(|(name, _)| name).collect())
}

/// As [`schema_state`], for a command: opens its own connection as the migrator and compares checksums too.
///
/// # Errors
/// As [`pending`].
pub async fn check(migrator: &ConnectSettings) -> Result<SchemaState, MigrateError> {
    let client = connect_plain(migrator).await?;
    become_owner(&client).await?;
    let applied = applied(&client).await?;
    unapplied(&applied)?;
    Ok(state_of(applied.iter().map(|(name, _)| name.as_str())))
}

/// How the database of this connection stands to this binary. Any of the product's roles may ask.
///
/// # Errors
/// The database's.
pub(crate) async fn schema_state(connection: &mut AsyncPgConnection) -> DbResult<SchemaState> {
    use crate::schema::schema_migrations::dsl::{name, schema_migrations};
    use diesel::QueryDsl as _;

    let exists = diesel::dsl::sql::<diesel::sql_types::Bool>("to_regclass('schema_migrations') is not null");
    if !diesel::select(exists).get_result::<bool>(connection).await? {
        return Ok(SchemaState::Pending(MIGRATIONS.len()));
    }
    let applied: Vec<String> = schema_migrations.select(name).load(connection).await?;
    Ok(state_of(applied.iter().map(String::as_str)))
}

async fn become_owner(client: &Client) -> Result<(), MigrateError> {
    // A lock that requests hold delays a migration; a migration that waits for it delays every later request.
    let statements = format!(
        "set role {OWNER}; set search_path = bulkhead, pg_temp; set client_min_messages = 'warning'; \
         set statement_timeout = 0; set lock_timeout = '5s'"
    );
    client.batch_execute(&statements).await.map_err(|error| MigrateError::NotMigrator(words(&error)))
}

async fn take_lock(client: &Client, wait: Duration) -> Result<(), MigrateError> {
    let deadline = Instant::now() + wait;
    let mut pause = Duration::from_millis(50);
    loop {
        let row = client.query_one("select pg_try_advisory_lock($1)", &[&MIGRATION_LOCK]).await;
        if row.map_err(bookkeeping)?.get(0) {
            return Ok(());
        }
        if Instant::now() + pause > deadline {
            return Err(MigrateError::Locked(wait));
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

/// Name and checksum of each applied migration; none when nothing was ever applied.
async fn applied(client: &Client) -> Result<Vec<(String, String)>, MigrateError> {
    let exists = "select to_regclass('bulkhead.schema_migrations') is not null";
    if !client.query_one(exists, &[]).await.map_err(bookkeeping)?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let query = "select name, checksum from bulkhead.schema_migrations";
    let rows = client.query(query, &[]).await.map_err(bookkeeping)?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn apply(client: &Client, name: &'static str, sql: &str) -> Result<(), MigrateError> {
    let failed = |error: tokio_postgres::Error| MigrateError::Failed { name, reason: words(&error) };
    let in_transaction = sql.lines().next() != Some(NO_TRANSACTION);
    if in_transaction {
        // Row-level security is forced on the owner too: without this a back-fill would silently change no rows.
        client.batch_execute("begin; set local bulkhead.maintenance = 'on'").await.map_err(failed)?;
    }
    client.batch_execute(sql).await.map_err(failed)?;
    let insert = "insert into bulkhead.schema_migrations (name, checksum) values ($1, $2)";
    client.execute(insert, &[&name, &checksum(sql)]).await.map_err(failed)?;
    if in_transaction {
        client.batch_execute("commit").await.map_err(failed)?;
    }
    Ok(())
}

fn words(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |refusal| refusal.message().to_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn bookkeeping(error: tokio_postgres::Error) -> MigrateError {
    MigrateError::Bookkeeping(words(&error))
}
