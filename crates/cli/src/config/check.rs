//! Which settings are refused: bounds everywhere, and in production what is unsafe or missing. One line each, and
//! each says what to set. What only one command needs (its database URL) is asked for by that command.

use std::ops::RangeInclusive;

use bulkhead_auth::algorithm::SigningAlgorithm;
use bulkhead_auth::hmac_secret::MIN_SECRET_BYTES;
use bulkhead_auth::sealed::{SealingKeyError, SealingKeys};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::environment::variable_of;
use super::mail;
use super::settings::{Environment, Settings};

/// Texts that stand in examples, tutorials and tests. A secret that contains one is known to everybody.
const EXAMPLES: [&str; 14] = [
    "testpass123",
    "changeme",
    "change-me",
    "change_me",
    "your-secret",
    "your_secret",
    "django-insecure",
    "example",
    "insecure",
    "supersecret",
    "password",
    "postgres:postgres@",
    "placeholder",
    "123456",
];

/// Every refusal, in the order of the file. Empty: the settings are fit for their environment.
pub(crate) fn refusals(settings: &Settings) -> Vec<String> {
    let mut refusals = bounds(settings);
    refusals.extend(urls(settings));
    refusals.extend(mail::refusals(&settings.mail));
    refusals.extend(encryption_key(settings));
    if settings.environment == Environment::Production {
        refusals.extend(production(settings));
    }
    refusals
}

/// Numbers outside the bounds that `default.toml` states.
fn bounds(settings: &Settings) -> Vec<String> {
    let (server, auth, database) = (&settings.server, &settings.auth, &settings.database);
    let size = |value: usize| u128::try_from(value).unwrap_or(u128::MAX);
    [
        ("server.request_timeout_seconds", u128::from(server.request_timeout.as_secs()), 1..=300),
        ("server.body_limit_bytes", size(server.body_limit_bytes), 1_024..=67_108_864),
        ("server.body_timeout_seconds", u128::from(server.body_timeout.as_secs()), 1..=300),
        ("server.max_connections", size(server.max_connections), 1..=1_000_000),
        ("server.drain_seconds", u128::from(server.drain.as_secs()), 0..=300),
        ("server.shutdown_timeout_seconds", u128::from(server.shutdown_timeout.as_secs()), 0..=600),
        ("cors.max_age_seconds", u128::from(settings.cors.max_age.as_secs()), 0..=86_400),
        ("database.acquire_timeout_ms", database.acquire_timeout.as_millis(), 10..=60_000),
        ("auth.access_lifetime_seconds", u128::from(auth.access_lifetime.as_secs()), 60..=86_400),
        ("auth.refresh_lifetime_seconds", u128::from(auth.refresh_lifetime.as_secs()), 300..=31_536_000),
        ("auth.refresh_idle_seconds", u128::from(auth.refresh_idle.as_secs()), 300..=31_536_000),
        ("auth.refresh_grace_seconds", u128::from(auth.refresh_grace.as_secs()), 0..=60),
        ("auth.min_password_length", size(auth.min_password_length), 8..=128),
        ("auth.hash_queue", size(auth.hash_queue), 1..=10_000),
        ("auth.hash_wait_ms", auth.hash_wait.as_millis(), 100..=60_000),
        ("limits.guesses", u128::from(settings.limits.guesses), 1..=1_000_000),
        ("limits.guesses_hourly", u128::from(settings.limits.guesses_hourly), 1..=1_000_000),
    ]
    .into_iter()
    .filter_map(|(key, value, range)| outside(key, value, &range))
    .collect()
}

fn outside(key: &str, value: u128, range: &RangeInclusive<u128>) -> Option<String> {
    let (least, most) = (range.start(), range.end());
    (!range.contains(&value)).then(|| format!("`{key}` is {value}; set it between {least} and {most}"))
}

/// Texts that must be URLs or origins.
fn urls(settings: &Settings) -> Vec<String> {
    let mut refusals = Vec::new();
    if let Some(url) = &settings.server.public_url
        && !is_origin(url.trim_end_matches('/'))
    {
        refusals
            .push("`server.public_url` must be https://HOST or https://HOST:PORT, without a path".to_owned());
    }
    let origins = &settings.cors.allowed_origins;
    for origin in origins.iter().filter(|origin| *origin != "*" && !is_origin(origin)) {
        refusals.push(format!("`cors.allowed_origins` has {origin:?}; write https://HOST without a path"));
    }
    for (key, url) in settings.database.urls() {
        let sound = |url: &SecretString| {
            ["postgresql://", "postgres://"].iter().any(|scheme| url.expose_secret().starts_with(scheme))
        };
        if url.is_some_and(|url| !sound(url)) {
            refusals.push(format!("`{key}` must start with postgresql://"));
        }
    }
    refusals
}

/// RFC 6454 §6.2: scheme, host and perhaps a port, nothing after.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '*', '\\']))
}

/// What development may do and production may not.
fn production(settings: &Settings) -> Vec<String> {
    let mut refusals = Vec::new();
    let variable = variable_of;
    if let Some(url) = &settings.server.public_url
        && url.starts_with("http://")
        && !settings.server.allow_http
    {
        let allow = variable("server.allow_http");
        refusals.push(format!("`server.public_url` is not https; change it, or set {allow}=true"));
    }
    if settings.cors.allowed_origins.iter().any(|origin| origin == "*") {
        refusals.push("`cors.allowed_origins` has \"*\"; name each origin that may call".to_owned());
    }
    for (key, url) in settings.database.urls() {
        if url.is_some_and(is_example) {
            let variable = variable(key);
            refusals.push(format!("`{key}` contains an example password; set a random one in {variable}"));
        }
    }
    refusals.extend(signing_key(settings));
    refusals.extend(mail::production(settings));
    refusals
}

fn signing_key(settings: &Settings) -> Option<String> {
    let key = settings.auth.signing_key.as_ref()?;
    let variable = variable_of("auth.signing_key");
    let is_short = key.expose_secret().len() < MIN_SECRET_BYTES;
    if settings.auth.algorithm == SigningAlgorithm::Hs256 && is_short {
        return Some(format!("`auth.signing_key` is too short; put 32 random bytes or more in {variable}"));
    }
    is_example(key).then(|| format!("`auth.signing_key` is an example; put a key of your own in {variable}"))
}

/// Keys in the environment are read here already, because a file is not there for every command.
fn encryption_key(settings: &Settings) -> Option<String> {
    let keys = settings.auth.encryption_key.as_ref()?;
    sealing_keys(keys).err().map(|error| format!("`auth.encryption_key` is not usable: {error}"))
}

/// Reads encryption keys. In a variable commas part them, as in every list.
///
/// # Errors
/// One is unfit.
pub(crate) fn sealing_keys(text: &SecretString) -> Result<SealingKeys, SealingKeyError> {
    let lines = Zeroizing::new(text.expose_secret().replace(',', "\n"));
    SealingKeys::parse(&lines)
}

/// What `serve` alone needs in production; other commands sign nothing and listen nowhere.
pub(crate) fn serving_refusals(settings: &Settings) -> Vec<String> {
    if settings.environment != Environment::Production {
        return Vec::new();
    }
    let missing = |key: &str| format!("`{key}` is not set; set {}", variable_of(key));
    let needed = [
        ("server.public_url", settings.server.public_url.is_some()),
        ("database.url", settings.database.url.is_some()),
        ("database.auth_url", settings.database.auth_url.is_some()),
    ];
    let mut refusals =
        needed.iter().filter(|(_, is_set)| !is_set).map(|(key, _)| missing(key)).collect::<Vec<_>>();
    let has_key = settings.auth.signing_key.is_some() || settings.auth.signing_key_file.is_some();
    if !has_key {
        let (file, text) = (variable_of("auth.signing_key_file"), variable_of("auth.signing_key"));
        refusals.push(format!("there is no signing key; set {file} (a PEM file) or {text}"));
    }
    refusals
}

/// Whether a secret is one that examples use, or that nobody would have to guess long.
pub(super) fn is_example(secret: &SecretString) -> bool {
    let text = secret.expose_secret().to_lowercase();
    // A PEM block is random base64 and may hold any short word by chance.
    let is_pem = text.starts_with("-----begin");
    let is_one_letter = text.chars().next().is_some_and(|first| text.chars().all(|letter| letter == first));
    !is_pem && (is_one_letter || EXAMPLES.iter().any(|example| password_part(&text).contains(example)))
}

/// The password of a URL, or the whole text. `postgresql://` must not count against `example.com` as a host.
fn password_part(text: &str) -> &str {
    let Some((_, rest)) = text.split_once("://") else { return text };
    let credentials = rest.split_once('@').map_or("", |(credentials, _)| credentials);
    credentials.split_once(':').map_or("", |(_, password)| password)
}
