//! Health for load balancers and orchestrators.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

use crate::worker::Worker;

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /health/` and `GET /health/live`: the process answers. Never touches the database.
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "healthy" }))
}

/// `GET /health/ready`: the server takes work. Says what is missing, and nothing of versions or addresses.
pub(crate) async fn ready(worker: Data<Worker>) -> HttpResponse {
    if worker.state.is_draining() {
        return HttpResponse::ServiceUnavailable().json(json!({ "status": "stopping" }));
    }
    // A database that hangs is down.
    match tokio::time::timeout(PATIENCE, worker.db.ping()).await {
        Ok(Ok(())) => HttpResponse::Ok().json(json!({ "status": "ready", "database": "up" })),
        Ok(Err(_)) | Err(_) => HttpResponse::ServiceUnavailable().json(json!({ "status": "unready", "database": "down" })),
    }
}
