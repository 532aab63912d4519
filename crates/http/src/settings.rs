//! What the server must be told. Reading it from files and the environment is `cli`'s business.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_auth::limits::rate::Rate;
use bulkhead_auth::password::PasswordHasher;
use bulkhead_auth::sealed::SealingKeys;
use bulkhead_mail::Mailer;
use bulkhead_persistence::PoolSettings;
use bulkhead_persistence::connect::ConnectSettings;
use bulkhead_persistence::guards::GuessSettings;
use ipnet::IpNet;

use crate::keyring::Keyring;

/// How requests are taken.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The address to listen on, `host:port`; port 0 picks a free one.
    pub listen: String,
    /// What links in answers start with; never taken from a request's `Host`. Without a final slash.
    pub public_url: String,
    /// What links in mails start with: where people have their browser application. Without a final slash.
    pub frontend_url: String,
    /// Threads that serve, at least 1.
    pub workers: usize,
    /// Connections that are served at once, per worker.
    pub max_connections: usize,
    /// The longest that one request may take.
    pub request_timeout: Duration,
    /// The longest that a request's body may take to arrive.
    pub body_timeout: Duration,
    /// The largest body, in bytes.
    pub body_limit: usize,
    /// How long the server goes on taking work once it was told to stop, while it says that it is not ready.
    pub drain: Duration,
    /// The longest that requests in flight may take to end once the server was told to stop.
    pub shutdown_timeout: Duration,
    /// Hosts that requests may name; empty means any. A leading dot stands for every subdomain.
    pub allowed_hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// How much is let through.
    pub limits: LimitSettings,
    /// Which other origins may call.
    pub cors: CorsSettings,
    /// Whether answers tell browsers to insist on HTTPS (RFC 6797).
    pub strict_transport: bool,
    /// Whether paths of the older systems are served too.
    pub aliases: bool,
    /// Whether `/metrics` is served.
    pub metrics: bool,
    /// Whether the OpenAPI document and its pages are served.
    pub docs: bool,
}

/// Which other origins may call from a browser.
#[derive(Clone, Debug, Default)]
pub struct CorsSettings {
    /// Exact origins, `https://app.example.com`.
    pub origins: Vec<String>,
    /// Domains whose subdomains are all allowed, `example.com`.
    pub domains: Vec<String>,
    /// How long a browser may remember a preflight's answer.
    pub max_age: Duration,
}

/// How much is let through, by this process.
#[derive(Clone, Copy, Debug)]
pub struct LimitSettings {
    /// Requests of one tenant.
    pub tenant: Rate,
    /// Requests of one user.
    pub user: Rate,
    /// Requests of one client that has no rate of its own, or of one service.
    pub client: Rate,
    /// Attempts with credentials from one address.
    pub credentials: Rate,
    /// Attempts from one address to get tokens as one account.
    pub token: Rate,
    /// Wrong credentials of one account, counted in the database for all processes.
    pub guesses: GuessSettings,
}

/// Refresh tokens.
#[derive(Clone, Debug)]
pub struct RefreshSettings {
    /// How long a family lives, however often it is rotated.
    pub lifetime: Duration,
    /// How long a family may rest between two rotations.
    pub idle: Duration,
    /// How long a used token still works.
    pub grace: Duration,
    /// Whether browsers may have it in a cookie, which scripts cannot read.
    pub cookie: bool,
}

/// What the server works with.
#[derive(Clone)]
pub struct Services {
    /// What access tokens are signed and verified with, and refresh tokens replaced.
    pub keyring: Arc<Keyring>,
    /// Hashes passwords.
    pub hasher: Arc<PasswordHasher>,
    /// Seals small secrets; none without a key. What needs it must then refuse.
    pub sealing: Option<Arc<SealingKeys>>,
    /// Sends mail.
    pub mailer: Mailer,
    /// Refresh tokens.
    pub refresh: Arc<RefreshSettings>,
    /// The shortest new password, in characters.
    pub min_password_length: usize,
    /// The database, as the role of tenant requests.
    pub app_database: ConnectSettings,
    /// The database, as the role that reads credentials.
    pub auth_database: ConnectSettings,
    /// Connections per worker.
    pub pool: PoolSettings,
}
