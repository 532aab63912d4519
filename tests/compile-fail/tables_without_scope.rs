//! The connections of a worker lend nothing without a scope: neither rows nor themselves.

use bulkhead_domain::ids::TenantId;
use bulkhead_persistence::tenant_db::Db;

fn read(db: &Db) {
    let _by_id = db.tenant(TenantId::generate());
    let _pool = &db.pool;
    let _connection = db.get();
}

fn main() {}
