//! Health for load balancers and orchestrators.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use crate::operation::{Access, Endpoint};
use crate::worker::Worker;

/// How long the database may be silent before it counts as down; it is asked four times a second (see `watcher`).
const PATIENCE: Duration = Duration::from_millis(1500);

/// How the server is.
#[derive(Serialize, ToSchema)]
pub(crate) struct HealthReply {
    /// `healthy`; or `ready`, `unready` or `stopping`.
    status: &'static str,
    /// Whether the database answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    database: Option<&'static str>,
}

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let health = |path: &'static str, id: &'static str| {
        Endpoint::new(Method::GET, path, id, Access::Public, live)
            .tag("health")
            .summary("Is the process alive?")
            .answers::<HealthReply>(200, "It is.", &[])
    };
    vec![
        health("/health/", "health_retrieve"),
        health("/health/live/", "health_live_retrieve"),
        Endpoint::new(Method::GET, "/health/ready/", "health_ready_retrieve", Access::Public, ready)
            .tag("health")
            .summary("Does the server take work?")
            .answers::<HealthReply>(200, "It does.", &[])
            .answers::<HealthReply>(
                503,
                "It does not: the database is away, or the server is stopping.",
                &[],
            ),
    ]
}

/// `GET /health/` and `GET /health/live`: the process answers. Never touches the database.
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(HealthReply { status: "healthy", database: None })
}

/// `GET /health/ready`: the server takes work. Says what is missing, and nothing of versions or addresses.
pub(crate) async fn ready(worker: Data<Worker>) -> HttpResponse {
    let (status, database) = match (worker.state.is_draining(), worker.state.silence() < PATIENCE) {
        (true, _) => ("stopping", "up"),
        (false, true) => ("ready", "up"),
        (false, false) => ("unready", "down"),
    };
    let mut response =
        if status == "ready" { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(HealthReply { status, database: Some(database) })
}
