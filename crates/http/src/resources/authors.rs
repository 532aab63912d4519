//! Authors over HTTP.

use bulkhead_persistence::Authors;

use crate::operation::Endpoint;
use crate::resource::crud;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    crud::<Authors>()
}
