//! What the shared machinery must know of a resource, as data. One constant of [`Resource`] per resource drives its
//! paths, scopes, filters, orderings, error texts, OpenAPI and the tests that are generated from them.

use crate::list::{COMMON_FILTERS, COMMON_ORDERINGS, Filter, Ordering};
use crate::scope::{Action, Scope};

/// A kind of row that tenants own.
#[derive(Clone, Copy, Debug)]
pub struct Resource {
    /// The plural: path segment, scope word, tag and table name.
    pub name: &'static str,
    /// The singular, for sentences and operation summaries.
    pub singular: &'static str,
    /// One sentence on what it is, for the OpenAPI tag.
    pub about: &'static str,
    /// Filters beside [`COMMON_FILTERS`].
    pub filters: &'static [Filter],
    /// Orderings beside [`COMMON_ORDERINGS`].
    pub orderings: &'static [Ordering],
    /// The column that `?search=` looks in: the searched member in lower case.
    pub search_column: &'static str,
}

impl Resource {
    /// Every filter.
    pub fn all_filters(&self) -> impl Iterator<Item = &'static Filter> {
        self.filters.iter().chain(COMMON_FILTERS)
    }

    /// Every ordering.
    pub fn all_orderings(&self) -> impl Iterator<Item = &'static Ordering> {
        COMMON_ORDERINGS.iter().chain(self.orderings)
    }

    /// The scope that `action` on this resource asks for.
    #[must_use]
    pub const fn scope(&self, action: Action) -> Scope {
        Scope::Resource(action, self.name)
    }
}
