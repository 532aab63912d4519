//! Extractors for what requests carry besides their token: bodies, ids, retry keys and preconditions.

pub(crate) mod body;
pub(crate) mod form;
pub(crate) mod id;
pub(crate) mod precondition;
pub(crate) mod retry;
