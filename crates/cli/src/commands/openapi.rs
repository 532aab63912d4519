//! `bulkhead openapi`: the document of the API, without a server or a database.

use clap::Args;

use crate::context::Context;
use crate::failure::Failure;

/// Its arguments.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  bulkhead openapi > openapi.json && npx openapi-typescript openapi.json -o api.ts"
)]
pub(crate) struct OpenapiArguments {
    /// Print YAML instead of JSON
    #[arg(long, conflicts_with = "json")]
    yaml: bool,
}

/// Prints the document.
pub(super) fn run(context: &Context, arguments: &OpenapiArguments) -> Result<(), Failure> {
    let document = bulkhead_http::document(&context.configuration.settings.server.base_url());
    let text = if arguments.yaml {
        document.to_yaml().map_err(|error| Failure::Document(error.to_string()))
    } else {
        document.to_pretty_json().map_err(|error| Failure::Document(error.to_string()))
    };
    context.output.document(&text?);
    Ok(())
}
