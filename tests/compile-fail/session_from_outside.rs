//! The statements of a transaction cannot be run from outside the crate, where nobody set a tenant.

use bulkhead_persistence::session::Session;

fn main() {}
