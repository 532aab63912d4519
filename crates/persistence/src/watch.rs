//! Watches one connection's statements, so that a block can be sent in one piece: was every statement already
//! prepared, and did none come after the block was closed?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use diesel::connection::{Instrumentation, InstrumentationEvent};

/// What a connection's statements have done since [`StatementWatch::start`].
#[derive(Debug, Default)]
pub(crate) struct StatementWatch {
    preparing: AtomicBool,
    sealed: AtomicBool,
    late: AtomicBool,
    kept: AtomicUsize,
}

/// Statements that a connection keeps prepared before it keeps no more uncommon ones: one costs a backend some 36 KB.
const ROOM: usize = 250;

impl StatementWatch {
    /// Whether there is room to keep another uncommon statement prepared.
    pub(crate) fn has_room(&self) -> bool {
        self.kept.load(Ordering::Relaxed) < ROOM
    }

    /// Begins a block.
    pub(crate) fn start(&self) {
        self.preparing.store(false, Ordering::Relaxed);
        self.sealed.store(false, Ordering::Relaxed);
        self.late.store(false, Ordering::Relaxed);
    }

    /// Notes that a statement must be prepared first, which takes a round trip of its own.
    pub(crate) fn must_prepare(&self) {
        self.preparing.store(true, Ordering::Relaxed);
    }

    /// Whether some statement had to be prepared first.
    pub(crate) fn preparing(&self) -> bool {
        self.preparing.load(Ordering::Relaxed)
    }

    /// Closes the block: its COMMIT is on the way, nothing may follow.
    pub(crate) fn seal(&self) {
        self.sealed.store(true, Ordering::Relaxed);
    }

    /// Whether a statement was sent after the block was closed, and so ran outside the transaction.
    pub(crate) fn was_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }
}

/// The listener that diesel calls. Every flag is set within the poll that sends the statement.
pub(crate) struct Listener(pub(crate) Arc<StatementWatch>);

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::CacheQuery { .. } => {
                self.0.kept.fetch_add(1, Ordering::Relaxed);
                self.0.must_prepare();
            }
            InstrumentationEvent::StartQuery { .. } if self.0.sealed.load(Ordering::Relaxed) => {
                self.0.late.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}
