//! A scope cannot be put together from an id that somebody sent.

use bulkhead_domain::ids::{TenantId, new_id};
use bulkhead_domain::principal::PrincipalKind;
use bulkhead_domain::tenant::TenantScope;

fn main() {
    let _scope = TenantScope { tenant: TenantId::generate(), kind: PrincipalKind::User, actor: new_id() };
}
