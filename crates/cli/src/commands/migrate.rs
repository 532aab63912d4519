//! `bulkhead migrate`: applies the embedded migrations, or with `--check` only says whether there are any to apply.

use std::time::Duration;

use bulkhead_persistence::migrate::{migrate, pending};
use clap::Args;
use serde_json::json;

use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;

/// Its arguments.
#[derive(Debug, Args)]
#[command(
    after_help = "Two at once are safe: the second waits for the first. Needs BULKHEAD_DATABASE__MIGRATOR_URL."
)]
pub(crate) struct MigrateArguments {
    /// Change nothing; exit with 1 when there is something to apply
    #[arg(long)]
    check: bool,
    /// How long to wait for another process that is migrating, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    wait: u64,
}

/// Migrates, or looks.
pub(super) fn run(context: &Context, arguments: &MigrateArguments) -> Result<(), Failure> {
    let databases = Databases::open(context)?;
    let migrator = databases.connect(Purpose::Migrator)?;
    if arguments.check {
        let pending = block_on(async { Ok(pending(&migrator).await?) })?;
        if !pending.is_empty() {
            return Err(Failure::Pending(pending.len()));
        }
        context.output.tell(&json!({ "pending": pending }), "the database is up to date");
        return Ok(());
    }
    context.output.progress("migrating");
    let wait = Duration::from_secs(arguments.wait);
    let applied = block_on(async { Ok(migrate(&migrator, wait).await?) })?;
    let text = match applied.as_slice() {
        [] => "nothing to apply: the database is up to date".to_owned(),
        names => format!("applied {}", names.join("\napplied ")),
    };
    context.output.tell(&json!({ "applied": applied }), &text);
    Ok(())
}
