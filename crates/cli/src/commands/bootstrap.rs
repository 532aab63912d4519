//! `bulkhead bootstrap`: roles, database, grants, once, as a superuser. The roles' passwords are those that the
//! configured URLs hold, so that there is one place to write them.

use bulkhead_persistence::bootstrap::{RolePasswords, bootstrap};
use secrecy::SecretString;
use serde_json::json;

use crate::config::Settings;
use crate::context::{Context, block_on};
use crate::database_url::UrlParts;
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;

/// Shown by `--help`.
pub(crate) const HELP: &str = "\
Reads BULKHEAD_DATABASE__SUPERUSER_URL (a superuser, and a database that exists, such as postgres). Each role gets the
password that stands in its own URL; a role whose URL is not set, or has no password, keeps the one it has.

  export BULKHEAD_DATABASE__URL=postgresql://bulkhead_app:...@db/bulkhead
  export BULKHEAD_DATABASE__AUTH_URL=postgresql://bulkhead_auth:...@db/bulkhead
  export BULKHEAD_DATABASE__PLATFORM_URL=postgresql://bulkhead_platform:...@db/bulkhead
  export BULKHEAD_DATABASE__MIGRATOR_URL=postgresql://bulkhead_migrator:...@db/bulkhead
  BULKHEAD_DATABASE__SUPERUSER_URL=postgresql://postgres:...@db/postgres bulkhead bootstrap

Run again, it repairs what was changed by hand.";

/// The database's name where no URL says another.
const DATABASE: &str = "bulkhead";

/// Bootstraps.
pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let databases = Databases::open(context)?;
    let superuser = databases.connect(Purpose::Superuser)?;
    let (name, passwords) = wanted(&context.configuration.settings)?;
    context.output.progress("setting up the database");
    let report = block_on(async { Ok(bootstrap(&superuser, &name, passwords).await?) })?;
    let document = json!({
        "database": name,
        "created_database": report.created_database,
        "created_roles": report.created_roles,
        "repaired_roles": report.repaired_roles,
        "passwords_set": report.passwords_set,
    });
    let list = |what: &str, roles: &[&str]| {
        if roles.is_empty() { String::new() } else { format!("{what}: {}\n", roles.join(", ")) }
    };
    let text = format!(
        "database {name}: {}\n{}{}{}next: bulkhead migrate",
        if report.created_database { "created" } else { "was there" },
        list("created roles", &report.created_roles),
        list("repaired roles", &report.repaired_roles),
        list("set the passwords of", &report.passwords_set),
    );
    context.output.tell(&document, &text);
    Ok(())
}

/// The name of the database and the passwords of the roles, as the configured URLs have them.
fn wanted(settings: &Settings) -> Result<(String, RolePasswords), Failure> {
    let database = &settings.database;
    let mut name = None;
    let mut password = |purpose: Purpose, url: &Option<SecretString>| {
        let parts = url.as_ref().map(UrlParts::of).unwrap_or_default();
        if let (Some(role), Some(user)) = (purpose.role(), &parts.user)
            && role != user
        {
            return Err(Failure::WrongRole { key: purpose.key(), role });
        }
        name = name.take().or(parts.database);
        Ok(parts.password)
    };
    let passwords = RolePasswords {
        app: password(Purpose::App, &database.url)?,
        auth: password(Purpose::Auth, &database.auth_url)?,
        platform: password(Purpose::Platform, &database.platform_url)?,
        migrator: password(Purpose::Migrator, &database.migrator_url)?,
    };
    Ok((name.unwrap_or_else(|| DATABASE.to_owned()), passwords))
}
