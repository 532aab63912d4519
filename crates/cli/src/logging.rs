//! The server's log: one line for each event on stdout, as JSON for collectors or as text for eyes. What an event says
//! is the business of whoever logs it.

use std::io::{IsTerminal as _, stdout};

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat, LogLevel};

/// Starts logging. Later calls change nothing.
pub(crate) fn start(settings: &Log) {
    let level = match settings.level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    };
    // Libraries are heard when something is wrong; their debug output may hold what requests carry.
    let filter = Targets::new().with_default(Level::WARN.min(level)).with_target("bulkhead", level);
    let registry = tracing_subscriber::registry().with(filter);
    // Only the first subscriber of a process counts.
    let _ = match settings.format {
        LogFormat::Json => registry
            .with(fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false))
            .try_init(),
        LogFormat::Text => {
            registry.with(fmt::layer().with_target(false).with_ansi(stdout().is_terminal())).try_init()
        }
    };
}
