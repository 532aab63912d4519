//! A handler has the operations of a resource and no way to send a query of its own.

use bulkhead_persistence::tenant_db::{TenantDb, WriteTx};

async fn read(db: TenantDb<'_>) {
    let _rows = db.read(async |session| session.tenant()).await;
}

async fn write(tx: &mut WriteTx<'_>) {
    let _rows = tx.run(async |session| session.tenant()).await;
}

fn main() {}
