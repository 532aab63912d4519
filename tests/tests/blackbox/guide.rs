//! The examples of `API_CLIENT_AUTH.md`, taken from it and run: what they print, what they changed, and how many tokens
//! they fetched. Rust is in `guide_rust`.

use std::collections::HashSet;
use std::time::Duration;

use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::binary::Outcome;
use bulkhead_tests::front::Front;
use bulkhead_tests::guide::{self, Example};
use bulkhead_tests::http::Response;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::poll::until;
use bulkhead_tests::runtimes::{self, Missing};
use serde_json::json;

/// The examples that take somebody else's token apart.
const VERIFYING: &str = "verify-";

/// Runs an example as a new client of tenant A that may write.
async fn run(
    front: &Front,
    app: &TestApp,
    example: &Example,
    more: &str,
) -> Result<(Machine, Outcome), Missing> {
    let runtime = runtimes::find(&example.runtime)?;
    let machine = Machine::create(
        &app.owner_of(&app.a).await,
        json!({ "name": example.name, "roles": ["write"], "scopes": [] }),
    )
    .await;
    let mut variables = machine.environment(&front.url());
    let token = app.user_of(&app.a).await.token().to_owned();
    variables.push(("TOKEN".to_owned(), token));
    let outcome = runtime.run(&format!("{}{more}", example.code), &variables).await;
    assert_eq!(outcome.code, Some(0), "{}: {}\n{}", example.name, outcome.stdout, outcome.stderr);
    Ok((machine, outcome))
}

/// How many tokens a client got, once there are `enough` of them.
async fn tokens_of(app: &TestApp, machine: &Machine, enough: usize) -> usize {
    until("attempts that are written down", Duration::from_secs(10), async || {
        let attempts = machine.attempts(&app.owner_of(&app.a).await).await;
        assert!(attempts.iter().all(|attempt| attempt["outcome"] == "granted"), "{attempts:?}");
        (attempts.len() >= enough).then_some(attempts.len())
    })
    .await
}

/// The project that an example made is there, once, and it is the one that it told of; one token was enough.
async fn check(app: &TestApp, example: &Example, machine: &Machine, outcome: &Outcome) {
    if example.name.starts_with(VERIFYING) {
        let expected = format!("tenant {} may read:* write:* delete:*\n", app.a.id);
        assert_eq!(outcome.stdout, expected, "{}", example.name);
        return;
    }
    let target = format!("/api/v1/projects/?name=Made%20by%20{}", example.name);
    let found = app.user_of(&app.a).await.get(&target).await.expect(200).json();
    assert_eq!(found["count"], 1, "{}: {found}", example.name);
    let id = found["results"][0]["id"].as_str().unwrap();
    assert!(outcome.stdout.contains(id), "{}: {}", example.name, outcome.stdout);
    assert_eq!(tokens_of(app, machine, 1).await, 1, "{}: one token is enough", example.name);
}

#[tokio::test]
async fn every_example_ran_or_is_named_as_missing() {
    let (front, app) = Front::start(Options::default()).await;
    let examples = guide::examples();
    let names: HashSet<&str> = examples.iter().map(|example| example.name.as_str()).collect();
    assert_eq!(names.len(), examples.len(), "names are unique");
    assert!(examples.len() >= 10, "the guide has lost examples: {names:?}");
    let mut ran = Vec::new();
    for example in &examples {
        match run(&front, &app, example, "").await {
            Ok((machine, outcome)) => {
                check(&app, example, &machine, &outcome).await;
                ran.push(&example.name);
            }
            Err(Missing { why, is_excused }) => {
                let sentence = format!("NOT RUN: the example {} of API_CLIENT_AUTH.md: {why}", example.name);
                assert!(is_excused, "{sentence}");
                eprintln!("{sentence}");
            }
        }
    }
    eprintln!("ran: {ran:?}");
    assert!(app.user_of(&app.b).await.get("/api/v1/projects/").await.json()["count"] == 0, "nothing in B");
}

/// The example, with a program after it that revokes its own token and goes on.
async fn survives_revocation(name: &str, more: &str) {
    let (front, app) = Front::start(Options::default()).await;
    match run(&front, &app, &guide::example(name), more).await {
        Ok((machine, outcome)) => {
            assert!(outcome.stdout.ends_with("again 1\n"), "{}", outcome.stdout);
            assert_eq!(tokens_of(&app, &machine, 3).await, 3, "two tokens, and one proof for revoking");
        }
        Err(missing) => eprintln!("NOT RUN: {name} with a revoked token: {}", missing.why),
    }
}

#[tokio::test]
async fn the_requests_example_fetches_another_token_when_its_own_was_revoked() {
    let more = r#"
token = api.session.headers["Authorization"].split()[1]
requests.post(f"{api.url}/oauth/revoke", auth=api.credentials, data={"token": token}).raise_for_status()
print("again", api.request("GET", "/api/v1/projects/")["count"])
"#;
    survives_revocation("requests", more).await;
}

#[tokio::test]
async fn the_fetch_example_fetches_one_other_token_for_many_requests_when_its_own_was_revoked() {
    let more = r#"
const [id, secret] = [CLIENT_ID, CLIENT_SECRET];
const ask = (path, form) => fetch(BULKHEAD_URL + path, { method: "POST", body: new URLSearchParams({ client_id: id, client_secret: secret, ...form }) });
const realFetch = globalThis.fetch;
let seen;
globalThis.fetch = (url, init) => { seen ??= init.headers.Authorization; return realFetch(url, init); };
await api.request("GET", "/api/v1/projects/");
globalThis.fetch = realFetch;
if (!(await ask("/oauth/revoke", { token: seen.split(" ")[1] })).ok) throw new Error("not revoked");
const counts = await Promise.all([1, 2, 3, 4].map(async () => (await api.request("GET", "/api/v1/projects/")).count));
console.log("again", Math.max(...counts));
"#;
    survives_revocation("fetch", more).await;
}

#[tokio::test]
async fn rotating_a_secret_as_the_guide_says_leaves_no_moment_without_a_good_one() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(
        &app.owner_of(&app.a).await,
        json!({ "name": "rotated", "roles": ["read"], "scopes": [] }),
    )
    .await;
    let path = format!("/api/v1/api-clients/{}", machine.id);
    let rotated = owner.post(&format!("{path}/secrets/"), &json!({ "overlap_seconds": 604_800 })).await;
    let rotated = rotated.expect(201).json();
    let new = rotated["client_secret"].as_str().unwrap();

    let old = token(&app, &machine, &machine.secret).await.expect(200);
    assert!(old.header("x-client-secret-expires").is_some(), "the old one says that it ends: {old}");
    let old_token = old.json()["access_token"].as_str().unwrap().to_owned();
    let called = app.with_token(&old_token, &app.a).get("/api/v1/projects/").await.expect(200);
    assert!(called.header("x-client-secret-expires").is_some(), "calls with its token say so too: {called}");
    assert!(token(&app, &machine, new).await.expect(200).header("x-client-secret-expires").is_none());

    let secrets = until("the last use of the old one", Duration::from_secs(10), async || {
        let secrets = owner.get(&format!("{path}/secrets/")).await.expect(200).json();
        (!secrets[1]["last_used_at"].is_null()).then_some(secrets)
    });
    let old_id = secrets.await[1]["id"].clone();
    let retire = format!("{path}/retire-secret/");
    let _ = owner.post(&retire, &json!({ "secret": old_id })).await.expect_problem(409, "secret_in_use");
    let _ = owner.post(&retire, &json!({ "secret": old_id, "force": true })).await.expect(200);
    assert_eq!(token(&app, &machine, &machine.secret).await.expect(401).json()["error"], "invalid_client");

    // It has leaked: everything that it gave ends with it.
    let given = token(&app, &machine, new).await.expect(200).json();
    let _ = owner.post(&format!("{path}/secrets/"), &json!({ "overlap_seconds": 0 })).await.expect(201);
    let _ = token(&app, &machine, new).await.expect(401);
    let leaked = app.with_token(given["access_token"].as_str().unwrap(), &app.a);
    let _ = leaked.get("/api/v1/projects/").await.expect_problem(401, "token_not_valid");
}

/// Asks for a token with this secret.
async fn token(app: &TestApp, machine: &Machine, secret: &str) -> Response {
    let form =
        format!("grant_type=client_credentials&client_id={}&client_secret={secret}", machine.client_id);
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    app.anonymous().raw("POST", "/oauth/token", &kind, Some(form.as_bytes())).await
}
