//! What stands around every handler: the limits of whoever has proved nothing, a deadline, and a net for panics. It is the
//! innermost layer, where the request can still be named in the answer, and where its body is not yet read.

use std::panic::AssertUnwindSafe;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use futures_util::FutureExt;

use crate::operation::{Limit, PathOperations};
use crate::problem::Problem;
use crate::worker::Worker;

/// Runs a handler within the request's deadline. A handler that is dropped by it leaves no transaction behind: its
/// connection is closed.
pub(crate) async fn guarded(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(worker) = request.app_data::<web::Data<Worker>>() else {
        return Err(Problem::internal(&"a request without a worker").into());
    };
    let deadline = worker.settings.request_timeout;
    let named = request.request().clone();
    let operation = request.app_data::<PathOperations>().and_then(|path| path.serving(request.method()));
    let counted = match operation.map(|operation| operation.limit) {
        Some(Limit::Address) => worker.limits.credentials(&named),
        Some(Limit::Lookup) => worker.limits.lookup(&named),
        Some(Limit::None | Limit::Principal) | None => Ok(()),
    };
    if let Err(problem) = counted {
        return Ok(ServiceResponse::from_err(problem, named));
    }
    let handling = AssertUnwindSafe(next.call(request)).catch_unwind();
    let problem = match tokio::time::timeout(deadline, handling).await {
        Ok(Ok(Ok(response))) => return Ok(response.map_into_boxed_body()),
        Ok(Ok(Err(error))) => error,
        Ok(Err(panic)) => Problem::internal(&said(&*panic)).into(),
        Err(_) => Problem::unavailable(&"the request took too long").into(),
    };
    Ok(ServiceResponse::from_err(problem, named))
}

/// What a panic said.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}
