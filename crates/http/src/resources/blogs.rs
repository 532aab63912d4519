//! Blogs over HTTP.

use bulkhead_persistence::Blogs;

use crate::operation::Endpoint;
use crate::resource::crud;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    crud::<Blogs>()
}
