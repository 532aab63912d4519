//! An id is not a scope, and does not become one by conversion.

use bulkhead_domain::ids::TenantId;
use bulkhead_domain::tenant::TenantScope;

fn main() {
    let _scope: TenantScope = TenantId::generate().into();
    let _other = TenantScope::default();
}
