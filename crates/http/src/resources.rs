//! What each resource adds to the operations that all have.

pub(crate) mod documents;
pub(crate) mod projects;
pub(crate) mod tasks;
