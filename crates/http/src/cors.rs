//! Which pages of other origins may call, and what of the answer they may read.

use actix_cors::Cors;
use actix_web::http::{Method, header};

use crate::settings::CorsSettings;

/// Headers that scripts of other origins may read.
const EXPOSED: [&str; 13] = [
    "x-correlation-id",
    "x-response-time",
    "etag",
    "location",
    "link",
    "retry-after",
    "ratelimit-policy",
    "ratelimit",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "idempotency-replayed",
    "www-authenticate",
];

/// The layer. It echoes exact origins and never sends `*`. Cookies are allowed where the refresh token may be in one.
pub(crate) fn layer(settings: &CorsSettings, cookies: bool) -> Cors {
    let mut cors = Cors::default()
        .allowed_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
        ])
        .allowed_headers(["idempotency-key", "x-correlation-id"])
        .expose_headers(EXPOSED)
        .max_age(usize::try_from(settings.max_age.as_secs()).unwrap_or(3600))
        .block_on_origin_mismatch(false);
    for origin in &settings.origins {
        cors = cors.allowed_origin(origin);
    }
    if cookies {
        cors = cors.supports_credentials();
    }
    for domain in settings.domains.clone() {
        cors = cors.allowed_origin_fn(move |origin, _| {
            origin.to_str().is_ok_and(|origin| is_subdomain(origin, &domain))
        });
    }
    cors
}

/// Whether pages of this origin may call.
pub(crate) fn allows(settings: &CorsSettings, origin: &str) -> bool {
    settings.origins.iter().any(|allowed| allowed == origin)
        || settings.domains.iter().any(|domain| is_subdomain(origin, domain))
}

/// Whether an origin is a subdomain of `domain`: over HTTPS on its usual port, or anyhow for `localhost`, which never
/// leaves the machine.
fn is_subdomain(origin: &str, domain: &str) -> bool {
    let (secure, plain) = (origin.strip_prefix("https://"), origin.strip_prefix("http://"));
    let host = if domain == "localhost" {
        secure.or(plain).map(|host| host.split_once(':').map_or(host, |(host, _port)| host))
    } else {
        secure
    };
    host.and_then(|host| host.strip_suffix(domain)).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::is_subdomain;

    #[test]
    fn only_true_subdomains_match() {
        for good in ["https://acme.example.com", "https://a.b.example.com"] {
            assert!(is_subdomain(good, "example.com"), "{good}");
        }
        assert!(is_subdomain("http://acme.localhost:3000", "localhost"));
        for bad in [
            "https://example.com",
            "https://evilexample.com",
            "https://example.com.evil.org",
            "null",
            "https://.example.com",
            "https://acme.example.com.evil.org:80",
            "http://acme.example.com",
            "https://acme.example.com:8443",
            "ftp://acme.example.com",
        ] {
            assert!(!is_subdomain(bad, "example.com"), "{bad}");
        }
    }
}
