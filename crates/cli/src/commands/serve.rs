//! `bulkhead serve`: from settings to a running server. How it serves is `bulkhead-http`'s matter.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bulkhead_auth::password::PasswordHasher;
use bulkhead_http::{CorsSettings, HttpSettings, LimitSettings, RefreshSettings, Services};
use bulkhead_mail::Mailer;
use bulkhead_persistence::guards::GuessSettings;

use crate::config::{ConfigError, Environment, Limits, Settings, serving_refusals};
use crate::context::Context;
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;
use crate::{logging, passwords, services};

/// How long mails may take that are still on their way when the server has stopped.
const LAST_MAILS: Duration = Duration::from_secs(5);

/// Serves until told to stop.
pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let databases = Databases::open(context)?;
    context.output.quieten();
    serve(context, &databases, |_| {})
}

/// Serves with the given databases until told to stop. `ready` is told the address.
///
/// # Errors
/// What production lacks; an unfit key; whatever keeps the server from starting.
pub(super) fn serve(
    context: &Context,
    databases: &Databases<'_>,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), Failure> {
    let refusals = serving_refusals(&context.configuration.settings);
    if !refusals.is_empty() {
        return Err(ConfigError::Refused(refusals).into());
    }
    let settings = http_settings(context);
    let services = make_services(context, databases, settings.workers)?;
    logging::start(&context.configuration.settings.log);
    let mailer = services.mailer.clone();
    let served = bulkhead_http::serve(settings, services, ready);
    mailer.finish(LAST_MAILS);
    Ok(served?)
}

fn http_settings(context: &Context) -> HttpSettings {
    let settings = &context.configuration.settings;
    let (server, cors) = (&settings.server, &settings.cors);
    let is_production = settings.environment == Environment::Production;
    let public_url = server.base_url();
    let frontend_url = settings.mail.frontend_url.as_ref().unwrap_or(&public_url);
    HttpSettings {
        frontend_url: frontend_url.trim_end_matches('/').to_owned(),
        listen: format!("{}:{}", server.host, server.port),
        workers: server
            .workers
            .or_else(|| std::thread::available_parallelism().ok())
            .map_or(1, NonZeroUsize::get),
        max_connections: server.max_connections,
        request_timeout: server.request_timeout,
        body_timeout: server.body_timeout,
        body_limit: server.body_limit_bytes,
        drain: server.drain,
        shutdown_timeout: server.shutdown_timeout,
        allowed_hosts: server.allowed_hosts.clone(),
        trusted_proxies: server.trusted_proxies.clone(),
        limits: limits(context),
        cors: CorsSettings {
            origins: cors.allowed_origins.clone(),
            domains: cors.base_domain.clone().into_iter().collect(),
            max_age: cors.max_age,
        },
        // RFC 6797 §7.2: not over plain HTTP, where it would have no effect.
        strict_transport: is_production && public_url.starts_with("https://"),
        aliases: settings.compat.aliases,
        metrics: settings.metrics.expose,
        docs: settings.docs.expose,
        public_url,
    }
}

fn limits(context: &Context) -> LimitSettings {
    let Limits { tenant, user, client, credentials, token, guesses, guesses_hourly } =
        context.configuration.settings.limits;
    let guesses = GuessSettings { free: guesses, hourly: guesses_hourly };
    LimitSettings { tenant, user, client, credentials, token, guesses }
}

fn make_services(context: &Context, databases: &Databases<'_>, workers: usize) -> Result<Services, Failure> {
    let Settings { auth, mail, .. } = &context.configuration.settings;
    Ok(Services {
        keyring: Arc::new(services::keyring(context)?),
        hasher: Arc::new(PasswordHasher::new(passwords::hash_settings(context))?),
        sealing: services::sealing(context)?,
        mailer: Mailer::new(mail.mailer())?,
        refresh: Arc::new(RefreshSettings {
            lifetime: auth.refresh_lifetime,
            idle: auth.refresh_idle,
            grace: auth.refresh_grace,
            cookie: auth.refresh_cookie,
        }),
        min_password_length: auth.min_password_length,
        app_database: databases.connect(Purpose::App)?,
        auth_database: databases.connect(Purpose::Auth)?,
        pool: services::pool(context, workers),
    })
}
