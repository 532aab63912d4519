//! Health for load balancers and orchestrators.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

use crate::worker::Worker;

/// `GET /health/` and `GET /health/live`: the process answers. Never touches the database.
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "healthy" }))
}

/// `GET /health/ready`: the server takes work. Says what is missing, and nothing of versions or addresses.
pub(crate) async fn ready(worker: Data<Worker>) -> HttpResponse {
    if worker.state.is_draining() {
        return HttpResponse::ServiceUnavailable().json(json!({ "status": "stopping" }));
    }
    match worker.db.ping().await {
        Ok(()) => HttpResponse::Ok().json(json!({ "status": "ready", "database": "up" })),
        Err(_) => HttpResponse::ServiceUnavailable().json(json!({ "status": "unready", "database": "down" })),
    }
}
