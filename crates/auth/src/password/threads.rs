//! The threads that hash: as many as may hash at once and no more, behind everything else in the queue for a core. Who may use
//! one, and for how long they wait, is decided in [`super`].

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// Threads that start when there is work and end ten seconds after the last of it.
///
/// They belong to no worker: a worker's own for blocking work can be hundreds, and what each of them had allocated to hash in
/// stayed with the process (1.2 GB in the bench of a storm of log-ins).
pub(super) struct HashThreads {
    handle: Handle,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
}

impl HashThreads {
    /// At most `most` of them.
    ///
    /// # Errors
    /// The system refuses what a runtime needs.
    pub(super) fn new(most: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(most)
            .thread_name("hash")
            .on_thread_start(step_back)
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Runs `work` on one of them, when one is free.
    pub(super) fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        self.handle.spawn_blocking(work)
    }
}

impl Drop for HashThreads {
    /// Does not wait: whoever drops this may be a task, which must not.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The lowest of the usual priorities (sched(7)). In the bench of a storm of log-ins other requests then kept their rate; with 10
/// they lost a sixth of it, with 0 nearly half.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

/// Leaves the cores to those who need them for less than a millisecond: they go before, and a core that nobody
/// else wants is used in full.
fn step_back() {
    // Elsewhere than on Linux the call is about the whole process. A refusal changes the order, not the answers.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICE);
}
