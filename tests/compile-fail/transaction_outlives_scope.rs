//! A transaction cannot be kept beyond the work that it was opened for.

use bulkhead_persistence::tenant_db::TenantDb;

async fn keep(db: TenantDb<'_>) {
    let mut kept = None;
    let _done = db
        .write(async |tx| {
            kept = Some(tx);
            Ok(())
        })
        .await;
    drop(kept);
}

fn main() {}
