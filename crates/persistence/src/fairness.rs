//! Keeps one tenant's slow statements from taking every connection: each tenant may hold all but one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bulkhead_domain::ids::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who holds how many connections of one pool.
#[derive(Debug)]
pub(crate) struct Fairness {
    per_tenant: usize,
    turns: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
}

impl Fairness {
    /// For a pool of `connections`.
    pub(crate) fn new(connections: usize) -> Arc<Self> {
        let per_tenant = connections.saturating_sub(1).max(1);
        Arc::new(Self { per_tenant, turns: Mutex::default() })
    }

    /// Waits until `tenant` may take another connection.
    pub(crate) async fn turn(self: &Arc<Self>, tenant: TenantId) -> Turn {
        let semaphore = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(tenant).or_insert_with(|| Arc::new(Semaphore::new(self.per_tenant))))
        };
        // The turn exists before it has its permit, so that a waiter who gives up still cleans up.
        let mut turn =
            Turn { tenant, fairness: Arc::clone(self), semaphore: Arc::clone(&semaphore), permit: None };
        turn.permit = semaphore.acquire_owned().await.ok();
        turn
    }
}

/// A tenant's right to one connection; given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    tenant: TenantId,
    fairness: Arc<Fairness>,
    semaphore: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.permit = None;
        let mut turns = self.fairness.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's own reference and ours: nobody else holds or waits, so the entry can go and the map stays small.
        if Arc::strong_count(&self.semaphore) <= 2 {
            turns.remove(&self.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bulkhead_domain::ids::TenantId;
    use tokio::time::timeout;

    use super::Fairness;

    #[tokio::test]
    async fn one_tenant_gets_all_but_one_and_the_last_is_for_others() {
        let fairness = Fairness::new(3);
        let (greedy, other) = (TenantId::generate(), TenantId::generate());
        let held = (fairness.turn(greedy).await, fairness.turn(greedy).await);
        assert!(timeout(Duration::from_millis(20), fairness.turn(greedy)).await.is_err());
        assert!(timeout(Duration::from_millis(20), fairness.turn(other)).await.is_ok());
        drop(held);
        assert!(timeout(Duration::from_millis(20), fairness.turn(greedy)).await.is_ok());
        assert!(fairness.turns.lock().unwrap().is_empty(), "nothing stays behind");
    }
}
