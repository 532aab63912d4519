//! What all workers share and change: whether the server is on its way out.

use std::sync::atomic::{AtomicBool, Ordering};

/// The server's state.
#[derive(Debug, Default)]
pub(crate) struct State {
    draining: AtomicBool,
}

impl State {
    /// From now on the server is not ready for new work.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the server is on its way out.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}
