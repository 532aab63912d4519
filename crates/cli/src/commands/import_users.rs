//! `bulkhead import-users`: people of an older system, with the hashes of their passwords, into a tenant. All of them or, when
//! one row is wrong, none. What a file may look like is in `rows`.

mod rows;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bulkhead_domain::scope::Role;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::platform::{Imported, Platform, PlatformError};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::create_user::parse_role;
use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;
use crate::services::file;

/// Its arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bulkhead import-users --tenant acme users.csv
  bulkhead import-users --tenant acme --format jsonl --dry-run - < users.jsonl

A CSV file begins with a line of names; in JSON lines each line is an object. The names are those of Django's user table:
username, email, password, first_name, last_name, is_active; and role. Only email is required. A password is a hash
(pbkdf2_sha256$... or $argon2id$...), never the password itself: it is verified and replaced by a new one at the next
log-in. Somebody without one can set it with a password reset.")]
pub(crate) struct ImportArguments {
    /// The tenant, by slug or id
    #[arg(long)]
    tenant: String,
    /// The file, or - for standard input
    file: PathBuf,
    /// What the file is [default: by its name]
    #[arg(long)]
    format: Option<Format>,
    /// The role of people whose row names none: admin, member or viewer
    #[arg(long, default_value = "member", value_parser = parse_role)]
    role: Role,
    /// Leave people out whose user name or address the tenant has already, instead of refusing the file
    #[arg(long)]
    skip_existing: bool,
    /// Check everything and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated values (RFC 4180)
    Csv,
    /// One JSON object a line
    Jsonl,
}

/// Imports the people.
pub(super) fn run(context: &Context, arguments: &ImportArguments) -> Result<(), Failure> {
    let text = read(&arguments.file)?;
    let people = match arguments.format.unwrap_or_else(|| format_of(&arguments.file)) {
        Format::Csv => rows::csv(&text, arguments.role),
        Format::Jsonl => rows::json_lines(&text, arguments.role),
    }?;
    let databases = Databases::open(context)?;
    let connection = databases.connect(Purpose::Platform)?;
    let (tenant, Imported { created, skipped }) = block_on(async {
        let mut platform = Platform::connect(&connection, &context.operator).await?;
        let tenant = platform
            .find_tenant(&TenantName::from_body(&arguments.tenant))
            .await?
            .ok_or(PlatformError::UnknownTenant)?;
        let imported =
            platform.import_users(tenant.id, &people, arguments.skip_existing, arguments.dry_run).await?;
        Ok((tenant, imported))
    })?;
    let document = json!({ "tenant": tenant.slug, "created": created, "skipped": skipped, "dry_run": arguments.dry_run });
    let deed = if arguments.dry_run { "would create" } else { "created" };
    let text = format!("{deed} {created} user(s) in {}, left {skipped} out", tenant.slug);
    context.output.tell(&document, &text);
    Ok(())
}

fn read(path: &Path) -> Result<String, Failure> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        let read = std::io::stdin().lock().read_to_string(&mut text);
        return read.map(|_| text).map_err(|error| Failure::System("read the people", error));
    }
    std::fs::read_to_string(path).map_err(file("read", path))
}

/// Whatever is not called `.csv` has one object a line.
fn format_of(path: &Path) -> Format {
    let is_csv = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
    if is_csv { Format::Csv } else { Format::Jsonl }
}
