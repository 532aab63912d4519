//! The settings as the program uses them: typed, with units in types rather than in names. No reading, no checking
//! beyond what a type can say; `check` has the bounds.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use bulkhead_auth::algorithm::SigningAlgorithm;
use bulkhead_auth::limits::rate::Rate;
use ipnet::IpNet;
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::mail::Mail;

/// Everything that can be configured. `config/default.toml` says what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Whose secrets may be examples.
    pub(crate) environment: Environment,
    /// The HTTP server.
    pub(crate) server: Server,
    /// Browsers of other origins.
    pub(crate) cors: Cors,
    /// PostgreSQL.
    pub(crate) database: Database,
    /// Tokens and passwords.
    pub(crate) auth: Auth,
    /// Mail.
    pub(crate) mail: Mail,
    /// Rate limits.
    pub(crate) limits: Limits,
    /// Older systems' clients.
    pub(crate) compat: Compat,
    /// Log lines.
    pub(crate) log: Log,
    /// `/metrics`.
    pub(crate) metrics: Exposure,
    /// The pages about the API.
    pub(crate) docs: Exposure,
}

/// Where the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Environment {
    /// A developer's machine.
    Development,
    /// Anywhere that people's data is.
    Production,
}

/// `[server]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    #[serde(deserialize_with = "filled")]
    pub(crate) public_url: Option<String>,
    pub(crate) allow_http: bool,
    #[serde(deserialize_with = "or_default")]
    pub(crate) workers: Option<NonZeroUsize>,
    #[serde(rename = "request_timeout_seconds", deserialize_with = "seconds")]
    pub(crate) request_timeout: Duration,
    pub(crate) body_limit_bytes: usize,
    #[serde(rename = "body_timeout_seconds", deserialize_with = "seconds")]
    pub(crate) body_timeout: Duration,
    pub(crate) max_connections: usize,
    #[serde(rename = "drain_seconds", deserialize_with = "seconds")]
    pub(crate) drain: Duration,
    #[serde(rename = "shutdown_timeout_seconds", deserialize_with = "seconds")]
    pub(crate) shutdown_timeout: Duration,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
}

impl Server {
    /// The configured public URL, or the address that is listened on.
    pub(crate) fn base_url(&self) -> String {
        let listening = || format!("http://{}:{}", self.host, self.port);
        self.public_url.clone().map_or_else(listening, |url| url.trim_end_matches('/').to_owned())
    }
}

/// `[cors]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cors {
    pub(crate) allowed_origins: Vec<String>,
    #[serde(deserialize_with = "filled")]
    pub(crate) base_domain: Option<String>,
    #[serde(rename = "max_age_seconds", deserialize_with = "seconds")]
    pub(crate) max_age: Duration,
}

/// `[database]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    #[serde(deserialize_with = "secret")]
    pub(crate) url: Option<SecretString>,
    #[serde(deserialize_with = "secret")]
    pub(crate) auth_url: Option<SecretString>,
    #[serde(deserialize_with = "secret")]
    pub(crate) platform_url: Option<SecretString>,
    #[serde(deserialize_with = "secret")]
    pub(crate) migrator_url: Option<SecretString>,
    #[serde(deserialize_with = "secret")]
    pub(crate) superuser_url: Option<SecretString>,
    pub(crate) tls: Tls,
    #[serde(deserialize_with = "filled")]
    pub(crate) tls_root: Option<PathBuf>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) connections: Option<NonZeroUsize>,
    #[serde(rename = "acquire_timeout_ms", deserialize_with = "milliseconds")]
    pub(crate) acquire_timeout: Duration,
}

impl Database {
    /// The URLs with their keys.
    pub(crate) fn urls(&self) -> [(&'static str, Option<&SecretString>); 5] {
        [
            ("database.url", self.url.as_ref()),
            ("database.auth_url", self.auth_url.as_ref()),
            ("database.platform_url", self.platform_url.as_ref()),
            ("database.migrator_url", self.migrator_url.as_ref()),
            ("database.superuser_url", self.superuser_url.as_ref()),
        ]
    }

    /// Whether the operator named no database at all, so that development may use its private one.
    pub(crate) fn is_unset(&self) -> bool {
        self.urls().iter().all(|(_, url)| url.is_none())
    }
}

/// Whether connections to PostgreSQL are encrypted. There is no half-checked mode: it would stop nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tls {
    /// Plain.
    Off,
    /// Encrypted, with the certificate and the host name checked.
    VerifyFull,
}

/// `[auth]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auth {
    #[serde(deserialize_with = "algorithm")]
    pub(crate) algorithm: SigningAlgorithm,
    #[serde(deserialize_with = "filled")]
    pub(crate) signing_key_file: Option<PathBuf>,
    #[serde(deserialize_with = "secret")]
    pub(crate) signing_key: Option<SecretString>,
    #[serde(deserialize_with = "filled")]
    pub(crate) encryption_key_file: Option<PathBuf>,
    #[serde(deserialize_with = "secret")]
    pub(crate) encryption_key: Option<SecretString>,
    #[serde(deserialize_with = "filled")]
    pub(crate) issuer: Option<String>,
    pub(crate) audience: String,
    #[serde(rename = "access_lifetime_seconds", deserialize_with = "seconds")]
    pub(crate) access_lifetime: Duration,
    #[serde(rename = "refresh_lifetime_seconds", deserialize_with = "seconds")]
    pub(crate) refresh_lifetime: Duration,
    #[serde(rename = "refresh_idle_seconds", deserialize_with = "seconds")]
    pub(crate) refresh_idle: Duration,
    pub(crate) refresh_cookie: bool,
    #[serde(rename = "refresh_grace_seconds", deserialize_with = "seconds")]
    pub(crate) refresh_grace: Duration,
    pub(crate) min_password_length: usize,
    #[serde(deserialize_with = "or_default")]
    pub(crate) hash_permits: Option<NonZeroUsize>,
    pub(crate) hash_queue: usize,
    #[serde(rename = "hash_wait_ms", deserialize_with = "milliseconds")]
    pub(crate) hash_wait: Duration,
}

/// `[limits]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    #[serde(deserialize_with = "rate")]
    pub(crate) tenant: Rate,
    #[serde(deserialize_with = "rate")]
    pub(crate) user: Rate,
    #[serde(deserialize_with = "rate")]
    pub(crate) client: Rate,
    #[serde(deserialize_with = "rate")]
    pub(crate) credentials: Rate,
    #[serde(deserialize_with = "rate")]
    pub(crate) token: Rate,
    pub(crate) guesses: u32,
    pub(crate) guesses_hourly: u32,
}

/// `[compat]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Compat {
    pub(crate) aliases: bool,
}

/// `[log]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) level: LogLevel,
}

/// What a log line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For eyes.
    Text,
}

/// The least important event that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// Failures.
    Error,
    /// And what may become one.
    Warn,
    /// And one line for each request.
    Info,
    /// And decisions.
    Debug,
    /// And everything.
    Trace,
}

/// `[metrics]` and `[docs]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exposure {
    pub(crate) expose: bool,
}

fn seconds<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    u64::deserialize(input).map(Duration::from_secs)
}

fn milliseconds<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    u64::deserialize(input).map(Duration::from_millis)
}

/// An empty text is "not set".
pub(super) fn filled<'de, D: Deserializer<'de>, T: From<String>>(input: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(input)?;
    Ok((!text.trim().is_empty()).then(|| T::from(text)))
}

/// As [`filled`], into a type that shows nothing.
pub(super) fn secret<'de, D: Deserializer<'de>>(input: D) -> Result<Option<SecretString>, D::Error> {
    filled(input)
}

/// Zero is "the program chooses".
fn or_default<'de, D: Deserializer<'de>>(input: D) -> Result<Option<NonZeroUsize>, D::Error> {
    usize::deserialize(input).map(NonZeroUsize::new)
}

fn rate<'de, D: Deserializer<'de>>(input: D) -> Result<Rate, D::Error> {
    String::deserialize(input)?.parse().map_err(D::Error::custom)
}

fn algorithm<'de, D: Deserializer<'de>>(input: D) -> Result<SigningAlgorithm, D::Error> {
    let name = String::deserialize(input)?;
    SigningAlgorithm::parse(&name).ok_or_else(|| {
        let known = SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).join(", ");
        D::Error::custom(format_args!("{name:?} is none of {known}"))
    })
}
