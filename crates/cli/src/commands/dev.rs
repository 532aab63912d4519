//! `bulkhead dev`: everything for a first look, in one command: database, tables, demo tenants, and the server.

use super::{demo, serve};
use crate::context::{Context, block_on};
use crate::databases::Databases;
use crate::failure::Failure;
use crate::services::{file, write_private};

/// Prepares and serves, until Ctrl-C.
pub(super) fn run(context: &Context) -> Result<(), Failure> {
    context.refuse_in_production("dev")?;
    let databases = Databases::open(context)?;
    context.output.progress("creating the demo tenants");
    let tenants = block_on(demo::create(context, &databases))?;
    let text = serde_json::to_string_pretty(&serde_json::json!({ "tenants": tenants })).unwrap_or_default();
    write_private("test_tokens.json".as_ref(), &text).map_err(file("write", "test_tokens.json"))?;
    let welcome = welcome(context, &databases, tenants.first());
    serve::serve(context, &databases, |_| context.output.note(&welcome))
}

/// What to try first. The address is the configured one; the server says so itself when it cannot have it.
fn welcome(context: &Context, databases: &Databases<'_>, first: Option<&demo::DemoTokens>) -> String {
    let base = context.configuration.settings.server.base_url();
    let database = match databases.private_urls() {
        Some(urls) => {
            format!("private PostgreSQL, psql {:?}", urls.superuser_url.replace("///postgres", "///bulkhead"))
        }
        None => "the configured one".to_owned(),
    };
    let token = first.map_or("TOKEN", demo::DemoTokens::access_token);
    format!(
        "\nBulkhead   {base}\n\
         API pages  {base}/api/docs/  {base}/api/redoc/  {base}/api/schema/\n\
         database   {database}\n\
         log in     tenant acme, user acme_user, or tenant beta, user beta_user; password {}\n\
         tokens     test_tokens.json\n\n\
         try        curl -H 'Authorization: Bearer {token}' {base}/api/v1/projects/\n\n\
         Ctrl-C stops everything.\n",
        demo::PASSWORD
    )
}
