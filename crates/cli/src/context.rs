//! What every command is given: the configuration, the way to tell the outcome, and where development keeps its
//! things. And the one way to run a future.

use std::future::Future;
use std::path::PathBuf;

use tokio::runtime::{Builder, Runtime};

use crate::arguments::Globals;
use crate::config::{self, Configuration, Environment};
use crate::dev_cluster::development_folder;
use crate::failure::Failure;
use crate::output::Output;

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    /// The settings and their provenance.
    pub(crate) configuration: Configuration,
    /// Where to tell the outcome.
    pub(crate) output: Output,
    /// `.bulkhead`, or what BULKHEAD_DEV_DIR says.
    pub(crate) development_folder: PathBuf,
    /// Who is working, for the audit log.
    pub(crate) operator: String,
}

impl Context {
    /// Reads the configuration.
    ///
    /// # Errors
    /// [`Failure::Config`].
    pub(crate) fn load(globals: &Globals) -> Result<Self, Failure> {
        let variables = config::variables();
        let login = ["USER", "LOGNAME"]
            .iter()
            .find_map(|name| variables.get(*name))
            .map_or("unknown", String::as_str);
        Ok(Self {
            configuration: config::load(globals.config.as_deref(), &variables)?,
            output: Output::new(globals.json),
            development_folder: development_folder(&variables),
            operator: globals.operator.clone().unwrap_or_else(|| format!("cli:{login}")),
        })
    }

    /// Refuses in production, for commands that publish a password.
    ///
    /// # Errors
    /// [`Failure::NotInProduction`].
    pub(crate) fn refuse_in_production(&self, command: &'static str) -> Result<(), Failure> {
        match self.configuration.settings.environment {
            Environment::Production => Err(Failure::NotInProduction(command)),
            Environment::Development => Ok(()),
        }
    }
}

/// Runs a future to its end.
///
/// # Errors
/// The future's own, or that the system gives no runtime.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime()?.block_on(future)
}

/// A runtime. One thread is plenty for a command; passwords are hashed on another.
///
/// # Errors
/// The system gives none.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::System("start the runtime", error))
}
