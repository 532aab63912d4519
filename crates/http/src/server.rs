//! The server: puts the layers and routes together, listens, and stops in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use tokio::sync::oneshot;

use crate::settings::{HttpSettings, Services};
use crate::state::State;
use crate::worker::Worker;
use crate::{cors, envelope, health, metrics, openapi, routes};

/// Why the server did not start.
#[derive(Debug)]
pub enum ServeError {
    /// The address could not be listened on.
    Listen {
        /// The address.
        address: String,
        /// The reason.
        source: io::Error,
    },
    /// The server broke off.
    Broken(io::Error),
}

impl std::fmt::Display for ServeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Listen { address, source } if source.kind() == io::ErrorKind::AddrInUse => {
                write!(f, "the address {address} is already in use; stop the other program or set PORT")
            }
            Self::Listen { address, source } => write!(f, "cannot listen on {address}: {source}"),
            Self::Broken(error) => write!(f, "the server broke off: {error}"),
        }
    }
}

impl std::error::Error for ServeError {}

/// Serves until `stop` is told (or dropped), then ends requests in flight within the time that is set.
///
/// `ready` is called once, with the address that is listened on.
///
/// # Errors
/// When it cannot start; see [`ServeError`].
pub async fn serve(
    settings: HttpSettings,
    services: Services,
    ready: impl FnOnce(SocketAddr),
    stop: oneshot::Receiver<()>,
) -> Result<(), ServeError> {
    let (settings, state) = (Arc::new(settings), Arc::<State>::default());
    let (shared, shared_state) = (Arc::clone(&settings), Arc::clone(&state));
    let server = HttpServer::new(move || {
        let worker = Worker::new(services.clone(), Arc::clone(&shared), Arc::clone(&shared_state));
        App::new()
            .app_data(web::Data::new(worker))
            .configure(|config| configure(config, &shared))
            .configure(routes::configure)
            .default_service(web::to(routes::unknown_path))
            .wrap(cors::layer(&shared.cors))
            .wrap(from_fn(envelope::envelope))
    })
    .workers(settings.workers.max(1))
    .max_connections(settings.max_connections)
    .client_request_timeout(Duration::from_secs(5))
    .shutdown_timeout(settings.shutdown_timeout.as_secs())
    .disable_signals()
    .bind(&settings.listen)
    .map_err(|source| ServeError::Listen { address: settings.listen.clone(), source })?;

    if let Some(address) = server.addrs().first() {
        ready(*address);
    }
    let server = server.run();
    let handle = server.handle();
    let stopping = async move {
        // A dropped sender means that nobody is left who could stop the server.
        let _told = stop.await;
        state.drain();
        handle.stop(true).await;
    };
    let (ended, ()) = futures_util::future::join(server, stopping).await;
    ended.map_err(ServeError::Broken)
}

fn configure(config: &mut web::ServiceConfig, settings: &HttpSettings) {
    config.service(web::resource(["/health/", "/health", "/health/live", "/health/live/"]).get(health::live));
    config.service(web::resource(["/health/ready", "/health/ready/"]).get(health::ready));
    if settings.metrics {
        config.service(web::resource(["/metrics", "/metrics/"]).get(metrics::metrics));
    }
    if settings.docs {
        config.service(web::resource(["/api/schema/", "/api/schema"]).get(openapi::pages::schema));
        config.service(web::resource(["/api/redoc/", "/api/redoc"]).get(openapi::pages::redoc));
        config.service(web::resource(["/api/docs/", "/api/docs"]).get(openapi::pages::swagger_index));
        config.service(web::resource("/api/docs/{file:.+}").get(openapi::pages::swagger));
    }
}
