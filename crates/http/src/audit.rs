//! The audit trail over HTTP.

use bulkhead_persistence::audit::AuditLog;

use crate::operation::Endpoint;
use crate::resource::list_of;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![list_of::<AuditLog>()]
}
