//! Signing keys that change while servers run (TOK-6): nobody is logged out, and nothing is restarted. Ages of keys are
//! set, not waited for.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use bulkhead_tests::app::{Launch, Options, TestApp};
use bulkhead_tests::binary::{self, Outcome};
use bulkhead_tests::client::Client;
use bulkhead_tests::keys::{Key, kid_of};
use bulkhead_tests::poll::until;
use bulkhead_tests::scratch::Scratch;
use bulkhead_tests::server::Server;
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(60 * 60);
/// Servers look every second; the rest is for a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// The file of the next or the previous key.
fn file(app: &TestApp, state: &str) -> PathBuf {
    app.launch.key_file.with_file_name(format!("key.{state}.pem"))
}

fn age(app: &TestApp, state: &str, age: Duration) {
    let time = bulkhead_domain::clock::now() - age;
    File::open(file(app, state)).and_then(|file| file.set_modified(time.into())).expect("set the time");
}

fn rotate(app: &TestApp, arguments: &[&str]) -> Outcome {
    let mut command = binary::command(&["rotate-signing-key", "--json"]);
    command.args(arguments).env("BULKHEAD_AUTH__SIGNING_KEY_FILE", &app.launch.key_file);
    binary::run(command, "")
}

/// Rotates, which must work, and returns the id of the key that signs now.
fn rotated(app: &TestApp, arguments: &[&str]) -> String {
    let outcome = rotate(app, arguments);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    kid(&document(&outcome), "current").expect("a current key")
}

fn document(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

fn kid(document: &Value, state: &str) -> Option<String> {
    let keys = document["keys"].as_array().expect("keys");
    let key = keys.iter().find(|key| key["state"] == state)?;
    Some(key["kid"].as_str().expect("a key id").to_owned())
}

/// Waits until the server signs with this key, and returns a reply to a log-in.
async fn signs_with(app: &TestApp, kid: &str) -> Value {
    until("the server to sign with the new key", PATIENCE, async || {
        let tokens = app.tokens_of(&app.a, &app.a.member).await;
        (kid_of(&text(&tokens["access"])) == kid).then_some(tokens)
    })
    .await
}

async fn status(app: &TestApp, token: &str) -> u16 {
    app.with_token(token, &app.a).get("/api/v1/projects/").await.status
}

async fn becomes(app: &TestApp, token: &str, wanted: u16) {
    until("the token's fate to change", PATIENCE, async || {
        (status(app, token).await == wanted).then_some(())
    })
    .await;
}

async fn refreshed(client: &Client, token: &str) -> String {
    let reply = client.post("/api/v1/auth/token/refresh/", &json!({ "refresh": token })).await;
    text(&reply.expect(200).json()["refresh"])
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Another server on the same database, with a key file of its own.
async fn another_server(app: &TestApp, key_file: PathBuf) -> Server {
    let launch = Launch { key_file, ..app.launch.clone() };
    let started = tokio::task::spawn_blocking(move || launch.start()).await.expect("starting does not panic");
    started.unwrap_or_else(|(status, output)| panic!("{status}: {output}"))
}

#[tokio::test]
async fn tok_6_a_rotation_on_a_running_server_ends_neither_tokens_nor_sessions() {
    let app = TestApp::start().await;
    let before = app.tokens_of(&app.a, &app.a.member).await;
    let access = text(&before["access"]);
    assert_eq!(kid_of(&access), app.key.kid());
    assert_eq!(rotated(&app, &[]), app.key.kid(), "the first run publishes and changes nothing else");
    age(&app, "next", HOUR);
    let new = rotated(&app, &[]);
    assert_ne!(new, app.key.kid());
    let after = signs_with(&app, &new).await;
    assert_eq!(status(&app, &text(&after["access"])).await, 200);
    assert_eq!(status(&app, &access).await, 200, "a token of the key before");
    let next = refreshed(&app.anonymous(), &text(&before["refresh"])).await;
    let _ = refreshed(&app.anonymous(), &next).await;
    let me = app.with_token(&access, &app.a).get("/api/v1/auth/me/").await;
    assert_eq!(me.status, 200, "also after the session went on");
}

#[tokio::test]
async fn tok_6_a_key_is_accepted_from_before_it_signs_until_its_file_is_gone() {
    let app = TestApp::start().await;
    for state in ["next", "previous"] {
        let other = Key::generate();
        let token = other.token(&app.claims(&app.a, app.a.member.id, &["read:*"]));
        assert_eq!(status(&app, &token).await, 401);
        fs::write(file(&app, state), other.pem()).expect("publish");
        becomes(&app, &token, 200).await;
        assert_eq!(kid_of(&text(&app.tokens_of(&app.a, &app.a.member).await["access"])), app.key.kid());
        fs::remove_file(file(&app, state)).expect("remove");
        becomes(&app, &token, 401).await;
    }
}

#[tokio::test]
async fn tok_6_a_key_from_two_rotations_ago_is_refused_and_its_sessions_go_on() {
    let app = TestApp::start().await;
    let before = app.tokens_of(&app.a, &app.a.member).await;
    for _ in 0..2 {
        let _ = rotated(&app, &["--force"]);
    }
    let access = text(&before["access"]);
    assert_eq!(status(&app, &access).await, 200, "it has only retired");
    let new = rotated(&app, &["--force"]);
    becomes(&app, &access, 401).await;
    let after = signs_with(&app, &new).await;
    assert_eq!(status(&app, &text(&after["access"])).await, 200);
    let _ = refreshed(&app.anonymous(), &text(&before["refresh"])).await;
}

#[tokio::test]
async fn a_ring_that_cannot_be_read_is_logged_once_and_the_server_goes_on() {
    let app = TestApp::start().await;
    let access = text(&app.tokens_of(&app.a, &app.a.member).await["access"]);
    let logged = |words: &str| app.server.output().matches(words).count();
    let complaint = "the signing keys cannot be read; those in use stay";
    let another_algorithm = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMRExVtpezJpGVA7rAMcrn9g\n\
                             -----END PRIVATE KEY-----\n";
    let mut complaints = 0;
    for wrong in ["half a k", another_algorithm] {
        fs::write(file(&app, "next"), wrong).expect("break it");
        complaints += 1;
        until("a complaint", PATIENCE, async || (logged(complaint) == complaints).then_some(())).await;
        assert_eq!(status(&app, &access).await, 200);
        assert!(!app.server.output().contains(wrong.lines().last().expect("a line")));
    }
    fs::rename(&app.launch.key_file, file(&app, "away")).expect("take it away");
    fs::remove_file(file(&app, "next")).expect("remove");
    complaints += 1;
    until("a complaint", PATIENCE, async || (logged(complaint) == complaints).then_some(())).await;
    let _ = app.tokens_of(&app.a, &app.a.member).await;
    fs::rename(file(&app, "away"), &app.launch.key_file).expect("bring it back");
    until("relief", PATIENCE, async || (logged("can be read again") == 1).then_some(())).await;
    assert_eq!(logged(complaint), complaints, "each fault once");
    assert_eq!(kid_of(&text(&app.tokens_of(&app.a, &app.a.member).await["access"])), app.key.kid());
}

#[tokio::test]
async fn a_rotation_that_comes_too_early_fails_with_1_and_changes_nothing() {
    let app = TestApp::start().await;
    let contents = || {
        let files = [file(&app, "next"), app.launch.key_file.clone(), file(&app, "previous")];
        files.map(|file| fs::read(file).unwrap_or_default())
    };
    let _ = rotated(&app, &[]);
    let refused = |word: &str| {
        let before = contents();
        let outcome = rotate(&app, &[]);
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(document(&outcome)["error"]["message"].as_str().expect("a message").contains(word));
        assert!(outcome.stderr.contains("--force"), "{outcome:?}");
        assert_eq!(contents(), before);
    };
    refused("next key");
    age(&app, "next", HOUR);
    let _ = rotated(&app, &[]);
    age(&app, "next", HOUR);
    refused("previous key");
    age(&app, "previous", 25 * HOUR);
    let _ = rotated(&app, &[]);
}

#[tokio::test]
async fn the_status_shows_the_keys_and_no_secrets_and_changes_nothing() {
    let app = TestApp::start().await;
    assert_eq!(kid(&document(&rotate(&app, &["--status"])), "next"), None);
    assert!(!file(&app, "next").exists());
    let _ = rotated(&app, &[]);
    let shown = rotate(&app, &["--status"]);
    assert_eq!((shown.code, kid(&document(&shown), "current")), (Some(0), Some(app.key.kid())));
    assert_eq!(document(&shown)["action"], "none");
    let secrets = [app.key.pem().to_owned(), fs::read_to_string(file(&app, "next")).expect("a key")];
    for secret in secrets.iter().flat_map(|pem| pem.lines()) {
        assert!(!format!("{shown:?}").contains(secret), "{shown:?}");
    }
}

#[test]
fn a_key_of_the_environment_cannot_be_rotated_which_fails_with_3() {
    let mut command = binary::command(&["rotate-signing-key"]);
    command.env("BULKHEAD_AUTH__SIGNING_KEY", Key::generate().pem());
    let outcome = binary::run(command, "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(3), ""));
    assert!(outcome.stderr.contains("BULKHEAD_AUTH__SIGNING_KEY_FILE"), "{outcome:?}");
}

#[tokio::test]
async fn two_tabs_that_refresh_across_a_rotation_end_up_with_one_token() {
    let app = Options::default().set("auth.refresh_grace_seconds", 60).start().await;
    let _ = rotated(&app, &[]);
    age(&app, "next", HOUR);
    // A server that has not heard of the rotation yet: its files are those from before.
    let late = Scratch::new("late");
    let copies = ["next.pem", "pem"].map(|name| {
        let from = app.launch.key_file.with_extension(name);
        late.write(&format!("key.{name}"), &fs::read_to_string(from).expect("a key"))
    });
    let late_server = another_server(&app, copies[1].clone()).await;
    let late_client = app.anonymous_at(&late_server);
    let sessions = [app.tokens_of(&app.a, &app.a.member).await, app.tokens_of(&app.a, &app.a.member).await];
    let [early, later] = sessions.map(|tokens| text(&tokens["refresh"]));

    // One tab before the rotation, the other one after it.
    let first = refreshed(&app.anonymous(), &early).await;
    let _ = signs_with(&app, &rotated(&app, &[])).await;
    let second = refreshed(&app.anonymous(), &early).await;
    // One tab at a server that knows of the rotation, the other one at a server that does not; and a lost reply.
    let third = refreshed(&app.anonymous(), &later).await;
    let fourth = refreshed(&late_client, &later).await;
    let fifth = refreshed(&app.anonymous(), &later).await;

    assert!(first == second && third == fourth && fourth == fifth, "each session has one current token");
    for token in [first, third] {
        let next = refreshed(&late_client, &token).await;
        let _ = refreshed(&app.anonymous(), &next).await;
    }
}
