//! What the configuration promises, on the whole of it: precedence, provenance, refusals. No process environment.

use std::path::PathBuf;

use super::{ConfigError, Configuration, Variables, load};

fn set(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn with(pairs: &[(&str, &str)]) -> Result<Configuration, ConfigError> {
    load(None, &set(pairs))
}

fn shown(configuration: &Configuration, key: &str) -> (String, String) {
    let entry = configuration.entries.iter().find(|entry| entry.key == key).unwrap();
    (entry.value.clone(), entry.from.clone())
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("bulkhead-config-{}-{name}.toml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_documented_defaults_are_exactly_the_settings() {
    let configuration = with(&[]).unwrap();
    assert_eq!(configuration.settings.server.base_url(), "http://127.0.0.1:8000");
    assert!(configuration.settings.database.is_unset());
    assert_eq!(configuration.settings.auth.access_lifetime.as_secs(), 900);
    assert_eq!(shown(&configuration, "server.port"), ("8000".to_owned(), "default".to_owned()));
    assert_eq!(shown(&configuration, "log.format").1, "built-in development.toml");
}

#[test]
fn later_sources_win_and_say_so() {
    let path = file("order", "[server]\nport = 1000\nhost = \"::1\"\n[log]\nformat = \"json\"\n");
    let variables = set(&[("PORT", "2000"), ("BULKHEAD_SERVER__PORT", "3000")]);
    let configuration = load(Some(&path), &variables).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(configuration.settings.server.port, 3000);
    assert_eq!(shown(&configuration, "server.port").1, "environment variable BULKHEAD_SERVER__PORT");
    assert_eq!(configuration.settings.server.host, "::1");
    assert_eq!(
        shown(&configuration, "log.format"),
        ("\"json\"".to_owned(), format!("file {}", path.display()))
    );
}

#[test]
fn older_names_set_what_they_used_to_and_the_rest_is_listed() {
    let configuration = with(&[
        ("APP_ENV", "local"),
        ("DEBUG", "false"),
        ("LOG_LEVEL", "WARNING"),
        ("ALLOWED_HOSTS", "localhost, .example.com"),
        ("JWT_ACCESS_TOKEN_LIFETIME", "15m"),
        ("DATABASE_POOL_SIZE", "20"),
        ("API_CLIENT_TOKEN_RATE", "10/min"),
        ("PER_CLIENT_DEFAULT_RATE", "5000/h"),
        ("SECRET_KEY", "x"),
        ("REDIS_URL", "redis://"),
    ])
    .unwrap();
    let settings = &configuration.settings;
    assert_eq!(settings.environment, super::Environment::Development);
    assert_eq!(settings.server.allowed_hosts, ["localhost", ".example.com"]);
    assert_eq!(settings.auth.access_lifetime.as_secs(), 900);
    assert_eq!(settings.database.connections.unwrap().get(), 20);
    assert_eq!(settings.limits.token, "10/minute".parse().unwrap());
    assert_eq!(settings.limits.client, "5000/hour".parse().unwrap());
    assert_eq!(shown(&configuration, "log.level").0, "\"warn\"");
    let unused = configuration.unused.iter().map(|note| note.variable.as_str()).collect::<Vec<_>>();
    assert_eq!(unused, ["SECRET_KEY", "REDIS_URL"]);
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    let error = with(&[("BULKHEAD_SERVER_PORT", "1")]).unwrap_err().to_string();
    assert!(error.contains("BULKHEAD_SERVER__PORT"), "{error}");
    let path = file("unknown", "[databse]\nurl = \"postgresql:///secret\"\n");
    let error = load(Some(&path), &Variables::new()).unwrap_err().to_string();
    std::fs::remove_file(&path).unwrap();
    assert!(error.contains("`databse.url`") && error.contains("`database.url`"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn no_error_and_no_listing_repeats_a_secret() {
    let secret = "postgresql://app:hunter2hunter2@db/x";
    let configuration = with(&[("DATABASE_URL", secret)]).unwrap();
    assert_eq!(shown(&configuration, "database.url").0, "(hidden)");
    assert!(!format!("{configuration:?}").contains("hunter2"));
    for text in [
        "[auth]\nsigning_key = \"hunter2\"\n",
        "[auth]\nencryption_key = \"hunter2\"\n",
        "[mail]\npassword = \"hunter2\"\n",
        "[database]\nurl = hunter2\n",
        "[database]\nurl = [\"hunter2\"]\n",
    ] {
        let path = file("secret", text);
        let error = load(Some(&path), &Variables::new()).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn production_refuses_everything_unsafe_at_once() {
    let error = with(&[
        ("APP_ENV", "production"),
        ("BULKHEAD_SERVER__PUBLIC_URL", "http://api.test"),
        ("CORS_ALLOWED_ORIGINS", "*"),
        ("DATABASE_URL", "postgresql://app:changeme@db/x"),
        ("JWT_ALGORITHM", "HS256"),
        ("JWT_SIGNING_KEY", "short"),
    ])
    .unwrap_err();
    let ConfigError::Refused(lines) = error else { panic!("{error}") };
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("changeme") && !line.contains("short\"")));
}

#[test]
fn serving_in_production_needs_urls_and_a_key() {
    let configuration = with(&[("BULKHEAD_ENVIRONMENT", "production")]).unwrap();
    assert_eq!(super::serving_refusals(&configuration.settings).len(), 4);
    assert!(super::serving_refusals(&with(&[]).unwrap().settings).is_empty());
}

#[test]
fn values_out_of_bounds_are_refused_with_the_bounds() {
    for (variable, value) in [
        ("BULKHEAD_AUTH__ACCESS_LIFETIME_SECONDS", "15"),
        ("BULKHEAD_AUTH__REFRESH_GRACE_SECONDS", "61"),
        ("BULKHEAD_SERVER__BODY_LIMIT_BYTES", "0"),
        ("BULKHEAD_SERVER__PORT", "65536"),
        ("BULKHEAD_SERVER__PORT", "-1"),
        ("BULKHEAD_SERVER__TRUSTED_PROXIES", "10.0.0.0/33"),
        ("BULKHEAD_DATABASE__TLS", "prefer"),
        ("BULKHEAD_LIMITS__USER", "1000"),
        ("BULKHEAD_LIMITS__TENANT", "-1/hour"),
        ("BULKHEAD_LIMITS__CLIENT", "4294967296/hour"),
        ("BULKHEAD_LIMITS__CREDENTIALS", "10/month"),
        ("BULKHEAD_LIMITS__TOKEN", ""),
        ("BULKHEAD_LOG__LEVEL", "loud"),
        ("BULKHEAD_ENVIRONMENT", "stage"),
        ("BULKHEAD_CORS__ALLOWED_ORIGINS", "https://a.test/path"),
        ("BULKHEAD_SERVER__PUBLIC_URL", "api.test"),
    ] {
        let error = with(&[(variable, value)]).unwrap_err().to_string();
        let key = variable.trim_start_matches("BULKHEAD_").to_lowercase().replace("__", ".");
        assert!(error.contains(&key), "{variable}={value}: {error}");
    }
}

#[test]
fn mail_goes_to_the_log_in_development_and_nowhere_by_default_in_production() {
    assert_eq!(shown(&with(&[]).unwrap(), "mail.transport").0, "\"log\"");
    let production = with(&[("BULKHEAD_ENVIRONMENT", "production")]).unwrap();
    assert_eq!(shown(&production, "mail.transport").0, "\"off\"");
    let error = with(&[
        ("BULKHEAD_ENVIRONMENT", "production"),
        ("BULKHEAD_MAIL__TRANSPORT", "log"),
        ("BULKHEAD_MAIL__FROM", "no-reply@example.com"),
        ("BULKHEAD_MAIL__FRONTEND_URL", "http://app.test"),
        ("BULKHEAD_MAIL__USERNAME", "bulkhead"),
        ("BULKHEAD_MAIL__PASSWORD", "changeme"),
        ("BULKHEAD_MAIL__TLS", "none"),
    ])
    .unwrap_err();
    let ConfigError::Refused(lines) = error else { panic!("{error}") };
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("mail.") && !line.contains("changeme")));
}

#[test]
fn mail_settings_that_cannot_work_are_refused() {
    let smtp = [("BULKHEAD_MAIL__TRANSPORT", "smtp"), ("BULKHEAD_MAIL__HOST", "mail.test")];
    assert!(with(&smtp).is_ok());
    for (variable, value) in [
        ("BULKHEAD_MAIL__HOST", ""),
        ("BULKHEAD_MAIL__FROM", ""),
        ("BULKHEAD_MAIL__PORT", "0"),
        ("BULKHEAD_MAIL__PORT", "65536"),
        ("BULKHEAD_MAIL__TLS", "ssl"),
        ("BULKHEAD_MAIL__TRANSPORT", "sendmail"),
        ("BULKHEAD_MAIL__PASSWORD", "without a name"),
        ("BULKHEAD_MAIL__FRONTEND_URL", "app.test"),
        ("BULKHEAD_MAIL__FRONTEND_URL", "https://app.test/?next="),
        ("BULKHEAD_MAIL__FRONTEND_URL", "javascript://app.test"),
    ] {
        let settings = smtp.into_iter().filter(|(name, _)| *name != variable).chain([(variable, value)]);
        let error = with(&settings.collect::<Vec<_>>()).unwrap_err().to_string();
        let key = variable.trim_start_matches("BULKHEAD_").to_lowercase().replace("__", ".");
        assert!(error.contains(&key), "{variable}={value}: {error}");
    }
}

#[test]
fn encryption_keys_are_checked_where_they_are_given_and_never_shown() {
    let one = "z1zI8JpGm0Ye5cVnTq3bLr9xKd7WfAh2uSoE4vQyXkM=";
    let two = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let both = format!("{one}, {two}");
    let configuration = with(&[("BULKHEAD_AUTH__ENCRYPTION_KEY", &both)]).unwrap();
    assert_eq!(shown(&configuration, "auth.encryption_key").0, "(hidden)");
    assert!(!format!("{configuration:?}").contains("z1zI8"));
    for bad in ["short", "dGhpcy1pcy1hLTMyLWJ5dGUtbG9uZy1wYXNzcGhyYXM=", &format!("{one},{one}")] {
        let error = with(&[("BULKHEAD_AUTH__ENCRYPTION_KEY", bad)]).unwrap_err().to_string();
        assert!(error.contains("auth.encryption_key") && !error.contains(bad), "{error}");
    }
}
