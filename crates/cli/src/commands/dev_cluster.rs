//! `bulkhead dev-cluster`: the private PostgreSQL, bootstrapped and migrated, for as long as somebody wants it. Tests
//! and the benchmark start it, read its URLs from stdout, and close its stdin when they are done.

use std::io::Read as _;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::context::{Context, runtime};
use crate::databases::private_cluster;
use crate::failure::Failure;

/// Runs the cluster until stdin ends, or SIGTERM or Ctrl-C comes.
pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let runtime = runtime()?;
    let entered = runtime.enter();
    // Before anything is started: a signal that comes during the start must not leave a server behind.
    let unheard = |error| Failure::System("listen for signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
    drop(entered);
    let cluster = private_cluster(context)?;
    context.output.document(&serde_json::to_string(cluster.urls()).unwrap_or_default());
    runtime.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = end_of_input() => {}
        }
    });
    Ok(())
}

/// Becomes ready when stdin ends. A thread of its own reads: tokio's would keep the process from ending.
fn end_of_input() -> oneshot::Receiver<()> {
    let (ended, wait) = oneshot::channel();
    std::thread::spawn(move || {
        let mut ignored = [0_u8; 256];
        let mut stdin = std::io::stdin().lock();
        while matches!(stdin.read(&mut ignored), Ok(1..)) {}
        // Nobody waits any more when a signal came first.
        let _ = ended.send(());
    });
    wait
}
