//! Waiting for something to become true, with a deadline. Nothing in these tests sleeps for luck.

use std::time::{Duration, Instant};

/// Between two looks.
const STEP: Duration = Duration::from_millis(10);

/// Looks until `look` finds something, at most for `patience`.
///
/// # Panics
/// With `what`, when it never did.
pub async fn until<T>(what: &str, patience: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {patience:?} in vain: {what}");
        tokio::time::sleep(STEP).await;
    }
}
