//! Tasks over HTTP: the usual operations, a list by state, and completing one.

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_domain::code::Code;
use bulkhead_domain::list::Condition;
use bulkhead_domain::scope::Action;
use bulkhead_domain::tasks::{TASKS, TaskPatch, TaskStatus};
use bulkhead_persistence::crud::Entity;
use bulkhead_persistence::{Task, Tasks};

use crate::context::TenantCtx;
use crate::extract::id::PathId;
use crate::extract::retry::IdempotencyKey;
use crate::list::page::{next_link, read};
use crate::list::query::{BARE, ListQuery, pairs};
use crate::operation::Endpoint;
use crate::problem::{Outcome, Problem};
use crate::resource::{TAG, collection, crud, endpoint, member, refused};
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
                .list_parameters(&TASKS)
                .answers_array::<Task>("Up to `page_size` tasks, 200 unless given.", &[LINK])
                .refuses(Code::NotFound),
        );
    }
    endpoints.push(
        endpoint::<Tasks, _, _>(
            Method::POST,
            member::<Tasks>() + "complete/",
            "complete_create",
            Action::Write,
            complete,
        )
        .summary("Complete a task")
        .header("Idempotency-Key", "A name for this attempt, so that a retry changes nothing more.")
        .answers::<Task>(200, "The task, done.", &[TAG])
        .refuses(Code::Conflict)
        .refuses(Code::IdempotencyKeyReused),
    );
    endpoints
}

async fn by_status(ctx: TenantCtx, request: HttpRequest) -> Outcome<HttpResponse> {
    if !pairs(request.query_string())?.iter().any(|(name, _)| name == "status") {
        return Err(Problem::parameter("status", "status parameter is required"));
    }
    bare_list(&ctx, &request, Vec::new()).await.map(|(_, response)| response)
}

async fn complete(ctx: TenantCtx, id: PathId, key: IdempotencyKey) -> Outcome<HttpResponse> {
    let done = TaskPatch { status: Some(TaskStatus::Done), ..TaskPatch::default() };
    let key = key.for_body(b"");
    let once = ctx.db().write_once(key.as_ref(), async |tx| {
        let task = Tasks::update(tx, id.0, None, done).await?;
        respond::reply(StatusCode::OK, &task, None)
    });
    Ok(respond::once(once.await.map_err(refused::<Tasks>)?))
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
