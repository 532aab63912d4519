//! Rotation of a client's secrets: an overlap in which both work, and an end of the old one that nobody overlooks.

use std::time::Duration;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::TestApp;
use bulkhead_tests::client::Client;
use bulkhead_tests::keys::claims_of;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::poll::until;
use bulkhead_tests::rows::{everything_of, id};
use futures_util::future::join_all;
use serde_json::{Value, json};

async fn secrets_of(owner: &Client, machine: &Machine) -> Vec<Value> {
    let secrets = owner.get(&machine.path("secrets/")).await.expect(200).json();
    secrets.as_array().expect("secrets").clone()
}

fn live(secrets: &[Value]) -> Vec<&str> {
    secrets.iter().filter(|secret| secret["retired_at"].is_null()).map(id).collect()
}

/// Sets when a secret ends, or when it was last used, behind the server's back.
async fn set(app: &TestApp, secret: &str, column: &str, interval: &str) {
    let update = format!(
        "update bulkhead.api_client_secrets set {column} = now() + interval '{interval}' where id = $1::text::uuid"
    );
    assert_eq!(app.operator.execute(&update, &[&secret]).await.expect("change a secret"), 1);
}

/// Waits until it is written down that a secret was used.
async fn used(owner: &Client, machine: &Machine, secret: &str) {
    until("the use of a secret to be written down", Duration::from_secs(10), async || {
        let secrets = secrets_of(owner, machine).await;
        let found = secrets.iter().find(|known| id(known) == secret).expect("the secret");
        (!found["last_used_at"].is_null()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn both_secrets_work_during_the_overlap_and_only_the_new_one_after_it() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let old = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let (rotated, new) = old.rotate(&owner, &json!({ "overlap_seconds": 3600 })).await;
    let secrets = secrets_of(&owner, &old).await;
    assert_eq!((&rotated["secrets"], &rotated["id"]), (&json!(secrets), &secrets[0]["id"]), "newest first");
    assert_eq!(secrets[0]["expires_at"], Value::Null);
    assert!(secrets[1]["expires_at"].is_string() && secrets[1]["retired_at"].is_null());
    assert!(new.secret.ends_with(secrets[0]["hint"].as_str().expect("a hint")));
    assert!(old.secret.ends_with(secrets[1]["hint"].as_str().expect("a hint")));
    assert!(old.gets_token(&app).await && new.gets_token(&app).await);
    let refresh = json!({ "refresh": old.session(&app).await["refresh"] });
    set(&app, id(&secrets[1]), "expires_at", "-1 second").await;
    assert!(!old.gets_token(&app).await && new.gets_token(&app).await);
    let refused = app.anonymous().post("/api/v1/auth/api-client/token/refresh/", &refresh).await;
    let _ = refused.expect_problem(401, "token_not_valid");
}

#[tokio::test]
async fn a_token_from_before_the_rotation_ends_with_its_secret() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let old = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let at_work = old.at_work(&app, &app.a).await;
    let (_, new) = old.rotate(&owner, &json!({ "overlap_seconds": 2 })).await;
    let at_work_anew = new.at_work(&app, &app.a).await;
    until("the overlap to end", Duration::from_secs(20), async || {
        (at_work.get("/api/v1/projects/").await.status == 401).then_some(())
    })
    .await;
    assert!(!old.gets_token(&app).await, "the secret ended no later than its token");
    assert_eq!(at_work_anew.get("/api/v1/projects/").await.status, 200);
}

#[tokio::test]
async fn without_an_overlap_the_old_secret_ends_at_once_with_its_tokens_and_sessions() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let old = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let at_work = old.at_work(&app, &app.a).await;
    let refresh = json!({ "refresh": old.session(&app).await["refresh"] });
    assert_eq!(at_work.get("/api/v1/projects/").await.status, 200);
    let (_, new) = old.rotate(&owner, &json!({ "overlap_seconds": 0 })).await;
    let _ = at_work.get("/api/v1/projects/").await.expect_problem(401, "token_not_valid");
    let refused = app.anonymous().post("/api/v1/auth/api-client/token/refresh/", &refresh).await;
    let _ = refused.expect_problem(401, "token_not_valid");
    assert!(!old.gets_token(&app).await && new.gets_token(&app).await);
    assert_eq!(live(&secrets_of(&owner, &old).await).len(), 1);
}

#[tokio::test]
async fn whoever_still_uses_the_old_secret_is_told_when_it_ends_and_seen() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let old = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let (_, new) = old.rotate(&owner, &json!({ "overlap_seconds": 3600 })).await;
    let secrets = secrets_of(&owner, &old).await;
    let end = secrets[1]["expires_at"].as_str().expect("an end").to_owned();

    let token = old.ask(&app.anonymous(), None).await.expect(200);
    let told = token.header("x-client-secret-expires").expect("a warning").to_owned();
    assert_eq!(told[..19], end[..19], "to the second");
    let claims = claims_of(token.json()["access_token"].as_str().expect("a token"));
    assert_eq!(claims["secret_id"], secrets[1]["id"]);
    let request = old.at_work(&app, &app.a).await.get("/api/v1/projects/").await.expect(200);
    assert_eq!(request.header("x-client-secret-expires"), Some(told.as_str()));
    let line = app.log_of(&request).await.to_string();
    assert!(line.contains("\"secret_ends\"") && line.contains(id(&secrets[1])), "{line}");

    let quiet = new.ask(&app.anonymous(), None).await.expect(200);
    assert_eq!(quiet.header("x-client-secret-expires"), None);
    let quiet = new.at_work(&app, &app.a).await.get("/api/v1/projects/").await.expect(200);
    assert_eq!(quiet.header("x-client-secret-expires"), None);
    let line = app.log_of(&quiet).await.to_string();
    assert!(!line.contains("\"secret_ends\"") && line.contains(id(&secrets[0])), "{line}");

    let usage = until("the use of both to be written down", Duration::from_secs(10), async || {
        let usage = owner.get(&old.path("usage/")).await.expect(200).json();
        (usage["requests"] == 2).then_some(usage)
    })
    .await;
    let hours = usage["hours"].as_array().expect("hours");
    for secret in &secrets {
        let of_secret = hours.iter().filter(|hour| hour["secret"] == secret["id"]);
        assert_eq!(of_secret.map(|hour| hour["requests"].as_i64().expect("a number")).sum::<i64>(), 1);
    }
    for secret in usage["secrets"].as_array().expect("secrets") {
        assert!(secret["last_used_at"].is_string(), "{secret}");
    }
}

#[tokio::test]
async fn a_secret_in_use_and_the_only_one_are_retired_by_force_alone() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let old = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let only = id(&secrets_of(&owner, &old).await[0]).to_owned();
    let retire = async |secret: &str, force: bool| {
        owner.post(&old.path("retire-secret/"), &json!({ "secret": secret, "force": force })).await
    };
    let _ = retire(&only, false).await.expect_problem(409, "secret_in_use");
    let (_, new) = old.rotate(&owner, &json!({})).await;
    let (of_old, of_new) = (old.at_work(&app, &app.a).await, new.at_work(&app, &app.a).await);
    used(&owner, &old, &only).await;
    let before = everything_of(&app.operator, &app.a).await;
    let _ = retire(&only, false).await.expect_problem(409, "secret_in_use");
    for unknown in [new_id().to_string(), app.a.id.to_string()] {
        let _ = retire(&unknown, true).await.expect_problem(404, "not_found");
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
    assert_eq!(of_old.get("/api/v1/projects/").await.status, 200);
    let retired = retire(&only, true).await.expect(200).json();
    assert_eq!(live(retired.as_array().expect("secrets")).len(), 1);
    let _ = of_old.get("/api/v1/projects/").await.expect_problem(401, "token_not_valid");
    assert_eq!(of_new.get("/api/v1/projects/").await.status, 200, "the other secret's tokens live on");
    assert!(!old.gets_token(&app).await && new.gets_token(&app).await);
    let _ = retire(&only, true).await.expect_problem(404, "not_found");
    let last = id(&secrets_of(&owner, &old).await[0]).to_owned();
    assert_eq!(retire(&last, true).await.status, 200, "even the only one");
    assert!(!new.gets_token(&app).await);
}

#[tokio::test]
async fn a_secret_that_was_not_used_for_a_day_is_retired_without_force() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let old = Machine::create(&owner, json!({})).await;
    let (_, new) = old.rotate(&owner, &json!({})).await;
    let first = id(&secrets_of(&owner, &old).await[1]).to_owned();
    let body = json!({ "secret": first });
    set(&app, &first, "last_used_at", "-23 hours").await;
    let refused = owner.post(&old.path("retire-secret/"), &body).await;
    let _ = refused.expect_problem(409, "secret_in_use");
    set(&app, &first, "last_used_at", "-25 hours").await;
    assert_eq!(owner.post(&old.path("retire-secret/"), &body).await.status, 200);
    assert!(!old.gets_token(&app).await && new.gets_token(&app).await);
}

#[tokio::test]
async fn what_a_rotation_may_be_told_is_bounded_and_a_secret_can_end_by_itself() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({})).await;
    let before = everything_of(&app.operator, &app.a).await;
    let too_long = 90 * 86_400 + 1;
    for (member, value) in [
        ("overlap_seconds", json!(-1)),
        ("overlap_seconds", json!(too_long)),
        ("overlap_seconds", json!("soon")),
        ("overlap_seconds", json!(i64::MAX)),
        ("expires_in_seconds", json!(-1)),
        ("expires_in_seconds", json!(0)),
        ("expires_in_seconds", json!(1.5)),
        ("expires_in_seconds", json!(i64::MAX)),
    ] {
        let refused = owner.post(&machine.path("secrets/"), &json!({ member: value })).await;
        let problem = refused.expect_problem(400, "invalid").json();
        assert!(problem["errors"][member].is_array(), "{problem}");
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
    let (rotated, new) = machine.rotate(&owner, &json!({ "expires_in_seconds": 120 })).await;
    let token = new.ask(&app.anonymous(), None).await.expect(200);
    assert!(token.header("x-client-secret-expires").is_some());
    assert!(token.json()["expires_in"].as_i64().expect("a number") <= 120, "no token outlives its secret");
    set(&app, id(&rotated), "expires_at", "-1 second").await;
    assert!(!new.gets_token(&app).await && machine.gets_token(&app).await);
}

#[tokio::test]
async fn a_client_has_ten_live_secrets_at_the_most() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({})).await;
    for _ in 0..9 {
        let _ = machine.rotate(&owner, &json!({ "overlap_seconds": 600 })).await;
    }
    let before = everything_of(&app.operator, &app.a).await;
    let refused = owner.post(&machine.path("secrets/"), &json!({ "overlap_seconds": 600 })).await;
    let _ = refused.expect_problem(409, "conflict");
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
    let first = id(&secrets_of(&owner, &machine).await[9]).to_owned();
    set(&app, &first, "expires_at", "-1 second").await;
    assert!(machine.rotate(&owner, &json!({ "overlap_seconds": 600 })).await.1.gets_token(&app).await);
    let (_, last) = machine.rotate(&owner, &json!({ "overlap_seconds": 0 })).await;
    assert!(last.gets_token(&app).await, "a rotation that ends the others is never one too many");
}

/// Twenty rotations at once: the machines with the secrets that they gave.
async fn twenty(owner: &Client, machine: &Machine, body: &Value) -> Vec<Machine> {
    let path = machine.path("secrets/");
    let answers = join_all((0..20).map(|_| owner.post(&path, body))).await;
    let mut rotated = Vec::new();
    for answer in answers {
        if answer.status == 201 {
            rotated.push(machine.with_secret(answer.json()["client_secret"].as_str().expect("a secret")));
        } else {
            let _ = answer.expect_problem(409, "conflict");
        }
    }
    rotated
}

#[tokio::test]
async fn rotations_at_once_happen_one_after_the_other() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({})).await;
    let rotated = twenty(&owner, &machine, &json!({ "overlap_seconds": 600 })).await;
    assert!((1..=9).contains(&rotated.len()), "{}", rotated.len());
    assert_eq!(live(&secrets_of(&owner, &machine).await).len(), rotated.len() + 1);
    for given in rotated.iter().chain([&machine]) {
        assert!(given.gets_token(&app).await, "every secret that was given is good");
    }
    let rotated = twenty(&owner, &machine, &json!({ "overlap_seconds": 0 })).await;
    assert_eq!(live(&secrets_of(&owner, &machine).await).len(), 1);
    let mut good = 0;
    for given in &rotated {
        good += usize::from(given.gets_token(&app).await);
    }
    assert_eq!(good, 1, "of {}", rotated.len());
    assert!(!machine.gets_token(&app).await);
}
