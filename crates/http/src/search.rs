//! `GET /api/v1/search/`: what a tenant has, by words, across its resources. A caller finds what it may read.

mod query;
mod snippet;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_domain::code::Code;
use bulkhead_domain::resource::Resource;
use bulkhead_domain::scope::Action;
use bulkhead_domain::search::Asked;
use bulkhead_persistence::search::{Hit, search, searched};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use self::query::SearchQuery;
use crate::context::{TenantCtx, lacking};
use crate::list::page::{PageDocument, document_by_cursor};
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::respond;

/// Its heading in the OpenAPI document, and the last word of its path.
pub(crate) const TAG: (&str, &str) = ("search", "Everything that a tenant has, by words.");

const PATH: &str = "/api/v1/search/";

/// A row that was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchResult {
    /// The resource that it is one of.
    #[schema(value_type = String)]
    r#type: &'static str,
    /// Its id.
    id: Uuid,
    /// Its title, plain text.
    title: String,
    /// Where the words are, as HTML: text that is escaped, and `<mark>` around what was looked for.
    snippet: String,
    /// Where the row is.
    url: String,
    /// How well it fits, for comparing it with others of the same search. Rows whose title only resembles what was looked for,
    /// which are found when nothing else is, have less than 1 000 000.
    rank: i64,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
}

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Method::GET, PATH, "search_list", Access::Authenticated, find)
            .tag(TAG.0)
            .summary("Search")
            .about(
                "Words, of which the last may be unfinished; `\"several words\"` that follow one another, `-word` that must not be there, and `or`. \
                 Case, accents and punctuation do not matter. A word in the title weighs more than one in the text. Only resources \
                 that the token may read are searched; with none of them the answer is 403.",
            )
            .search_parameters()
            .answers::<PageDocument<SearchResult>>(200, "One page, the best first.", &[])
            .refuses(Code::InsufficientScope),
    ]
}

/// The resource of a table that search knows.
fn resource_of(table: &str) -> Option<&'static Resource> {
    searched().map(|(resource, _)| resource).find(|resource| resource.table == table)
}

async fn find(ctx: TenantCtx, request: HttpRequest) -> Outcome<HttpResponse> {
    let mut query = SearchQuery::read(ctx.principal().tenant, request.query_string())?;
    let may_read = |resource: &&Resource| ctx.principal().scopes.allows(resource.scope(Action::Read));
    let wanted = query.types.clone();
    query.types.retain(may_read);
    if query.types.is_empty() {
        let scopes: Vec<String> =
            wanted.iter().map(|resource| resource.scope(Action::Read).to_string()).collect();
        return Err(lacking(&scopes));
    }
    let page = search(ctx.db(), &query.request()).await?;
    let asked = query.terms.asked();
    let page =
        page.try_map(|hit| shown(&ctx, &asked, hit).ok_or_else(|| Problem::internal(&"an unknown table")))?;
    let mut response = respond::json(&document_by_cursor(
        &format!("{}{PATH}", ctx.public_url()),
        &query.kept,
        &query.window,
        &query.binding(ctx.principal().tenant),
        page,
    ))?;
    // What was found says what was looked for, and results are of the moment.
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    Ok(response)
}

fn shown(ctx: &TenantCtx, asked: &Asked, hit: Hit) -> Option<SearchResult> {
    let resource = resource_of(&hit.table)?;
    Some(SearchResult {
        r#type: resource.name,
        id: hit.id,
        snippet: snippet::of(asked, &hit.title, &hit.body),
        title: hit.title,
        url: format!("{}/api/v1/{}/{}/", ctx.public_url(), resource.name, hit.id),
        rank: hit.rank,
        updated_at: hit.updated_at,
    })
}
