//! The `bulkhead` binary: reads the arguments and the configuration, runs one command, and tells how it went. What a
//! command does is in its own file under `commands`; what the product does is in the other crates.

mod arguments;
mod commands;
mod config;
mod context;
mod database_url;
mod databases;
mod dev_cluster;
mod failure;
mod key_ring;
mod logging;
mod output;
mod passwords;
mod services;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::Arguments;
use output::Output;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(arguments.globals.json);
    match commands::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.fail(&failure);
            failure.exit().into()
        }
    }
}
