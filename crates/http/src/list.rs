//! Lists on the wire: query strings become a [`ListRequest`](bulkhead_domain::list::ListRequest), pages become
//! `{count, next, previous, results}` with absolute links.

pub(crate) mod cursor;
pub(crate) mod page;
pub(crate) mod query;
pub(crate) mod value;
