//! Pages on the wire.

use std::borrow::Cow;

use bulkhead_domain::list::{Counting, MAX_OFFSET, Page, Window};
use bulkhead_domain::resource::Resource;
use bulkhead_persistence::crud::Listed;
use bulkhead_persistence::error::DbResult;
use serde::Serialize;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::cursor::Binding;
use super::query::{ListQuery, Paging, invalid_page};
use crate::context::TenantCtx;
use crate::problem::{Outcome, Problem};

/// One page of a list.
#[derive(Serialize)]
pub(crate) struct PageDocument<T> {
    count: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    count_capped: bool,
    next: Option<String>,
    previous: Option<String>,
    results: Vec<T>,
}

/// Written out by hand, because a derived schema has one name for the pages of all resources.
impl<T: ToSchema> PartialSchema for PageDocument<T> {
    fn schema() -> RefOr<Schema> {
        let or_null = |kind, text: &str| {
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([kind, Type::Null]))
                .description(Some(text))
        };
        let rows = ArrayBuilder::new().items(RefOr::Ref(Ref::from_schema_name(T::name())));
        let capped = ObjectBuilder::new().schema_type(Type::Boolean);
        ObjectBuilder::new()
            .property(
                "count",
                or_null(Type::Integer, "How many rows there are, or null when they were not counted."),
            )
            .property(
                "count_capped",
                capped.description(Some("There when there are more rows than `count` says.")),
            )
            .property("next", or_null(Type::String, "The next page."))
            .property("previous", or_null(Type::String, "The page before."))
            .property("results", rows.description(Some("The rows.")))
            .required("count")
            .required("next")
            .required("previous")
            .required("results")
            .into()
    }
}

impl<T: ToSchema> ToSchema for PageDocument<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// Reads the page that a query string asks for.
pub(crate) async fn read<R: Listed>(ctx: &TenantCtx, query: &mut ListQuery) -> Outcome<Page<R::View>> {
    if query.paging == Paging::Last {
        query.request.window = Window::Offset(last_offset::<R>(ctx, query).await?);
    }
    let page = R::list(ctx.db(), &query.request)
        .await
        .map_err(|error| Problem::from_db(error, Some(R::RESOURCE)))?;
    // The first page of nothing is an empty page; any later one does not exist.
    if page.rows.is_empty() && matches!(query.request.window, Window::Offset(offset) if offset > 0) {
        return Err(invalid_page());
    }
    Ok(page)
}

async fn last_offset<R: Listed>(ctx: &TenantCtx, query: &ListQuery) -> Outcome<i64> {
    let mut counting = query.request.clone();
    counting.counting = Counting::Exact;
    counting.size = 1;
    let counted: DbResult<_> = R::list(ctx.db(), &counting).await;
    let count = counted.map_err(|error| Problem::from_db(error, Some(R::RESOURCE)))?.count.unwrap_or(0);
    let size = i64::from(query.request.size);
    Ok((count - 1).max(0) / size * size)
}

/// Writes a page with its links.
pub(crate) fn document<T: Serialize>(
    ctx: &TenantCtx,
    resource: &Resource,
    path: &str,
    query: &ListQuery,
    mut page: Page<T>,
) -> PageDocument<T> {
    let links = Links { base: format!("{}{path}", ctx.public_url()), kept: &query.kept };
    let binding = binding(ctx, resource, query);
    let (next, previous) = match (query.paging, &query.request.window) {
        (Paging::Number(_) | Paging::Last, Window::Offset(offset)) => {
            links.by_number(*offset, i64::from(query.request.size), &binding, &page)
        }
        (_, window) => links.by_cursor(window, &binding, &page),
    };
    let count_capped = page.capped(query.request.counting);
    if count_capped {
        page.count = Some(bulkhead_domain::list::COUNT_CAP);
    }
    PageDocument { count: page.count, count_capped, next, previous, results: page.rows }
}

/// The link to the page behind this one, for lists that are bare arrays.
pub(crate) fn next_link<T: Serialize>(
    ctx: &TenantCtx,
    resource: &Resource,
    path: &str,
    query: &ListQuery,
    page: &Page<T>,
) -> Option<String> {
    Links { base: format!("{}{path}", ctx.public_url()), kept: &query.kept }
        .by_cursor(&query.request.window, &binding(ctx, resource, query), page)
        .0
}

/// Writes a page of rows that are reached by cursor alone and whose count is never capped.
pub(crate) fn document_by_cursor<T: Serialize>(
    base: &str,
    kept: &[(String, String)],
    window: &Window,
    binding: &Binding<'_>,
    page: Page<T>,
) -> PageDocument<T> {
    let (next, previous) = Links { base: base.to_owned(), kept }.by_cursor(window, binding, &page);
    PageDocument { count: page.count, count_capped: false, next, previous, results: page.rows }
}

fn binding<'a>(ctx: &TenantCtx, resource: &'a Resource, query: &ListQuery) -> Binding<'a> {
    Binding {
        tenant: ctx.principal().tenant,
        resource: resource.name,
        ordering: query.request.ordering,
        descending: query.request.descending,
    }
}

struct Links<'a> {
    base: String,
    kept: &'a [(String, String)],
}

impl Links<'_> {
    fn by_cursor<T: Serialize>(
        &self,
        window: &Window,
        binding: &Binding<'_>,
        page: &Page<T>,
    ) -> (Option<String>, Option<String>) {
        let (behind, before) = match window {
            Window::Start | Window::Offset(_) => (page.more, false),
            Window::After(_) => (page.more, true),
            Window::Before(_) => (true, page.more),
        };
        (
            behind.then(|| self.at(binding, page.rows.last(), false)).flatten(),
            before.then(|| self.at(binding, page.rows.first(), true)).flatten(),
        )
    }

    fn at<T: Serialize>(&self, binding: &Binding<'_>, row: Option<&T>, backwards: bool) -> Option<String> {
        let row = serde_json::to_value(row?).ok()?;
        Some(self.link(Some(("cursor", &binding.cursor_at(&row, backwards)))))
    }

    /// By number as far as pages have one, and by cursor where they no longer do.
    fn by_number<T: Serialize>(
        &self,
        offset: i64,
        size: i64,
        binding: &Binding<'_>,
        page: &Page<T>,
    ) -> (Option<String>, Option<String>) {
        let to = |offset: i64| {
            (offset <= MAX_OFFSET).then(|| self.link(Some(("page", &(offset / size + 1).to_string()))))
        };
        let next = || to(offset + size).or_else(|| self.at(binding, page.rows.last(), false));
        let previous = || match offset - size {
            // As Django REST framework writes it: the first page has no number.
            ..=0 => Some(self.link(None)),
            before => to(before).or_else(|| self.at(binding, page.rows.first(), true)),
        };
        (page.more.then(next).flatten(), (offset > 0).then(previous).flatten())
    }

    fn link(&self, last: Option<(&str, &str)>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.kept);
        query.extend_pairs(last);
        let query = query.finish();
        if query.is_empty() { self.base.clone() } else { format!("{}?{query}", self.base) }
    }
}

#[cfg(test)]
mod tests {
    use bulkhead_domain::ids::TenantId;
    use bulkhead_domain::list::{Kind, MAX_OFFSET, Ordering, Page};
    use serde_json::json;

    use super::super::cursor::Binding;
    use super::Links;

    #[test]
    fn numbered_pages_lead_on_by_cursor_where_numbers_end_and_keep_filters_for_what_is_empty() {
        let binding = Binding {
            tenant: TenantId::generate(),
            resource: "documents",
            ordering: Ordering::by("name", Kind::Text),
            descending: false,
        };
        let rows = vec![json!({"id": "0191e4a0-7b5c-7c3e-8f00-0123456789ab", "name": "x"})];
        let page = Page { rows, more: true, count: None };
        let kept = [("content_type".to_owned(), String::new())];
        let links = Links { base: "/d/".to_owned(), kept: &kept };
        let of = |offset| {
            let (next, previous) = links.by_number(offset, 50, &binding, &page);
            (next.expect("a next page"), previous)
        };
        assert_eq!(of(0), ("/d/?content_type=&page=2".to_owned(), None));
        assert_eq!(of(50).1.as_deref(), Some("/d/?content_type="));
        assert_eq!(of(MAX_OFFSET - 50).0, "/d/?content_type=&page=2001");
        let (next, previous) = of(MAX_OFFSET);
        assert!(next.starts_with("/d/?content_type=&cursor="), "{next}");
        assert_eq!(previous.as_deref(), Some("/d/?content_type=&page=2000"));
        let previous = of(MAX_OFFSET + 100).1.expect("a page before");
        assert!(previous.starts_with("/d/?content_type=&cursor="), "{previous}");
    }
}
