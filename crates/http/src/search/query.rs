//! The query string of a search.

use bulkhead_domain::ids::TenantId;
use bulkhead_domain::list::{DEFAULT_PAGE_SIZE, Kind, Ordering, Window};
use bulkhead_domain::resource::Resource;
use bulkhead_domain::search::{LONGEST, Terms};
use bulkhead_persistence::search::{SearchRequest, searched};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use crate::list::cursor::Binding;
use crate::list::query::{pairs, size};
use crate::operation::Endpoint;
use crate::problem::{Outcome, Problem};

const PARAMETERS: [&str; 4] = ["q", "types", "page_size", "cursor"];

/// A search, as it was asked for.
pub(crate) struct SearchQuery {
    pub(crate) terms: Terms,
    pub(crate) types: Vec<&'static Resource>,
    pub(crate) window: Window,
    size: u16,
    /// The parameters that links repeat.
    pub(crate) kept: Vec<(String, String)>,
}

impl SearchQuery {
    /// Reads a query string.
    pub(crate) fn read(tenant: TenantId, query: &str) -> Outcome<Self> {
        let pairs = pairs(query)?;
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !PARAMETERS.contains(&name.as_str())) {
            return Err(Problem::parameter(name, &format!("Unknown. Known are: {}.", PARAMETERS.join(", "))));
        }
        let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let terms = terms(get("q"))?;
        let binding = binding(tenant, &terms);
        let window = get("cursor").map_or(Ok(Window::Start), |cursor| binding.window_at(cursor))?;
        let (types, size) = (types(get("types"))?, size(get("page_size"), DEFAULT_PAGE_SIZE)?);
        let kept = pairs.iter().filter(|(name, _)| name != "cursor").cloned().collect();
        Ok(Self { terms, types, window, size, kept })
    }

    /// What is asked of the database.
    pub(crate) fn request(&self) -> SearchRequest {
        SearchRequest {
            terms: self.terms.clone(),
            tables: self.types.iter().map(|resource| resource.table).collect(),
            window: self.window.clone(),
            size: self.size,
        }
    }

    /// What cursors of this search belong to.
    pub(crate) fn binding(&self, tenant: TenantId) -> Binding<'_> {
        binding(tenant, &self.terms)
    }
}

/// Cursors belong to what was looked for: ranks of another search say nothing here.
fn binding(tenant: TenantId, terms: &Terms) -> Binding<'_> {
    Binding { tenant, resource: &terms.text, ordering: Ordering::by("rank", Kind::Integer), descending: true }
}

fn terms(text: Option<&str>) -> Outcome<Terms> {
    let refused = |why: &str| Problem::parameter("q", why);
    let terms = Terms::parse(text.unwrap_or_default()).map_err(|why| refused(&why.to_string()))?;
    if terms.text.trim().is_empty() { Err(refused("Must not be empty.")) } else { Ok(terms) }
}

/// Every resource that is searched.
fn all() -> impl Iterator<Item = &'static Resource> {
    searched().map(|(resource, _)| resource)
}

/// Names of resources, with commas between them; all of them when none is given.
fn types(text: Option<&str>) -> Outcome<Vec<&'static Resource>> {
    let Some(text) = text else { return Ok(all().collect()) };
    let mut types: Vec<&'static Resource> = Vec::new();
    for name in text.split(',').map(str::trim) {
        let Some(resource) = all().find(|resource| resource.name == name) else {
            let known: Vec<&str> = all().map(|resource| resource.name).collect();
            let why = format!("Must be some of {}, with commas between them.", known.join(", "));
            return Err(Problem::parameter("types", &why));
        };
        if !types.iter().any(|known| known.name == resource.name) {
            types.push(resource);
        }
    }
    Ok(types)
}

impl Endpoint {
    /// Describes the parameters of a search.
    pub(crate) fn search_parameters(self) -> Self {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let schema = |object: ObjectBuilder| RefOr::T(Schema::Object(object.build()));
        let names: Vec<&str> = all().map(|resource| resource.name).collect();
        let about = format!("Resources to search, with commas between them: some of {}.", names.join(", "));
        let size = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
        self.query("q", "What to look for.", schema(text().min_length(Some(1)).max_length(Some(LONGEST))))
            .query("types", &about, schema(text()))
            .query("page_size", "Rows per page, up to 200; 50 unless given.", schema(size))
            .query("cursor", "Where the page starts, from `next` or `previous`.", schema(text()))
    }
}
