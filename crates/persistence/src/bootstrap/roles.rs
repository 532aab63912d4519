//! The roles of the server: that they exist, hold no power and no membership beyond what is written here, and have
//! the passwords given.

use postgres_protocol::escape::escape_literal;
use postgres_protocol::password::scram_sha_256;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Client;

use super::{
    APP, AUTH, BootstrapError, BootstrapReport, MIGRATOR, OWNER, PLATFORM, RolePasswords, SEARCH, refused,
};

/// A role and whether it may log in. NOINHERIT throughout: a membership that slips in gives nothing by itself.
const ROLES: [(&str, bool); 6] =
    [(SEARCH, false), (OWNER, false), (MIGRATOR, true), (APP, true), (AUTH, true), (PLATFORM, true)];

/// Who is a member of what: the migrator becomes the owner, and the owner gives functions to the role that searches.
const MEMBERSHIPS: [(&str, &str); 2] = [(MIGRATOR, OWNER), (OWNER, SEARCH)];

/// Brings every role into its one right state.
pub(super) async fn settle(
    server: &Client,
    passwords: &RolePasswords,
    report: &mut BootstrapReport,
) -> Result<(), BootstrapError> {
    // Whatever is true of the schema, nothing that follows belongs in a log.
    let begin = "begin; set local log_statement = 'none'; set local log_min_duration_statement = -1; \
                 set local log_min_error_statement = 'panic'";
    server.batch_execute(begin).await.map_err(refused("the roles"))?;
    for (role, may_log_in) in ROLES {
        settle_attributes(server, role, may_log_in, report).await?;
    }
    for (role, _) in ROLES {
        settle_memberships(server, role, report).await?;
    }
    for (role, password) in [
        (MIGRATOR, &passwords.migrator),
        (APP, &passwords.app),
        (AUTH, &passwords.auth),
        (PLATFORM, &passwords.platform),
    ] {
        if let Some(password) = password {
            set_password(server, role, password).await?;
            report.passwords_set.push(role);
        }
    }
    server.batch_execute("commit").await.map_err(refused("the roles"))
}

async fn settle_attributes(
    server: &Client,
    role: &'static str,
    may_log_in: bool,
    report: &mut BootstrapReport,
) -> Result<(), BootstrapError> {
    let login = if may_log_in { "login" } else { "nologin" };
    let attributes =
        format!("{login} noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls");
    let query = "select rolcanlogin = $2 and not (rolinherit or rolsuper or rolcreatedb or rolcreaterole \
                 or rolreplication or rolbypassrls) from pg_roles where rolname = $1";
    let found = server.query_opt(query, &[&role, &may_log_in]).await.map_err(refused("the roles"))?;
    let statement = match found.map(|row| row.get::<_, bool>(0)) {
        Some(true) => return Ok(()),
        Some(false) => {
            report.repaired_roles.push(role);
            format!("alter role {role} {attributes}")
        }
        None => {
            report.created_roles.push(role);
            format!("create role {role} {attributes}")
        }
    };
    server.batch_execute(&statement).await.map_err(refused("the roles"))
}

/// Each role has its memberships and no other.
async fn settle_memberships(
    server: &Client,
    role: &'static str,
    report: &mut BootstrapReport,
) -> Result<(), BootstrapError> {
    let query = "select held.rolname::text, quote_ident(held.rolname) \
                 from pg_auth_members m join pg_roles held on held.oid = m.roleid \
                 join pg_roles holder on holder.oid = m.member where holder.rolname = $1";
    let rows = server.query(query, &[&role]).await.map_err(refused("the memberships"))?;
    let held: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let wanted = || MEMBERSHIPS.iter().filter(|(holder, _)| *holder == role).map(|(_, group)| *group);
    let mut statements = String::new();
    for (_, quoted) in held.iter().filter(|(name, _)| !wanted().any(|group| group == name)) {
        statements.push_str(&format!("revoke {quoted} from {role} cascade; "));
    }
    for group in wanted().filter(|group| !held.iter().any(|(name, _)| name == group)) {
        statements.push_str(&format!("grant {group} to {role}; "));
    }
    if statements.is_empty() {
        return Ok(());
    }
    if !report.created_roles.contains(&role) && !report.repaired_roles.contains(&role) {
        report.repaired_roles.push(role);
    }
    server.batch_execute(&statements).await.map_err(refused("the memberships"))
}

/// Sends a verifier made here (RFC 5803), never the password: the server needs nothing more, and cannot log it.
async fn set_password(
    server: &Client,
    role: &'static str,
    password: &SecretString,
) -> Result<(), BootstrapError> {
    let password = password.expose_secret();
    if password.is_empty() {
        return Err(BootstrapError::EmptyPassword(role));
    }
    let verifier = escape_literal(&scram_sha_256(password.as_bytes()));
    let statement = format!("alter role {role} password {verifier}");
    server.batch_execute(&statement).await.map_err(refused("the passwords"))
}
