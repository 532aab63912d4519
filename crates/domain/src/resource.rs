//! What the shared machinery must know of a resource, as data. One constant of [`Resource`] per resource drives its
//! paths, scopes, filters, orderings, error texts, OpenAPI and the tests that are generated from them.

use crate::list::{BY_CREATED, BY_UPDATED, CREATED_FILTERS, Filter, Ordering, UPDATED_FILTERS};
use crate::scope::{Action, Scope};
use crate::search::Texts;

/// A kind of row that tenants own.
#[derive(Clone, Copy, Debug)]
pub struct Resource {
    /// The plural: path segment, scope word and tag.
    pub name: &'static str,
    /// The table's name: the plural with underscores.
    pub table: &'static str,
    /// The singular, for sentences and operation summaries.
    pub singular: &'static str,
    /// One sentence on what it is, for the OpenAPI tag.
    pub about: &'static str,
    /// Whether each action has a scope of its own, or all of it is the tenant's administrators' business.
    pub rights: Rights,
    /// Whether rows change, and so have a time of their last change.
    pub changes: bool,
    /// Filters beside those on the row's times.
    pub filters: &'static [Filter],
    /// Orderings beside those by the row's times.
    pub orderings: &'static [Ordering],
    /// The column whose beginning `?search=` compares: a member in lower case. None: no search.
    pub search_column: Option<&'static str>,
    /// What is searched by words, by `?search=` and across resources. None: `?search=` knows beginnings only.
    pub texts: Option<Texts>,
}

/// Who may work with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Whoever has the scope of the action: `read:projects` and its like.
    ByAction,
    /// Whoever has `tenant:admin`.
    Administrators,
}

impl Resource {
    /// Every filter.
    pub fn all_filters(&self) -> impl Iterator<Item = &'static Filter> {
        self.filters.iter().chain(CREATED_FILTERS).chain(if self.changes { UPDATED_FILTERS } else { &[] })
    }

    /// Every ordering.
    pub fn all_orderings(&self) -> impl Iterator<Item = &'static Ordering> {
        let changed: &[Ordering] = if self.changes { &[BY_UPDATED] } else { &[] };
        std::iter::once(&BY_CREATED).chain(changed).chain(self.orderings)
    }

    /// The scope that `action` on this resource asks for.
    #[must_use]
    pub const fn scope(&self, action: Action) -> Scope {
        match self.rights {
            Rights::ByAction => Scope::Resource(action, self.name),
            Rights::Administrators => Scope::TenantAdmin,
        }
    }
}
