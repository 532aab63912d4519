//! Starts that cannot succeed: one clear line that says what to do, and an exit code that tells a script why.

use std::process::Command;

use bulkhead_tests::app::Launch;
use bulkhead_tests::cluster::Cluster;
use bulkhead_tests::database::OwnDatabase;
use bulkhead_tests::keys::Key;
use bulkhead_tests::scratch::Scratch;
use bulkhead_tests::server::Server;

struct World {
    cluster: std::sync::Arc<Cluster>,
    scratch: Scratch,
    launch: Launch,
}

fn world() -> World {
    let (cluster, scratch) = (Cluster::shared(), Scratch::new("startup"));
    let key_file = scratch.write("key.pem", Key::generate().pem());
    let launch = Launch { urls: cluster.urls().clone(), key_file, settings: Vec::new() };
    World { cluster, scratch, launch }
}

/// Insists that the server does not start, with this exit code and these words on its one `error:` line.
#[track_caller]
fn refuses(command: Command, code: i32, words: &[&str]) {
    let Err((status, output)) = Server::start(command) else { panic!("it started; expected {words:?}") };
    let errors: Vec<&str> = output.lines().filter(|line| line.starts_with("error:")).collect();
    assert_eq!((status.code(), errors.len()), (Some(code), 1), "{output}");
    for word in words {
        assert!(output.contains(word), "{word} is not in {output}");
    }
    assert!(!output.contains("panicked") && !output.contains("RUST_BACKTRACE"), "{output}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let world = world();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("listen");
    let port = taken.local_addr().expect("an address").port().to_string();
    let mut command = world.launch.command();
    command.env("BULKHEAD_SERVER__PORT", &port);
    refuses(command, 1, &[&port, "in use"]);
}

#[test]
fn a_database_that_is_away_is_named_without_its_password() {
    let world = world();
    let mut command = world.launch.command();
    command.env("BULKHEAD_DATABASE__URL", "postgresql://bulkhead_app:hush-hush-hush@127.0.0.1:1/bulkhead");
    let output = Server::start(command).expect_err("no database").1;
    assert!(!output.contains("hush-hush-hush"), "{output}");
    let mut command = world.launch.command();
    command.env("BULKHEAD_DATABASE__URL", "postgresql://bulkhead_app:hush-hush-hush@127.0.0.1:1/bulkhead");
    refuses(command, 4, &["127.0.0.1"]);
}

#[test]
fn a_role_that_policies_do_not_bind_does_not_serve() {
    let world = world();
    for url in [
        world.cluster.urls().superuser_inside(),
        world.cluster.urls().migrator_url.clone(),
        world.cluster.urls().platform_url.clone(),
    ] {
        let mut command = world.launch.command();
        command.env("BULKHEAD_DATABASE__URL", url);
        let Err((status, output)) = Server::start(command) else {
            panic!("it served as a role that is not its own")
        };
        assert!(!status.success() && output.starts_with("error:"), "{output}");
    }
}

#[test]
fn pending_migrations_keep_a_server_from_starting() {
    let world = world();
    let empty = OwnDatabase::create_empty(&world.cluster);
    let launch = Launch { urls: empty.urls().clone(), ..world.launch };
    let Err((status, output)) = launch.start() else { panic!("it served without tables") };
    assert!(!status.success() && output.contains("bulkhead migrate"), "{output}");
}

#[test]
fn a_signing_key_that_cannot_be_used_is_named() {
    let world = world();
    for (text, word) in [("", "key"), ("not a key", "PEM")] {
        let mut command = world.launch.command();
        command.env("BULKHEAD_AUTH__SIGNING_KEY_FILE", world.scratch.write("bad.pem", text));
        refuses(command, 3, &[word]);
    }
    let mut command = world.launch.command();
    command.env("BULKHEAD_AUTH__SIGNING_KEY_FILE", "/nowhere/key.pem");
    refuses(command, 1, &["/nowhere/key.pem"]);
}

#[test]
fn production_refuses_what_is_weak_missing_or_an_example() {
    let world = world();
    let production = |settings: &[(&str, &str)]| {
        let mut command = world.launch.command();
        command
            .env("BULKHEAD_ENVIRONMENT", "production")
            .env("BULKHEAD_SERVER__PUBLIC_URL", "https://api.test");
        for (name, value) in settings {
            if value.is_empty() {
                command.env_remove(name);
            } else {
                command.env(name, value);
            }
        }
        command
    };
    drop(Server::start(production(&[])).expect("the control"));
    let secret = "BULKHEAD_AUTH__SIGNING_KEY";
    let file = ("BULKHEAD_AUTH__SIGNING_KEY_FILE", "");
    let algorithm = ("BULKHEAD_AUTH__ALGORITHM", "HS256");
    refuses(production(&[file]), 3, &["signing key"]);
    refuses(production(&[file, algorithm, (secret, "short")]), 3, &["signing_key"]);
    refuses(
        production(&[file, algorithm, (secret, "django-insecure-0123456789-0123456789-0123456789")]),
        3,
        &["signing_key"],
    );
    refuses(production(&[("BULKHEAD_SERVER__PUBLIC_URL", "")]), 3, &["public_url"]);
    refuses(production(&[("BULKHEAD_SERVER__PUBLIC_URL", "http://api.test")]), 3, &["https"]);
    refuses(
        production(&[("BULKHEAD_DATABASE__URL", "postgresql://bulkhead_app:changeme@db/bulkhead")]),
        3,
        &["example password"],
    );
    refuses(production(&[("BULKHEAD_CORS__ALLOWED_ORIGINS", "*")]), 3, &["cors"]);
}

#[test]
fn a_setting_that_nobody_knows_or_that_is_out_of_bounds_is_named() {
    let world = world();
    for (name, value, word) in [
        ("BULKHEAD_SERVER__PROT", "8000", "prot"),
        ("BULKHEAD_LIMITS__USER", "many/hour", "limits.user"),
        ("BULKHEAD_LIMITS__CREDENTIALS", "60/month", "limits.credentials"),
        ("BULKHEAD_SERVER__PORT", "x", "port"),
        ("BULKHEAD_AUTH__ACCESS_LIFETIME_SECONDS", "5", "access_lifetime_seconds"),
        ("BULKHEAD_CORS__ALLOWED_ORIGINS", "app.example.com", "allowed_origins"),
    ] {
        let mut command = world.launch.command();
        command.env(name, value);
        let Err((status, output)) = Server::start(command) else { panic!("it started with {name}={value}") };
        assert!(status.code() == Some(3) && output.to_lowercase().contains(word), "{name}: {output}");
    }
}
