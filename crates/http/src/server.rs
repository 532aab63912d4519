//! The server: puts the layers and routes together, listens, and stops in order.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::limits::Limits;
use crate::settings::{HttpSettings, Services};
use crate::startup::{self, UnfitDatabase};
use crate::state::State;
use crate::usage::Bookkeeper;
use crate::watcher::Watcher;
use crate::worker::Worker;
use crate::{cors, envelope, keyring, metrics, openapi, routes};

/// Why the server did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken.
    #[error("the address {0} is already in use")]
    AddressInUse(String),
    /// The address could not be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// The reason.
        source: io::Error,
    },
    /// The database is not one to serve on.
    #[error(transparent)]
    Database(#[from] UnfitDatabase),
    /// The server broke off.
    #[error("the server broke off: {0}")]
    Broken(#[from] io::Error),
}

/// Checks the database, then serves until the process is told to stop (SIGTERM, SIGINT), and then ends requests in flight
/// within the time that is set. A second signal ends it at once.
///
/// `ready` is called once, with the address that is listened on.
///
/// # Errors
/// When it cannot start; see [`ServeError`].
pub fn serve(
    settings: HttpSettings,
    services: Services,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    actix_web::rt::System::new().block_on(run(settings, services, ready))
}

async fn run(
    settings: HttpSettings,
    services: Services,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    startup::check_databases(&services.app_database, &services.auth_database).await?;
    let (state, settings) = (Arc::new(State::new(&settings.public_url)), Arc::new(settings));
    let watcher = Watcher::start(&services, Arc::clone(&state)).await.map_err(UnfitDatabase::from)?;
    actix_web::rt::spawn(watcher.run());
    let bookkeeper = Bookkeeper::new(&services, Arc::clone(&state));
    actix_web::rt::spawn(bookkeeper.clone().run());
    let limits = Arc::new(Limits::new(Arc::clone(&settings)));
    actix_web::rt::spawn(keyring::watch(Arc::clone(&services.keyring)));
    let (shared, shared_state) = (Arc::clone(&settings), Arc::clone(&state));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(Worker::new(
                services.clone(),
                Arc::clone(&shared),
                Arc::clone(&shared_state),
                Arc::clone(&limits),
            )))
            .configure(|config| configure(config, &shared))
            .configure(|config| routes::configure(config, shared.aliases))
            .default_service(web::to(routes::unknown_path))
            .wrap(cors::layer(&shared.cors, services.refresh.cookie))
            .wrap(from_fn(envelope::envelope))
    })
    .workers(settings.workers.max(1))
    .max_connections(settings.max_connections)
    .client_request_timeout(Duration::from_secs(5))
    .shutdown_timeout(settings.shutdown_timeout.as_secs())
    .disable_signals()
    .bind(&settings.listen)
    .map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::AddressInUse(settings.listen.clone()),
        _ => ServeError::Listen { address: settings.listen.clone(), source },
    })?;

    if let Some(address) = server.addrs().first() {
        tracing::info!(%address, "listening");
        ready(*address);
    }
    let server = server.run();
    let handle = server.handle();
    let mut signals = Signals::new()?;
    actix_web::rt::spawn(async move {
        signals.next().await;
        tracing::info!("stopping: not ready for more, and requests in flight may end");
        state.drain();
        let in_order = async {
            tokio::time::sleep(settings.drain).await;
            handle.stop(true).await;
        };
        let at_once = async {
            signals.next().await;
            handle.stop(false).await;
        };
        futures_util::future::select(pin!(in_order), pin!(at_once)).await;
    });
    server.await?;
    bookkeeper.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// The signals that mean "stop".
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        let (terminate, interrupt) = (pin!(self.terminate.recv()), pin!(self.interrupt.recv()));
        futures_util::future::select(terminate, interrupt).await;
    }
}

fn configure(config: &mut web::ServiceConfig, settings: &HttpSettings) {
    if settings.metrics {
        config.service(web::resource(["/metrics", "/metrics/"]).get(metrics::metrics));
    }
    if settings.docs {
        config.service(web::resource(["/api/schema/", "/api/schema"]).get(openapi::pages::schema));
        config.service(web::resource(["/api/redoc/", "/api/redoc"]).get(openapi::pages::redoc));
        config.service(web::resource("/api/docs/").get(openapi::pages::swagger_index));
        // The page names its files relatively, so unlike the API it has one address.
        config.service(web::redirect("/api/docs", "/api/docs/"));
        config.service(web::resource("/api/docs/{file:.+}").get(openapi::pages::swagger));
    }
}
