//! Todos over HTTP: the usual operations, making many at once, and completing one.

use bulkhead_domain::field::Switch;
use bulkhead_domain::todos::TodoPatch;
use bulkhead_persistence::Todos;

use crate::bulk::bulk;
use crate::complete::{Completing, complete};
use crate::operation::Endpoint;
use crate::resource::crud;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = crud::<Todos>();
    endpoints.push(bulk::<Todos>());
    endpoints.push(complete::<Todos>().about("Its next occurrence is made, once, if it has one."));
    endpoints
}

impl Completing for Todos {
    fn completion() -> TodoPatch {
        TodoPatch { completed: Some(Switch::ON), ..TodoPatch::default() }
    }
}
