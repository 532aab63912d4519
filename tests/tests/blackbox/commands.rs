//! The operator's commands, run as an operator runs them.

use std::os::unix::fs::PermissionsExt as _;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Launch, TestApp};
use bulkhead_tests::binary::{self, Outcome};
use bulkhead_tests::cluster::Cluster;
use bulkhead_tests::database::{OwnDatabase, environment};
use bulkhead_tests::keys::Key;
use bulkhead_tests::scratch::Scratch;
use serde_json::{Value, json};

fn run(arguments: &[&str], input: &str) -> Outcome {
    let cluster = Cluster::shared();
    let mut command = binary::command(arguments);
    command.envs(environment(cluster.urls()));
    binary::run(command, input)
}

fn document(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

#[tokio::test]
async fn a_tenant_that_was_created_is_listed_and_its_people_log_in() {
    let app = TestApp::start().await;
    let slug = format!("cli-{}", &new_id().simple().to_string()[20..]);
    let password = "correct horse battery staple\n";
    let create = [
        "--json",
        "create-tenant",
        "--slug",
        &slug,
        "--name",
        "Made by hand",
        "--admin-username",
        "anna",
        "--admin-email",
        "anna@example.test",
        "--password-stdin",
    ];
    let created = run(&create, password);
    assert_eq!(created.code, Some(0), "{created:?}");
    assert_eq!((&document(&created)["slug"], &document(&created)["admin"]), (&json!(slug), &json!("anna")));
    let listed = document(&run(&["list-tenants", "--json"], ""));
    let tenants = listed["tenants"].as_array().expect("tenants");
    assert!(tenants.iter().any(|tenant| tenant["slug"] == json!(slug) && tenant["name"] == "Made by hand"));
    let user = run(
        &[
            "create-user",
            "--json",
            "--tenant",
            &slug,
            "--username",
            "bob",
            "--email",
            "bob@example.test",
            "--role",
            "viewer",
            "--password-stdin",
        ],
        password,
    );
    assert_eq!(user.code, Some(0), "{user:?}");
    for (name, role) in [("anna", "owner"), ("bob", "viewer")] {
        let body = json!({ "tenant": slug, "username": name, "password": password.trim() });
        let tokens = app.anonymous().post("/api/v1/auth/token/", &body).await.expect(200).json();
        let client = app.anonymous().with_token(tokens["access"].as_str().expect("a token"), None);
        assert_eq!(client.get("/api/v1/auth/me/").await.expect(200).json()["role"], role);
    }
    let again = run(&create, password);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(document(&again)["error"]["message"].is_string());
}

/// Runs a command that must fail with this code, one line or more on stderr and nothing on stdout.
fn fails(arguments: &[&str], input: &str, code: i32) {
    let outcome = run(arguments, input);
    assert_eq!(outcome.code, Some(code), "{arguments:?}: {outcome:?}");
    assert!(!outcome.stderr.is_empty() && !outcome.stderr.contains("panicked"), "{outcome:?}");
    assert_eq!(outcome.stdout, "", "{arguments:?}");
}

#[test]
fn a_weak_password_or_an_unknown_tenant_fails_with_1_and_nothing_is_half_made() {
    let slug = format!("wrong-{}", &new_id().simple().to_string()[20..]);
    let person = ["--username", "a", "--email", "a@example.test", "--password-stdin"];
    let tenant = ["create-tenant", "--slug", &slug, "--admin-username", "anna", "--admin-email"];
    let tenant = [&tenant[..], &["anna@example.test", "--password-stdin"]].concat();
    for password in ["short\n", "\n", ""] {
        fails(&tenant, password, 1);
    }
    let user = [&["create-user", "--tenant", "no-such-tenant"], &person[..]].concat();
    fails(&user, "correct horse battery staple\n", 1);
    let listed = document(&run(&["list-tenants", "--json"], ""));
    assert!(!listed["tenants"].to_string().contains(&slug));
}

#[test]
fn wrong_usage_fails_with_2() {
    let user = ["create-user", "--tenant", "x", "--username", "a", "--email", "a@example.test"];
    fails(
        &["create-tenant", "--slug", "Not A Slug", "--admin-username", "a", "--admin-email", "a@b.c"],
        "",
        2,
    );
    fails(&["create-tenant", "--slug", "sound"], "", 2);
    fails(&[&user[..], &["--role", "king"]].concat(), "", 2);
    fails(&[&user[..], &["--password", "x"]].concat(), "", 2);
    fails(&["no-such-command"], "", 2);
    fails(&[], "", 2);
}

#[test]
fn a_missing_url_fails_with_3_and_a_database_that_is_away_with_4() {
    let with = |name: &str, url: &str| {
        let mut command = binary::command(&["list-tenants"]);
        command.env(name, url);
        binary::run(command, "").code
    };
    let away = "postgresql://bulkhead_platform@127.0.0.1:1/bulkhead";
    assert_eq!(with("BULKHEAD_DATABASE__PLATFORM_URL", away), Some(4));
    let another = "postgresql://bulkhead_app@127.0.0.1:1/bulkhead";
    assert_eq!(with("BULKHEAD_DATABASE__URL", another), Some(3));
}

#[test]
fn config_shows_where_each_value_came_from_and_hides_secrets() {
    let mut command = binary::command(&["config", "--json"]);
    command.env("BULKHEAD_SERVER__PORT", "9001").env("JWT_ISSUER", "somebody").env("REDIS_URL", "redis://x");
    command
        .env("BULKHEAD_AUTH__SIGNING_KEY", "hush-hush-hush")
        .env("DATABASE_URL", "postgresql://u:hush-hush@h/d");
    let outcome = binary::run(command, "");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(!outcome.stdout.contains("hush"), "{}", outcome.stdout);
    let document = document(&outcome);
    let setting = |key: &str| {
        let settings = document["settings"].as_array().expect("settings");
        settings.iter().find(|entry| entry["key"] == key).unwrap_or_else(|| panic!("{key}")).clone()
    };
    assert_eq!(
        (&setting("server.port")["value"], &setting("auth.issuer")["value"]),
        (&json!("9001"), &json!("\"somebody\""))
    );
    assert!(setting("server.port")["from"].to_string().contains("BULKHEAD_SERVER__PORT"));
    assert!(setting("auth.issuer")["from"].to_string().contains("JWT_ISSUER"));
    assert!(document["unused_variables"].to_string().contains("REDIS_URL"));
}

#[tokio::test]
async fn the_test_data_is_made_once_however_often_it_is_asked_for_and_its_tokens_work() {
    let cluster = Cluster::shared();
    let own = OwnDatabase::create(&cluster);
    let scratch = Scratch::new("test-data");
    let (key, file) =
        (scratch.write("key.pem", Key::generate().pem()), scratch.path().join("test_tokens.json"));
    let mut listed = Vec::new();
    for _ in 0..2 {
        let mut command =
            own.command(&["create-test-data", "--json", "--output", &file.display().to_string()]);
        command.env("BULKHEAD_AUTH__SIGNING_KEY_FILE", &key);
        let outcome = binary::run(command, "");
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        listed.push(document(&binary::run(own.command(&["list-tenants", "--json"]), ""))["count"].clone());
    }
    assert_eq!(listed, [json!(2), json!(2)]);
    let mode = std::fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let tokens: Value =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("the file")).expect("JSON");
    assert!(tokens.to_string().contains("acme") && tokens.to_string().contains("beta"));
    let mut production = own.command(&["create-test-data"]);
    production.env("BULKHEAD_ENVIRONMENT", "production");
    assert_ne!(binary::run(production, "").code, Some(0));
    let launch = Launch { urls: own.urls().clone(), key_file: key, settings: Vec::new() };
    let server = launch.start().expect("a server");
    let body = json!({ "tenant": "acme", "username": "acme_user", "password": "testpass123" }).to_string();
    let kind = [("Content-Type".to_owned(), "application/json".to_owned())];
    let request = bulkhead_tests::http::bytes_of("POST", "/api/v1/auth/token/", &kind, Some(body.as_bytes()));
    assert_eq!(
        bulkhead_tests::http::exchange(server.address(), &request).await.expect("an answer").status,
        200
    );
}

#[test]
fn f18_five_migrators_at_once_apply_each_migration_once() {
    let cluster = Cluster::shared();
    let own = OwnDatabase::create_empty(&cluster);
    assert_eq!(
        binary::run(own.command(&["migrate", "--check"]), "").code,
        Some(1),
        "there is something to do"
    );
    let outcomes = std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..5).map(|_| scope.spawn(|| binary::run(own.command(&["migrate", "--json"]), ""))).collect();
        runs.into_iter().map(|run| run.join().expect("a run")).collect::<Vec<_>>()
    });
    let mut applied = Vec::new();
    for outcome in &outcomes {
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        applied.push(document(outcome)["applied"].as_array().expect("a list").len());
    }
    let migrations = std::fs::read_dir(binary::workspace().join("migrations")).expect("the folder").flatten();
    let expected = migrations.filter(|entry| entry.path().is_dir()).count();
    assert_eq!(applied.iter().sum::<usize>(), expected, "{applied:?}");
    assert_eq!(binary::run(own.command(&["migrate", "--check"]), "").code, Some(0));
}

#[test]
fn every_command_explains_itself() {
    for command in [
        "dev",
        "serve",
        "bootstrap",
        "migrate",
        "create-tenant",
        "list-tenants",
        "create-user",
        "create-test-data",
        "openapi",
        "config",
    ] {
        let help = binary::run(binary::command(&[command, "--help"]), "");
        assert!(help.code == Some(0) && help.stdout.contains("Usage:"), "{command}");
        let snake = binary::run(binary::command(&[&command.replace('-', "_"), "--help"]), "");
        assert_eq!(snake.code, Some(0), "{command} in snake case");
    }
}
