//! Tasks over HTTP: the usual operations, a list by state, making many at once, and completing one.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_domain::code::Code;
use bulkhead_domain::list::Condition;
use bulkhead_domain::scope::Action;
use bulkhead_domain::tasks::{TASKS, TaskPatch, TaskStatus};
use bulkhead_persistence::{Task, Tasks};

use crate::bulk::bulk;
use crate::complete::{Completing, complete};
use crate::context::TenantCtx;
use crate::list::page::{next_link, read};
use crate::list::query::{BARE, ListQuery, pairs};
use crate::operation::Endpoint;
use crate::problem::{Outcome, Problem};
use crate::resource::{collection, crud, endpoint};
use crate::respond;

/// The header that continues a bare array.
pub(crate) const LINK: (&str, &str) = ("Link", "The next page, when there is one (RFC 8288).");

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = crud::<Tasks>();
    // The path that was documented, and the one that was served.
    for (spelling, verb) in [("by-status/", "by_status_list"), ("by_status/", "by_status_list_2")] {
        let path = collection::<Tasks>() + spelling;
        endpoints.push(
            endpoint::<Tasks, _, _>(Method::GET, path, verb, Action::Read, by_status)
                .summary("List tasks in one state")
                .list_parameters(&TASKS, BARE)
                .answers_array::<Task>("Up to `page_size` tasks, 200 unless given.", &[LINK])
                .refuses(Code::NotFound),
        );
    }
    endpoints.push(bulk::<Tasks>());
    endpoints.push(complete::<Tasks>());
    endpoints
}

async fn by_status(ctx: TenantCtx, request: HttpRequest) -> Outcome<HttpResponse> {
    if !pairs(request.query_string())?.iter().any(|(name, _)| name == "status") {
        return Err(Problem::parameter("status", "status parameter is required"));
    }
    bare_list(&ctx, &request, Vec::new()).await.map(|(_, response)| response)
}

impl Completing for Tasks {
    fn completion() -> TaskPatch {
        TaskPatch { status: Some(TaskStatus::Done), ..TaskPatch::default() }
    }
}

/// Tasks as a bare array, as the predecessors answered, and how many; a `Link` header continues it.
pub(crate) async fn bare_list(
    ctx: &TenantCtx,
    request: &HttpRequest,
    also: Vec<Condition>,
) -> Outcome<(usize, HttpResponse)> {
    let mut query = ListQuery::read(&TASKS, ctx.principal().tenant, request.query_string(), BARE)?;
    query.request.conditions.extend(also);
    let page = read::<Tasks>(ctx, &mut query).await?;
    let mut response = respond::json(&page.rows)?;
    if let Some(next) = next_link(ctx, &TASKS, request.path(), &query, &page) {
        let link = HeaderValue::from_str(&format!("<{next}>; rel=\"next\""))
            .map_err(|error| Problem::internal(&error))?;
        response.headers_mut().insert(header::LINK, link);
    }
    Ok((page.rows.len(), response))
}
