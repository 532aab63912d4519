//! The database, its schema and extensions, who may enter them, and the settings that each role has in it.

use postgres_protocol::escape::escape_identifier;
use tokio_postgres::Client;

use super::{APP, AUTH, BootstrapError, MIGRATOR, OWNER, PLATFORM, SCHEMA, SEARCH, refused};

/// The roles that a running server uses.
const RUNTIME: [&str; 3] = [APP, AUTH, PLATFORM];

/// Settings of every role that logs in. Messages in English: the product recognises some of them by their text.
const EVERYONE: [(&str, &str); 4] = [
    ("search_path", "bulkhead, pg_temp"),
    ("timezone", "'UTC'"),
    ("lc_messages", "'C'"),
    ("default_transaction_isolation", "'read committed'"),
];

/// Limits of the roles that serve requests; an operator's and a migration's work may take its time.
const LIMITS: [(&str, &str); 3] = [
    ("statement_timeout", "'5s'"),
    ("lock_timeout", "'2s'"),
    ("idle_in_transaction_session_timeout", "'10s'"),
];

/// Settings that policies read. They may be set within a transaction and nowhere else.
const SCOPES: [&str; 3] = ["app.tenant_id", "bulkhead.platform_actor", "bulkhead.maintenance"];

/// Creates the database if need be, and says whether it did. It is the owner's.
pub(super) async fn settle(server: &Client, database: &str) -> Result<bool, BootstrapError> {
    let refused = || refused("the database");
    let name = escape_identifier(database);
    let query = "select pg_get_userbyid(datdba) = $2 from pg_database where datname = $1";
    let found = server.query_opt(query, &[&database, &OWNER]).await.map_err(refused())?;
    let statement = match found.map(|row| row.get::<_, bool>(0)) {
        Some(true) => return Ok(false),
        Some(false) => format!("alter database {name} owner to {OWNER}"),
        // template0 has nothing local in it, and takes an encoding of its own.
        None => format!("create database {name} owner {OWNER} template template0 encoding 'UTF8'"),
    };
    let created = statement.starts_with("create");
    server.batch_execute(&statement).await.map_err(refused())?;
    Ok(created)
}

/// What the indexes of search are made with. In the product's schema, which is the one place where names resolve.
const EXTENSIONS: [&str; 2] = ["btree_gin", "pg_trgm"];

/// Within the database: the schema, the right to enter, extensions and settings. One transaction.
pub(super) async fn settle_inside(inside: &Client, database: &str) -> Result<(), BootstrapError> {
    let statements = format!("begin; {} {} {} commit", rights(database), extensions(), settings(database));
    inside.batch_execute(&statements).await.map_err(refused("schema, rights and settings"))
}

fn rights(database: &str) -> String {
    let name = escape_identifier(database);
    let runtime = RUNTIME.join(", ");
    format!(
        "set local client_min_messages = 'warning'; \
         revoke all on database {name} from public, {MIGRATOR}, {runtime}; \
         grant connect on database {name} to {MIGRATOR}, {runtime}; \
         create schema if not exists {SCHEMA} authorization {OWNER}; \
         alter schema {SCHEMA} owner to {OWNER}; \
         do $$ begin if to_regnamespace('public') is not null then \
           revoke all on schema public from public, {MIGRATOR}, {runtime}; end if; end $$; \
         revoke all on schema {SCHEMA} from public, {MIGRATOR}, {SEARCH}, {runtime}; \
         grant usage on schema {SCHEMA} to {SEARCH}, {runtime};"
    )
}

fn extensions() -> String {
    EXTENSIONS
        .map(|name| {
            format!("create extension if not exists {name} schema {SCHEMA}; alter extension {name} set schema {SCHEMA};")
        })
        .join(" ")
}

/// In this database only, so that two databases of one server do not disturb one another. A tenant, an operator or
/// maintenance that somebody set for good would undo the policies: such settings go.
fn settings(database: &str) -> String {
    let name = escape_identifier(database);
    let mut statements = String::new();
    let roles = [MIGRATOR, APP, AUTH, PLATFORM];
    for setting in SCOPES {
        statements.push_str(&format!("alter database {name} reset {setting}; "));
        for role in roles {
            statements.push_str(&format!("alter role {role} reset {setting}; "));
            statements.push_str(&format!("alter role {role} in database {name} reset {setting}; "));
        }
    }
    for role in roles {
        let limits = if role == APP || role == AUTH { LIMITS.as_slice() } else { &[] };
        for (setting, value) in EVERYONE.iter().chain(limits) {
            statements.push_str(&format!("alter role {role} in database {name} set {setting} = {value}; "));
        }
    }
    statements
}
