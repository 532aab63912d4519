//! Pages on the wire.

use std::borrow::Cow;

use bulkhead_domain::list::{Counting, Page, Window};
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
    let (next, previous) = match query.paging {
        Paging::Cursor => links.by_cursor(&query.request.window, &binding(ctx, resource, query), &page),
        Paging::Number(number) => links.by_number(number, page.more),
        Paging::Last => {
            let size = i64::from(query.request.size);
            let number = page.count.map_or(1, |count| (count - 1).max(0) / size + 1);
            links.by_number(number, false)
        }
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
        let at = |row: Option<&T>, backwards| {
            let row = serde_json::to_value(row?).ok()?;
            Some(self.link(Some(("cursor", &binding.cursor_at(&row, backwards)))))
        };
        (
            behind.then(|| at(page.rows.last(), false)).flatten(),
            before.then(|| at(page.rows.first(), true)).flatten(),
        )
    }

    fn by_number(&self, number: i64, more: bool) -> (Option<String>, Option<String>) {
        let to = |number: i64| self.link(Some(("page", &number.to_string())));
        let next = more.then(|| to(number + 1));
        let previous = match number {
            ..=1 => None,
            // As Django REST framework writes it: the first page has no number.
            2 => Some(self.link(None)),
            _ => Some(to(number - 1)),
        };
        (next, previous)
    }

    fn link(&self, last: Option<(&str, &str)>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.kept.iter().filter(|(_, value)| !value.is_empty()));
        query.extend_pairs(last);
        let query = query.finish();
        if query.is_empty() { self.base.clone() } else { format!("{}?{query}", self.base) }
    }
}
