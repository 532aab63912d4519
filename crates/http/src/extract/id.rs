//! The `{id}` of a path. What is not an id names nothing, so it is answered like an unknown one.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use bulkhead_domain::ids::parse_id;
use futures_util::future::{Ready, ready};
use uuid::Uuid;

use crate::problem::Problem;

/// The id in the path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathId(pub(crate) Uuid);

impl FromRequest for PathId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.match_info().get("id").and_then(parse_id).map(Self).ok_or_else(Problem::not_found))
    }
}
