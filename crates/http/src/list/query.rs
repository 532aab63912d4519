//! Query strings of lists. Every parameter is on the resource's list or one of the common ones below; anything else is
//! refused, because a mistyped filter that is ignored shows rows that the client meant to leave out.

use bulkhead_domain::ids::TenantId;
use bulkhead_domain::list::{
    Condition, Counting, DEFAULT_PAGE_SIZE, ListRequest, MAX_OFFSET, MAX_PAGE_SIZE, Ordering, Window,
};
use bulkhead_domain::resource::Resource;
use bulkhead_domain::search::Terms;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::cursor::Binding;
use super::value;
use crate::operation::Endpoint;
use crate::problem::{Outcome, Problem};

/// A request for a page, and what links to its neighbours need.
pub(crate) struct ListQuery {
    pub(crate) request: ListRequest,
    pub(crate) paging: Paging,
    /// The parameters that links repeat: all but those that say where the page starts.
    pub(crate) kept: Vec<(String, String)>,
}

/// What a list does when the client does not say.
#[derive(Clone, Copy)]
pub(crate) struct Usual {
    size: u16,
    counting: Counting,
}

/// Lists that answer pages.
pub(crate) const PAGES: Usual = Usual { size: DEFAULT_PAGE_SIZE, counting: Counting::Capped };
/// Lists that answer bare arrays, which have no place for a count.
pub(crate) const BARE: Usual = Usual { size: MAX_PAGE_SIZE, counting: Counting::Off };

/// How the client moves through the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// By cursor, which is also how the first page is read.
    Cursor,
    /// By number, counted from 1.
    Number(i64),
    /// To the last page, wherever that is.
    Last,
}

impl ListQuery {
    /// Reads a query string.
    pub(crate) fn read(resource: &Resource, tenant: TenantId, query: &str, usual: Usual) -> Outcome<Self> {
        let pairs = pairs(query)?;
        let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        for (name, _) in &pairs {
            let known = common_parameters(resource).any(|known| known == name)
                || resource.all_filters().any(|filter| filter.parameter == name);
            if !known {
                return Err(Problem::parameter(
                    name,
                    &format!("Unknown. Known are: {}.", known_parameters(resource)),
                ));
            }
        }
        let mut conditions = Vec::new();
        for filter in resource.all_filters() {
            if let Some(text) = get(filter.parameter) {
                let value = value::read(filter.kind, text)
                    .map_err(|why| Problem::parameter(filter.parameter, &why))?;
                conditions.push(Condition { column: filter.column, test: filter.test, value });
            }
        }
        let (ordering, descending) = ordering(resource, get("ordering"))?;
        let size = size(get("page_size"), usual.size)?;
        let binding = Binding { tenant, resource: resource.name, ordering, descending };
        let (paging, window) = start(get("page"), get("cursor"), binding, size)?;
        // An empty search is none; an empty value of a filter asks for rows where nothing stands.
        let kept = pairs.iter().filter(|(name, value)| {
            name != "page" && name != "cursor" && !(name == "search" && value.is_empty())
        });
        let kept = kept.cloned().collect();
        let request = ListRequest {
            conditions,
            search: search(get("search"))?,
            ordering,
            descending,
            window,
            size,
            counting: counting(get("count"), usual.counting)?,
        };
        Ok(Self { request, paging, kept })
    }
}

/// Parameters that every list has; and `search`, where there is something to search.
fn common_parameters(resource: &Resource) -> impl Iterator<Item = &'static str> {
    ["page", "page_size", "cursor", "count", "ordering"]
        .into_iter()
        .chain(resource.search_column.map(|_| "search"))
}

fn known_parameters(resource: &Resource) -> String {
    let filters = resource.all_filters().map(|filter| filter.parameter);
    common_parameters(resource).chain(filters).collect::<Vec<_>>().join(", ")
}

/// The pairs of a query string, percent-decoded; each name once.
pub(crate) fn pairs(query: &str) -> Outcome<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(Problem::parameter(&name, "Given more than once."));
        }
        pairs.push((name.into_owned(), value.into_owned()));
    }
    Ok(pairs)
}

fn ordering(resource: &Resource, text: Option<&str>) -> Outcome<(Ordering, bool)> {
    let text = text.unwrap_or("-created_at");
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    match resource.all_orderings().find(|ordering| ordering.name == name) {
        Some(ordering) => Ok((*ordering, descending)),
        None => {
            let names: Vec<_> = resource.all_orderings().map(|ordering| ordering.name).collect();
            let sentence = format!("Must be one of {}, with - in front for descending.", names.join(", "));
            Err(Problem::parameter("ordering", &sentence))
        }
    }
}

pub(crate) fn size(text: Option<&str>, usual: u16) -> Outcome<u16> {
    let Some(text) = text else { return Ok(usual) };
    match text.parse::<u64>() {
        Ok(0) | Err(_) => Err(Problem::parameter("page_size", "Must be a whole number from 1.")),
        // Larger pages than are served are cut, as Django REST framework does.
        Ok(size) => Ok(u16::try_from(size).unwrap_or(MAX_PAGE_SIZE).min(MAX_PAGE_SIZE)),
    }
}

fn counting(text: Option<&str>, usual: Counting) -> Outcome<Counting> {
    match text {
        None => Ok(usual),
        Some("exact") => Ok(Counting::Exact),
        Some("none") => Ok(Counting::Off),
        Some(_) => Err(Problem::parameter("count", "Must be exact or none.")),
    }
}

fn search(text: Option<&str>) -> Outcome<Option<Terms>> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => {
            Terms::parse(text).map(Some).map_err(|why| Problem::parameter("search", &why.to_string()))
        }
    }
}

fn start(
    page: Option<&str>,
    cursor: Option<&str>,
    binding: Binding<'_>,
    size: u16,
) -> Outcome<(Paging, Window)> {
    match (page, cursor) {
        (Some(_), Some(_)) => Err(Problem::parameter("page", "Cannot be combined with cursor.")),
        (None, None) => Ok((Paging::Cursor, Window::Start)),
        (None, Some(cursor)) => Ok((Paging::Cursor, binding.window_at(cursor)?)),
        // Where the last page starts is known once the rows are counted.
        (Some("last"), None) => Ok((Paging::Last, Window::Start)),
        (Some(text), None) => {
            let number = text.parse::<i64>().ok().filter(|number| *number >= 1).ok_or_else(invalid_page)?;
            let offset = (number - 1).checked_mul(i64::from(size)).filter(|offset| *offset <= MAX_OFFSET);
            Ok((Paging::Number(number), Window::Offset(offset.ok_or_else(invalid_page)?)))
        }
    }
}

/// A page that does not exist.
pub(crate) fn invalid_page() -> Problem {
    Problem::new(bulkhead_domain::code::Code::NotFound, "Invalid page.")
}

impl Endpoint {
    /// Describes the parameters of a resource's list.
    pub(crate) fn list_parameters(mut self, resource: &'static Resource, usual: Usual) -> Self {
        let whole =
            || RefOr::T(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build().into());
        let text = || RefOr::T(ObjectBuilder::new().schema_type(Type::String).build().into());
        let words = |words: Vec<String>| {
            RefOr::T(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build().into())
        };
        let orderings =
            resource.all_orderings().flat_map(|o| [o.name.to_owned(), format!("-{}", o.name)]).collect();
        self = self
            .query("page_size", &format!("Rows per page, up to 200; {} unless given.", usual.size), whole())
            .query("cursor", "Where the page starts, from `next` or `previous`.", text())
            .query(
                "page",
                "A page by its number, or `last`. Cursors are faster and do not skip rows.",
                text(),
            )
            .query("ordering", "The order; newest first unless given.", words(orderings));
        if usual.counting != Counting::Off {
            let about = "`exact` counts beyond 10 000, `none` does not count.";
            self = self.query("count", about, words(vec!["exact".into(), "none".into()]));
        }
        if resource.search_column.is_some() {
            let about = match resource.texts {
                Some(_) => "Only rows with these words, or whose title begins like this.",
                None => "The start of the searched text, without regard to case.",
            };
            self = self.query("search", about, text());
        }
        for filter in resource.all_filters() {
            let about = match filter.test {
                bulkhead_domain::list::Test::Equals => "Only rows with this value.",
                bulkhead_domain::list::Test::AtLeast => "Only rows from this value on.",
                bulkhead_domain::list::Test::Below => "Only rows before this value.",
            };
            self = self.query(filter.parameter, about, value::schema(filter.kind));
        }
        self
    }
}
