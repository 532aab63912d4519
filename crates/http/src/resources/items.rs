//! Items over HTTP: the usual operations, and making many at once.

use bulkhead_persistence::Items;

use crate::bulk::bulk;
use crate::operation::Endpoint;
use crate::resource::crud;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = crud::<Items>();
    endpoints.push(bulk::<Items>());
    endpoints
}
