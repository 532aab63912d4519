//! Books over HTTP: the usual operations, and making many at once.

use bulkhead_persistence::Books;

use crate::bulk::bulk;
use crate::operation::Endpoint;
use crate::resource::crud;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = crud::<Books>();
    endpoints.push(bulk::<Books>());
    endpoints
}
