//! The variable names of older systems, and what each sets here. The names of parts of a database URL are in
//! `database_parts`.

use super::environment::{self, Variables};
use super::error::ConfigError;
use super::keys::Keys;
use super::layers::Layer;
use super::{database_parts, lifetime};

/// How the text of an older variable becomes the text of ours.
type Translation = fn(&str) -> Option<String>;

/// One older name.
struct Alias {
    variable: &'static str,
    key: &'static str,
    /// What the text must be, for the error when the translation refuses it.
    expected: &'static str,
    translate: Translation,
}

/// The older names that are honoured. Where two set one key, the later in this list wins.
const ALIASES: [Alias; 22] = [
    alias("DEBUG", "environment", "true or false", environment_of_debug),
    alias("DJANGO_DEBUG", "environment", "true or false", environment_of_debug),
    alias("APP_ENV", "environment", "development or production", environment_of_name),
    alias("HOST", "server.host", "an address", as_it_is),
    alias("PORT", "server.port", "a port number", as_it_is),
    alias("ALLOWED_HOSTS", "server.allowed_hosts", "host names", hosts),
    alias("DJANGO_ALLOWED_HOSTS", "server.allowed_hosts", "host names", hosts),
    alias("CORS_ALLOWED_ORIGINS", "cors.allowed_origins", "origins", as_it_is),
    alias("BASE_DOMAIN", "cors.base_domain", "a domain", as_it_is),
    alias("DATABASE_URL", "database.url", "a URL", as_it_is),
    alias("DATABASE_POOL_SIZE", "database.connections", "a whole number, 0 or more", as_it_is),
    alias("JWT_SIGNING_KEY", "auth.signing_key", "a key", as_it_is),
    alias("JWT_ALGORITHM", "auth.algorithm", "an algorithm", as_it_is),
    alias("JWT_ISSUER", "auth.issuer", "a text", as_it_is),
    alias("JWT_AUDIENCE", "auth.audience", "a text", as_it_is),
    alias("JWT_ACCESS_TOKEN_LIFETIME", "auth.access_lifetime_seconds", LIFETIME, lifetime::seconds),
    alias("JWT_ACCESS_TOKEN_LIFETIME_MINUTES", "auth.access_lifetime_seconds", "minutes", lifetime::minutes),
    alias("JWT_REFRESH_TOKEN_LIFETIME", "auth.refresh_lifetime_seconds", LIFETIME, lifetime::seconds),
    alias("JWT_REFRESH_TOKEN_LIFETIME_DAYS", "auth.refresh_lifetime_seconds", "days", lifetime::days),
    alias("API_CLIENT_TOKEN_RATE", "limits.token", "a rate", as_it_is),
    alias("PER_CLIENT_DEFAULT_RATE", "limits.client", "a rate", as_it_is),
    alias("LOG_LEVEL", "log.level", "error, warn, info, debug or trace", level),
];

/// The words for a length of time.
const LIFETIME: &str = "seconds, or a number with s, m, h or d";

/// Older names that set nothing, and why, for whoever looks for the effect of one.
const UNUSED: [(&str, &str); 16] = [
    ("SECRET_KEY", "tokens are signed by auth.signing_key; nothing else is signed"),
    ("DJANGO_SECRET_KEY", "tokens are signed by auth.signing_key; nothing else is signed"),
    ("DJANGO_SETTINGS_MODULE", "there are no settings modules; see APP_ENV"),
    ("APP_NAME", "the name is fixed"),
    ("API_VERSION", "the version is part of the path"),
    ("DATABASE_MAX_OVERFLOW", "the pool has one size, database.connections"),
    ("REDIS_URL", "no Redis is used"),
    ("REDIS_HOST", "no Redis is used"),
    ("REDIS_TOKEN_BLACKLIST_DB", "revocation is kept in PostgreSQL and in memory"),
    ("ELASTIC_SEARCH_HOST", "PostgreSQL searches"),
    (
        "API_CLIENT_REFRESH_RATE",
        "an address has one limit for log-in and refresh together, limits.credentials",
    ),
    ("RATE_LIMIT_ENABLED", "limits are set one by one, see [limits]"),
    ("RATE_LIMIT_PER_MINUTE", "limits are set one by one, see [limits]"),
    ("CORS_ALLOW_ALL_ORIGINS", "origins are named, in cors.allowed_origins"),
    ("JWT_SECRET", "the name is JWT_SIGNING_KEY or BULKHEAD_AUTH__SIGNING_KEY"),
    ("JWT_SECRET_KEY", "the name is JWT_SIGNING_KEY or BULKHEAD_AUTH__SIGNING_KEY"),
];

/// An older variable that is set and has no effect.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Unused {
    /// Its name.
    pub(crate) variable: String,
    /// Why it has none.
    pub(crate) reason: String,
}

const fn alias(
    variable: &'static str,
    key: &'static str,
    expected: &'static str,
    translate: Translation,
) -> Alias {
    Alias { variable, key, expected, translate }
}

/// The layers of all older names that are set, weakest first, and those names that set nothing.
///
/// # Errors
/// [`ConfigError::Invalid`] or [`ConfigError::WrongKind`] when the text of one cannot be understood.
pub(crate) fn layers(variables: &Variables, keys: &Keys) -> Result<(Vec<Layer>, Vec<Unused>), ConfigError> {
    let parts = database_parts::read(variables);
    let mut layers = parts.layer.into_iter().collect::<Vec<_>>();
    for alias in &ALIASES {
        // A template that leaves a variable empty means "not set".
        let Some(text) = variables.get(alias.variable).filter(|text| !text.trim().is_empty()) else {
            continue;
        };
        let translated = (alias.translate)(text).ok_or_else(|| ConfigError::WrongKind {
            key: alias.key.to_owned(),
            expected: alias.expected,
            place: format!("environment variable {}", alias.variable),
        })?;
        layers.push(environment::layer(alias.variable, alias.key, &translated, keys)?);
    }
    let known = UNUSED.iter().filter(|(variable, _)| variables.contains_key(*variable));
    let mut unused = known.map(|(variable, reason)| unused(variable, reason)).collect::<Vec<_>>();
    unused.extend(parts.unused);
    Ok((layers, unused))
}

/// A note that `variable` has no effect.
pub(crate) fn unused(variable: &str, reason: &str) -> Unused {
    Unused { variable: variable.to_owned(), reason: reason.to_owned() }
}

#[expect(clippy::unnecessary_wraps, reason = "one of several translations, and the others can refuse")]
fn as_it_is(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn level(text: &str) -> Option<String> {
    let level = match text.trim().to_ascii_lowercase().as_str() {
        "critical" | "fatal" => "error".to_owned(),
        "warning" => "warn".to_owned(),
        other => other.to_owned(),
    };
    Some(level)
}

/// Django's `*` is our empty list; a list with `*` among other names allows all as well.
fn hosts(text: &str) -> Option<String> {
    let all = text.split(',').any(|host| host.trim() == "*");
    Some(if all { String::new() } else { text.to_owned() })
}

fn environment_of_debug(text: &str) -> Option<String> {
    let name = if environment::parse_switch(text)? { "development" } else { "production" };
    Some(name.to_owned())
}

/// Anything that faces people is production: a staging system holds real secrets too.
fn environment_of_name(text: &str) -> Option<String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "development" | "dev" | "local" | "test" | "testing" => Some("development".to_owned()),
        "production" | "prod" | "staging" => Some("production".to_owned()),
        _ => None,
    }
}
