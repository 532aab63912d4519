//! The operations that every resource has, written once. A resource registers them with [`crud`] and adds its own.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::new_id;
use bulkhead_domain::scope::Action;
use bulkhead_persistence::crud::{Entity, Listed, View};
use bulkhead_persistence::error::DbError;
use bulkhead_persistence::idempotency::Once;

use crate::context::TenantCtx;
use crate::extract::body::Body;
use crate::extract::id::PathId;
use crate::extract::precondition::IfMatch;
use crate::extract::retry::IdempotencyKey;
use crate::list::page::{self, PageDocument};
use crate::list::query::{ListQuery, PAGES};
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::respond;

pub(crate) const JSON: &[&str] = &["application/json"];
pub(crate) const MERGE_PATCH: &[&str] = &["application/json", "application/merge-patch+json"];
/// The header with a row's version.
pub(crate) const TAG: (&str, &str) = ("ETag", "The row's version, for If-Match and If-None-Match.");
pub(crate) const IF_MATCH: &str = "Only if the row still has this entity tag.";

/// `/api/v1/{resource}/`
pub(crate) fn collection<R: Listed>() -> String {
    format!("/api/v1/{}/", R::RESOURCE.name)
}

/// `/api/v1/{resource}/{id}/`
pub(crate) fn member<R: Listed>() -> String {
    format!("{}{{id}}/", collection::<R>())
}

/// An endpoint of a resource, under its tag and with its scope.
pub(crate) fn endpoint<R: Listed, F, Args>(
    method: Method,
    path: String,
    verb: &str,
    action: Action,
    handler: F,
) -> Endpoint
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    let id = format!("{}_{verb}", R::RESOURCE.table);
    Endpoint::new(method, path, id, Access::Scoped(R::RESOURCE.scope(action)), handler).tag(R::RESOURCE.name)
}

/// The list.
pub(crate) fn list_of<R: Listed>() -> Endpoint {
    endpoint::<R, _, _>(Method::GET, collection::<R>(), "list", Action::Read, list::<R>)
        .summary(format!("List {}", R::RESOURCE.name.replace('-', " ")))
        .list_parameters(R::RESOURCE, PAGES)
        .answers::<PageDocument<R::View>>(200, "One page.", &[])
        .refuses(Code::NotFound)
}

/// One row.
pub(crate) fn one_of<R: Entity>() -> Endpoint {
    endpoint::<R, _, _>(Method::GET, member::<R>(), "retrieve", Action::Read, retrieve::<R>)
        .summary(format!("Get {} {}", article(R::RESOURCE.singular), R::RESOURCE.singular))
        .header("If-None-Match", "Answer 304 if the row still has this entity tag.")
        .answers::<R::Detail>(200, "The row.", &[TAG])
        .answers_plainly(304, "The client has it already.", None)
}

/// The article of a noun.
pub(crate) fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

/// List, create, retrieve, update, partial update and destroy.
pub(crate) fn crud<R: Entity>() -> Vec<Endpoint> {
    let one = R::RESOURCE.singular;
    let a = article(one);
    vec![
        list_of::<R>(),
        endpoint::<R, _, _>(Method::POST, collection::<R>(), "create", Action::Write, create::<R>)
            .summary(format!("Create {a} {one}"))
            .header("Idempotency-Key", "A name for this attempt, so that a retry does not create twice.")
            .takes::<R::Fields>(JSON)
            .answers::<R::View>(201, "Created.", &[TAG, ("Location", "Where the new row is.")])
            .refuses(Code::Duplicate)
            .refuses(Code::IdempotencyKeyReused),
        one_of::<R>(),
        endpoint::<R, _, _>(Method::PUT, member::<R>(), "update", Action::Write, update::<R>)
            .summary(format!("Replace {a} {one}"))
            .about("Members that are left out get their defaults.")
            .header("If-Match", IF_MATCH)
            .takes::<R::Fields>(JSON)
            .answers::<R::View>(200, "The row after the change.", &[TAG])
            .refuses(Code::Duplicate)
            .refuses(Code::Stale),
        endpoint::<R, _, _>(
            Method::PATCH,
            member::<R>(),
            "partial_update",
            Action::Write,
            partial_update::<R>,
        )
        .summary(format!("Change {a} {one}"))
        .about("A merge patch (RFC 7396): members that are left out stay as they are.")
        .header("If-Match", IF_MATCH)
        .takes::<R::Patch>(MERGE_PATCH)
        .answers::<R::View>(200, "The row after the change.", &[TAG])
        .refuses(Code::Duplicate)
        .refuses(Code::Stale),
        endpoint::<R, _, _>(Method::DELETE, member::<R>(), "destroy", Action::Delete, destroy::<R>)
            .summary(format!("Delete {a} {one}"))
            .header("If-Match", IF_MATCH)
            .answers_plainly(204, "Deleted.", None)
            .refuses(Code::Conflict)
            .refuses(Code::Stale),
    ]
}

/// Names the resource in what the database refused.
pub(crate) fn refused<R: Entity>(error: DbError) -> Problem {
    Problem::from_db(error, Some(R::RESOURCE))
}

async fn list<R: Listed>(ctx: TenantCtx, request: HttpRequest) -> Outcome<HttpResponse> {
    let mut query = ListQuery::read(R::RESOURCE, ctx.principal().tenant, request.query_string(), PAGES)?;
    let found = page::read::<R>(&ctx, &mut query).await?;
    respond::json(&page::document(&ctx, R::RESOURCE, &collection::<R>(), &query, found))
}

async fn create<R: Entity>(
    ctx: TenantCtx,
    key: IdempotencyKey,
    body: Body<R::Fields>,
) -> Outcome<HttpResponse> {
    let Body { fields, bytes } = body;
    let key = key.for_body(&bytes);
    let once = ctx.db().write_once(key.as_ref(), async |tx| {
        let row = R::insert(tx, new_id(), fields).await?;
        let location = format!("{}{}/", collection::<R>(), row.id());
        respond::reply(StatusCode::CREATED, &row, Some(location))
    });
    Ok(respond::once(once.await.map_err(refused::<R>)?))
}

async fn retrieve<R: Entity>(ctx: TenantCtx, id: PathId, request: HttpRequest) -> Outcome<HttpResponse> {
    respond::row(&request, &R::get(ctx.db(), id.0).await.map_err(refused::<R>)?)
}

async fn update<R: Entity>(
    ctx: TenantCtx,
    id: PathId,
    expected: IfMatch,
    body: Body<R::Fields>,
) -> Outcome<HttpResponse> {
    change::<R>(&ctx, id, expected, body.fields.into()).await
}

async fn partial_update<R: Entity>(
    ctx: TenantCtx,
    id: PathId,
    expected: IfMatch,
    body: Body<R::Patch>,
) -> Outcome<HttpResponse> {
    change::<R>(&ctx, id, expected, body.fields).await
}

async fn change<R: Entity>(
    ctx: &TenantCtx,
    id: PathId,
    expected: IfMatch,
    patch: R::Patch,
) -> Outcome<HttpResponse> {
    let row = ctx
        .db()
        .write(async |tx| R::update(tx, id.0, expected.0, patch).await)
        .await
        .map_err(refused::<R>)?;
    Ok(respond::once(Once::First(respond::reply(StatusCode::OK, &row, None)?)))
}

async fn destroy<R: Entity>(ctx: TenantCtx, id: PathId, expected: IfMatch) -> Outcome<HttpResponse> {
    ctx.db().write(async |tx| R::delete(tx, id.0, expected.0).await).await.map_err(refused::<R>)?;
    Ok(HttpResponse::NoContent().finish())
}
