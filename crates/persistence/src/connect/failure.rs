//! Why connecting failed, sorted by what an operator has to do about it. The messages name places and roles, never
//! a password or a URL.

use std::error::Error as _;
use std::io;

use thiserror::Error;
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConnectError {
    /// The URL cannot be read.
    #[error(
        "the database URL cannot be read; expected postgres://role:password@host:port/database, with special \
         characters percent-encoded, ?host=/directory for a Unix socket, and sslmode only disable, prefer or require \
         (certificates are verified by the TLS setting)"
    )]
    BadUrl,
    /// Nobody listens there.
    #[error(
        "{server} does not accept connections ({reason}); is PostgreSQL running, and are host and port right?"
    )]
    Refused {
        /// The host and port, or the socket.
        server: String,
        /// The operating system's words.
        reason: String,
    },
    /// The server is there, the database is not.
    #[error("{server} has no database \"{database}\"; run `bulkhead bootstrap`, or correct the URL")]
    NoSuchDatabase {
        /// The host and port, or the socket.
        server: String,
        /// The database asked for.
        database: String,
    },
    /// The password is wrong or missing. The server says the same of an unknown role.
    #[error(
        "{server} refused the password of role \"{role}\"; correct it in the URL, or set it with `bulkhead bootstrap`"
    )]
    BadPassword {
        /// The host and port, or the socket.
        server: String,
        /// The role that tried.
        role: String,
    },
    /// The role does not exist, or the server's rules do not let it in from here.
    #[error(
        "{server} does not let role \"{role}\" in ({reason}); run `bulkhead bootstrap`, or check pg_hba.conf"
    )]
    NoSuchRole {
        /// The host and port, or the socket.
        server: String,
        /// The role that tried.
        role: String,
        /// The server's words.
        reason: String,
    },
    /// The role may not connect to this database.
    #[error("role \"{role}\" may not connect to database \"{database}\"; run `bulkhead bootstrap`")]
    NotPermitted {
        /// The role that tried.
        role: String,
        /// The database asked for.
        database: String,
    },
    /// The server is starting, stopping, recovering or full: trying again may help.
    #[error("{server} cannot serve now ({reason}); try again shortly")]
    NotNow {
        /// The host and port, or the socket.
        server: String,
        /// The server's words.
        reason: String,
    },
    /// No answer in time.
    #[error("{server} did not answer in time; is it reachable, and not overloaded?")]
    Timeout {
        /// The host and port, or the socket.
        server: String,
    },
    /// The TLS handshake or its certificates.
    #[error("no verified TLS connection: {reason}")]
    Tls {
        /// What did not verify.
        reason: String,
    },
    /// The URL asks for TLS and the settings forbid it.
    #[error("the database URL says sslmode=require but TLS is off in the settings; turn it on there")]
    TlsWanted,
    /// Anything else.
    #[error("cannot connect to {server}: {reason}")]
    Other {
        /// The host and port, or the socket.
        server: String,
        /// What was said.
        reason: String,
    },
}

/// What was asked for, so that an error can name it.
pub(super) struct Target {
    server: String,
    database: String,
    role: String,
}

impl Target {
    pub(super) fn of(config: &Config) -> Self {
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let named = config.get_hosts().first().map(|host| match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(directory) => format!("{}/.s.PGSQL.{port}", directory.display()),
        });
        let numbered = || config.get_hostaddrs().first().map(|address| format!("{address} port {port}"));
        let role = config.get_user().unwrap_or("(that of the operating system)").to_owned();
        Self {
            server: named.or_else(numbered).unwrap_or_default(),
            // The server's default is the role's own name.
            database: config.get_dbname().unwrap_or(&role).to_owned(),
            role,
        }
    }

    pub(super) fn timeout(&self) -> ConnectError {
        ConnectError::Timeout { server: self.server.clone() }
    }

    pub(super) fn explain(&self, error: &tokio_postgres::Error) -> ConnectError {
        let server = self.server.clone();
        if let Some(refusal) = error.as_db_error() {
            return self.explain_refusal(refusal.code(), refusal.message().to_owned());
        }
        let cause = error.source();
        let reason = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
        // The driver keeps its kinds to itself; these are the whole texts of two of them.
        match error.to_string().as_str() {
            "error performing TLS handshake" => {
                return ConnectError::Tls { reason: format!("{server}: {reason}") };
            }
            // "password missing": the URL has none and the server wants one.
            "invalid configuration" => return ConnectError::BadPassword { server, role: self.role.clone() },
            _ => {}
        }
        match cause.and_then(|cause| cause.downcast_ref::<io::Error>()) {
            Some(system) if system.kind() == io::ErrorKind::TimedOut => ConnectError::Timeout { server },
            Some(system) => ConnectError::Refused { server, reason: system.to_string() },
            None => ConnectError::Other { server, reason },
        }
    }

    fn explain_refusal(&self, code: &SqlState, reason: String) -> ConnectError {
        let (server, role, database) = (self.server.clone(), self.role.clone(), self.database.clone());
        match code {
            &SqlState::INVALID_CATALOG_NAME => ConnectError::NoSuchDatabase { server, database },
            &SqlState::INVALID_PASSWORD => ConnectError::BadPassword { server, role },
            &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                ConnectError::NoSuchRole { server, role, reason }
            }
            &SqlState::INSUFFICIENT_PRIVILEGE => ConnectError::NotPermitted { role, database },
            &SqlState::CANNOT_CONNECT_NOW | &SqlState::TOO_MANY_CONNECTIONS | &SqlState::ADMIN_SHUTDOWN => {
                ConnectError::NotNow { server, reason }
            }
            _ => ConnectError::Other { server, reason },
        }
    }
}
