//! Completing a row: one operation, for every resource whose rows can be completed.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use bulkhead_domain::code::Code;
use bulkhead_domain::scope::Action;
use bulkhead_persistence::crud::Entity;

use crate::context::TenantCtx;
use crate::extract::id::PathId;
use crate::extract::retry::IdempotencyKey;
use crate::operation::Endpoint;
use crate::problem::Outcome;
use crate::resource::{TAG, article, endpoint, member, refused};
use crate::respond;

/// A resource whose rows can be completed.
pub(crate) trait Completing: Entity {
    /// What completing changes.
    fn completion() -> Self::Patch;
}

/// `POST /api/v1/{resource}/{id}/complete/`
pub(crate) fn complete<R: Completing>() -> Endpoint {
    let one = R::RESOURCE.singular;
    let path = member::<R>() + "complete/";
    endpoint::<R, _, _>(Method::POST, path, "complete_create", Action::Write, complete_one::<R>)
        .summary(format!("Complete {} {one}", article(one)))
        .header("Idempotency-Key", "A name for this attempt, so that a retry changes nothing more.")
        .answers::<R::View>(200, "The row, completed.", &[TAG])
        .refuses(Code::Conflict)
        .refuses(Code::IdempotencyKeyReused)
}

async fn complete_one<R: Completing>(
    ctx: TenantCtx,
    id: PathId,
    key: IdempotencyKey,
) -> Outcome<HttpResponse> {
    let key = key.for_body(b"");
    let once = ctx.db().write_once(key.as_ref(), async |tx| {
        let row = R::update(tx, id.0, None, R::completion()).await?;
        respond::reply(StatusCode::OK, &row, None)
    });
    Ok(respond::once(once.await.map_err(refused::<R>)?))
}
