//! A scope cannot be put together from an id that somebody sent.

use bulkhead_domain::ids::TenantId;
use bulkhead_domain::tenant::TenantScope;

fn main() {
    let _scope = TenantScope { tenant: TenantId::generate(), actor: bulkhead_domain::ids::new_id() };
}
