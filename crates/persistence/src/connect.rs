//! Opening one connection: where to, how protected, how long to wait, and what to tell an operator when it fails.
//! Not which role may do what (`bootstrap`), nor how connections are kept (`pool`).

mod failure;
mod tls;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{CancelToken, Client, Config, NoTls};

pub use failure::ConnectError;
use failure::Target;

/// A peer that acknowledges nothing for this long is taken for dead, also while a query is under way.
const PEER_SILENCE: Duration = Duration::from_secs(15);
/// An idle connection is probed this often, so that a vanished server or a firewall's table is noticed.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// How the connection to the database is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Plain text: for a Unix socket or a private network. A URL with `sslmode=require` is refused rather than
    /// quietly weakened.
    Off,
    /// TLS with the server's certificate and name verified. Unix sockets stay as they are.
    VerifyFull {
        /// A PEM file with the authorities to trust; the public ones (Mozilla's list) when absent.
        root: Option<PathBuf>,
    },
}

/// Where a database is and how to reach it. `Debug` shows neither the URL nor its password.
#[derive(Clone, Debug)]
pub struct ConnectSettings {
    /// `postgres://role:password@host:port/database`; `?host=/directory` for a Unix socket. Secret, because a
    /// password is usually part of it.
    pub url: SecretString,
    /// The protection of the connection.
    pub tls: Tls,
    /// The name that `pg_stat_activity` and the server's log show; at most 63 bytes count.
    pub application_name: String,
    /// The longest that all of connecting may take: resolution, TCP, TLS and authentication.
    pub connect_timeout: Duration,
}

/// Becomes set, for good, when the connection that it came with has ended.
#[derive(Clone, Default)]
pub struct ClosedFlag(Arc<AtomicBool>);

impl ClosedFlag {
    /// Whether the connection has ended.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl fmt::Debug for ClosedFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClosedFlag({})", self.is_set())
    }
}

/// Sets its flag when dropped, so also when the task that holds it is cancelled.
struct SetOnEnd(ClosedFlag);

impl Drop for SetOnEnd {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Release);
    }
}

/// Connects, for diesel. Must be called within a tokio runtime, which drives the connection from then on.
///
/// # Errors
/// Whatever kept it from connecting, in words for an operator and without the password.
pub(crate) async fn connect(
    settings: &ConnectSettings,
) -> Result<(AsyncPgConnection, ClosedFlag), ConnectError> {
    let (client, closed) = open(settings, None).await?;
    let setting_up = AsyncPgConnection::try_from(client);
    match tokio::time::timeout(settings.connect_timeout, setting_up).await {
        Ok(Ok(connection)) => Ok((connection, closed)),
        Ok(Err(error)) => {
            Err(ConnectError::Other { server: "the database".to_owned(), reason: error.to_string() })
        }
        Err(_) => Err(ConnectError::Timeout { server: "the database".to_owned() }),
    }
}

/// Connects, for work on the catalogue and for migrations. As [`connect`] otherwise.
///
/// # Errors
/// As [`connect`].
pub async fn connect_plain(settings: &ConnectSettings) -> Result<Client, ConnectError> {
    open(settings, None).await.map(|(client, _)| client)
}

/// As [`connect_plain`], to another database of the same server.
pub(crate) async fn connect_plain_to(
    settings: &ConnectSettings,
    database: &str,
) -> Result<Client, ConnectError> {
    open(settings, Some(database)).await.map(|(client, _)| client)
}

/// Asks the server to stop what a connection made with these settings is doing.
///
/// # Errors
/// As [`connect`].
pub(crate) async fn cancel(settings: &ConnectSettings, token: CancelToken) -> Result<(), ConnectError> {
    let mut config = parse(settings)?;
    let failed = |error: tokio_postgres::Error| ConnectError::Other {
        server: "the database".to_owned(),
        reason: error.to_string(),
    };
    match protection(&mut config, &settings.tls)? {
        Some(tls) => token.cancel_query(tls).await.map_err(failed),
        None => token.cancel_query(NoTls).await.map_err(failed),
    }
}

async fn open(
    settings: &ConnectSettings,
    database: Option<&str>,
) -> Result<(Client, ClosedFlag), ConnectError> {
    let mut config = parse(settings)?;
    if let Some(name) = database {
        config.dbname(name);
    }
    let target = Target::of(&config);
    let connecting = async {
        match protection(&mut config, &settings.tls)? {
            Some(tls) => drive(config.connect(tls).await, &target),
            None => drive(config.connect(NoTls).await, &target),
        }
    };
    match tokio::time::timeout(settings.connect_timeout, connecting).await {
        Ok(outcome) => outcome,
        Err(_) => Err(target.timeout()),
    }
}

fn parse(settings: &ConnectSettings) -> Result<Config, ConnectError> {
    // The parser's own message may quote parts of the URL, so it is not passed on.
    let parsed = settings.url.expose_secret().parse::<Config>();
    let mut config = parsed.map_err(|_unsafe_to_show| ConnectError::BadUrl)?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(ConnectError::BadUrl);
    }
    config
        .application_name(settings.application_name.as_str())
        .connect_timeout(settings.connect_timeout)
        .tcp_user_timeout(PEER_SILENCE)
        .keepalives(true)
        .keepalives_idle(KEEPALIVE)
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3);
    Ok(config)
}

/// Settles whether this connection uses TLS: all or nothing, never "if the server happens to offer it".
fn protection(
    config: &mut Config,
    tls: &Tls,
) -> Result<Option<tokio_postgres_rustls::MakeRustlsConnect>, ConnectError> {
    let only_sockets = config.get_hostaddrs().is_empty()
        && config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
    match tls {
        Tls::VerifyFull { root } if !only_sockets => {
            config.ssl_mode(SslMode::Require);
            tls::verifying(root.as_deref()).map(Some)
        }
        Tls::Off if config.get_ssl_mode() == SslMode::Require => Err(ConnectError::TlsWanted),
        Tls::Off | Tls::VerifyFull { .. } => {
            config.ssl_mode(SslMode::Disable);
            Ok(None)
        }
    }
}

fn drive<S>(
    outcome: Result<(Client, tokio_postgres::Connection<tokio_postgres::Socket, S>), tokio_postgres::Error>,
    target: &Target,
) -> Result<(Client, ClosedFlag), ConnectError>
where
    S: tokio_postgres::tls::TlsStream + Unpin + Send + 'static,
{
    let (client, connection) = outcome.map_err(|error| target.explain(&error))?;
    let closed = ClosedFlag::default();
    let end = SetOnEnd(closed.clone());
    tokio::spawn(async move {
        let _end = end;
        if let Err(error) = connection.await {
            tracing::debug!(%error, "database connection ended");
        }
    });
    Ok((client, closed))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ConnectError, ConnectSettings, Tls, connect_plain};

    fn settings(url: &str, tls: Tls) -> ConnectSettings {
        let connect_timeout = Duration::from_secs(2);
        ConnectSettings { url: url.into(), tls, application_name: "test".to_owned(), connect_timeout }
    }

    #[tokio::test]
    async fn an_error_names_the_place_and_never_the_password() {
        let refused = settings("postgres://me:hunter2@127.0.0.1:1/db", Tls::Off);
        let error = connect_plain(&refused).await.unwrap_err();
        assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
        assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
        for bad in
            ["postgres://me:hunter2@h/db?nonsense=hunter2", "postgres://me:hunter2@h:port/db", "hunter2", ""]
        {
            let error = connect_plain(&settings(bad, Tls::Off)).await.unwrap_err();
            assert!(matches!(error, ConnectError::BadUrl), "{bad}: {error:?}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{bad}");
        }
        assert!(!format!("{refused:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_url_that_insists_on_tls_is_not_weakened() {
        let insists = settings("postgres://me@127.0.0.1:1/db?sslmode=require", Tls::Off);
        assert!(matches!(connect_plain(&insists).await, Err(ConnectError::TlsWanted)));
    }

    #[tokio::test]
    async fn a_missing_root_certificate_is_named() {
        let tls = Tls::VerifyFull { root: Some("/nonexistent/root.pem".into()) };
        let error = connect_plain(&settings("postgres://me@127.0.0.1:1/db", tls)).await.unwrap_err();
        assert!(matches!(&error, ConnectError::Tls { .. }), "{error:?}");
        assert!(error.to_string().contains("/nonexistent/root.pem"), "{error}");
    }
}
