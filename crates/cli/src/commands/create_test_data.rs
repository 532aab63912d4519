//! `bulkhead create-test-data`: the demo tenants, and a file with a session for each, for scripts and front ends.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::demo;
use crate::context::{Context, block_on};
use crate::databases::Databases;
use crate::failure::Failure;
use crate::services::{file, write_private};

/// Its arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Makes the tenants acme and beta with the users acme_user and beta_user, password testpass123, and some projects, tasks
and documents. Run again, it adds what is missing and writes new tokens. The file holds live tokens: keep it out of
repositories (.gitignore names it).")]
pub(crate) struct TestDataArguments {
    /// Where to write the tokens
    #[arg(long, value_name = "FILE", default_value = "test_tokens.json")]
    output: PathBuf,
}

/// Creates the data and writes the file.
pub(super) fn run(context: &Context, arguments: &TestDataArguments) -> Result<(), Failure> {
    context.refuse_in_production("create-test-data")?;
    let databases = Databases::open(context)?;
    context.output.progress("creating the demo tenants");
    let tenants = block_on(demo::create(context, &databases))?;
    let document = json!({ "tenants": tenants });
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    write_private(&arguments.output, &text).map_err(file("write", &arguments.output))?;
    let slugs = tenants.iter().map(|tenant| tenant.slug.as_str()).collect::<Vec<_>>().join(" and ");
    let told = json!({ "tenants": tenants.iter().map(|tenant| &tenant.slug).collect::<Vec<_>>(),
        "file": arguments.output.display().to_string() });
    let path = arguments.output.display();
    context
        .output
        .tell(&told, &format!("{slugs} are ready, password {}; tokens are in {path}", demo::PASSWORD));
    Ok(())
}
