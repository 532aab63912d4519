//! The access matrix, generated from the served document: every operation by whoever must not use it. An operation that
//! the table below does not know fails the test, so that nobody can add one without saying what its `{id}` names.

use std::collections::BTreeSet;
use std::time::Duration;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::TestApp;
use bulkhead_tests::binary;
use bulkhead_tests::client::Client;
use bulkhead_tests::contract::Operation;
use bulkhead_tests::database::environment;
use bulkhead_tests::http::Response;
use bulkhead_tests::keys::Key;
use bulkhead_tests::poll::until;
use bulkhead_tests::rows::{Rows, everything_of};
use serde_json::{Value, json};

/// Every operation, and the resource that the `{id}` of its path names.
const OPERATIONS: [(&str, Option<&str>); 31] = [
    ("health_retrieve", None),
    ("health_live_retrieve", None),
    ("health_ready_retrieve", None),
    ("auth_token_create", None),
    ("auth_login_create", None),
    ("auth_token_refresh_create", None),
    ("auth_token_verify_create", None),
    ("auth_me_retrieve", None),
    ("projects_list", None),
    ("projects_create", None),
    ("projects_statistics_retrieve", None),
    ("projects_retrieve", Some("projects")),
    ("projects_update", Some("projects")),
    ("projects_partial_update", Some("projects")),
    ("projects_destroy", Some("projects")),
    ("projects_tasks_list", Some("projects")),
    ("tasks_list", None),
    ("tasks_create", None),
    ("tasks_by_status_list", None),
    ("tasks_by_status_list_2", None),
    ("tasks_retrieve", Some("tasks")),
    ("tasks_update", Some("tasks")),
    ("tasks_partial_update", Some("tasks")),
    ("tasks_destroy", Some("tasks")),
    ("tasks_complete_create", Some("tasks")),
    ("documents_list", None),
    ("documents_create", None),
    ("documents_retrieve", Some("documents")),
    ("documents_update", Some("documents")),
    ("documents_partial_update", Some("documents")),
    ("documents_destroy", Some("documents")),
];

/// Operations that anybody may call: they hand out tokens or say whether one is good, or say how the server is.
const PUBLIC: [&str; 7] = [
    "auth_token_create",
    "auth_login_create",
    "auth_token_refresh_create",
    "auth_token_verify_create",
    "health_retrieve",
    "health_live_retrieve",
    "health_ready_retrieve",
];

/// The operations that ask for a token.
fn protected(app: &TestApp) -> Vec<Operation> {
    app.contract.operations().iter().filter(|known| known.scopes().is_some()).cloned().collect()
}

fn names(operation: &Operation) -> Option<&'static str> {
    OPERATIONS.iter().find(|(id, _)| *id == operation.id).expect("a known operation").1
}

/// A path of an operation, with this id where it takes one.
fn path(operation: &Operation, id: &str) -> String {
    let query = if operation.id.starts_with("tasks_by_status_list") { "?status=todo" } else { "" };
    format!("{}{query}", operation.path.replace("{id}", id))
}

/// A sound body, where the operation takes one. `project` is the project that tasks go to.
fn body(operation: &Operation, project: &str) -> Option<Value> {
    operation.body()?;
    let name = new_id().to_string();
    Some(match operation.path.split('/').nth(3) {
        Some("projects") => json!({ "name": name }),
        Some("tasks") => json!({ "project": project, "title": name }),
        Some("documents") => json!({ "project": project, "name": name }),
        _ => json!({}),
    })
}

async fn call(client: &Client, operation: &Operation, id: &str, project: &str) -> Response {
    client.send(&operation.method, &path(operation, id), body(operation, project).as_ref()).await
}

/// An answer without what differs between any two: their times and ids, and the order of header fields, of which the
/// server keeps a map.
pub(crate) fn comparable(response: &Response) -> (u16, Vec<(String, String)>, String) {
    let varying = ["date", "x-correlation-id", "x-response-time"];
    let headers = response.headers.iter().filter(|(name, _)| !varying.contains(&name.as_str()));
    let mut headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.clone(), sorted(value))).collect();
    headers.sort();
    let id = response.header("x-correlation-id").unwrap_or("-");
    (response.status, headers, response.text().replace(id, ""))
}

/// The members of a list in a header field, in one order.
fn sorted(value: &str) -> String {
    let mut words: Vec<&str> = value.split(", ").collect();
    words.sort_unstable();
    words.join(", ")
}

#[tokio::test]
async fn every_operation_is_in_the_matrix_and_everything_but_log_in_asks_for_a_token() {
    let app = TestApp::start().await;
    let served: BTreeSet<&str> = app.contract.operations().iter().map(|known| known.id.as_str()).collect();
    assert_eq!(
        served,
        OPERATIONS.iter().map(|(id, _)| *id).collect(),
        "left: served, right: the table in this file"
    );
    let public: BTreeSet<&str> = app
        .contract
        .operations()
        .iter()
        .filter(|known| known.scopes().is_none())
        .map(|known| known.id.as_str())
        .collect();
    assert_eq!(public, PUBLIC.into());
    for operation in app.contract.operations() {
        assert_eq!(names(operation).is_some(), operation.path.contains("{id}"), "{}", operation.id);
        let scopes = operation.scopes().unwrap_or_default();
        assert!(
            scopes.len() == 1
                || PUBLIC.contains(&operation.id.as_str())
                || operation.id == "auth_me_retrieve"
        );
    }
}

#[tokio::test]
async fn without_a_sound_token_no_operation_answers() {
    let app = TestApp::start().await;
    let rows = Rows::create(&app.user_of(&app.a).await, &app.a).await;
    let before = everything_of(&app.operator, &app.a).await;
    let scopes = ["read:*", "write:*", "delete:*", "tenant:admin"];
    let sound = app.claims(&app.a, app.a.member.id, &scopes);
    let mut expired = sound.clone();
    expired["exp"] = json!(sound["iat"].as_i64().expect("a number") - 60);
    let tokens = [
        ("garbage", "garbage".to_owned()),
        ("expired", app.key.token(&expired)),
        ("another key's", Key::generate().token(&sound)),
        (
            "another key's with our kid",
            Key::generate().token_of(&app.key.header().to_string(), &sound.to_string()),
        ),
    ];
    for operation in protected(&app) {
        let id = names(&operation).map_or("", |resource| rows.id(resource));
        let refused = call(&app.anonymous(), &operation, id, rows.id("projects")).await;
        let refused = refused.expect_problem(401, "not_authenticated");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"api\""), "{}", operation.id);
        for (what, token) in &tokens {
            let refused = call(&app.with_token(token, &app.a), &operation, id, rows.id("projects")).await;
            let refused = refused.expect_problem(401, "token_not_valid");
            let challenge = refused.header("www-authenticate").expect("a challenge");
            assert_eq!(
                challenge, "Bearer realm=\"api\", error=\"invalid_token\"",
                "{what}: {}",
                operation.id
            );
        }
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before, "nothing happened");
}

#[tokio::test]
async fn a_token_without_the_scope_of_an_operation_gets_403_and_with_only_that_scope_it_gets_in() {
    let app = TestApp::start().await;
    let rows = Rows::create(&app.user_of(&app.a).await, &app.a).await;
    for operation in protected(&app).iter().filter(|known| known.id != "auth_me_retrieve") {
        let scope = operation.scopes().expect("protected").remove(0);
        let (action, resource) = scope.split_once(':').expect("action:resource");
        let others: Vec<String> = ["read", "write", "delete"]
            .into_iter()
            .flat_map(|other| ["projects", "tasks", "documents"].map(|name| format!("{other}:{name}")))
            .filter(|other| *other != scope)
            .chain([
                "tenant:admin".to_owned(),
                format!("{action}:"),
                format!("{action}:{resource}:x"),
                "*".to_owned(),
            ])
            .collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        // A random id, so that nothing is lost where the scope does suffice.
        let id = if operation.method == "DELETE" {
            new_id().to_string()
        } else {
            names(operation).map_or(String::new(), |name| rows.id(name).to_owned())
        };
        let refused = call(&app.scoped(&app.a, &others), operation, &id, rows.id("projects")).await;
        let refused = refused.expect_problem(403, "insufficient_scope");
        let challenge = format!("Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"{scope}\"");
        assert_eq!(refused.header("www-authenticate"), Some(challenge.as_str()));
        let let_in = call(&app.scoped(&app.a, &[&scope]), operation, &id, rows.id("projects")).await;
        let expected = if operation.method == "DELETE" { 404..=404 } else { 200..=204 };
        assert!(expected.contains(&let_in.status), "{}: {let_in}", operation.id);
        assert_eq!(call(&app.scoped(&app.a, &[]), operation, &id, rows.id("projects")).await.status, 403);
    }
}

#[tokio::test]
async fn a_viewer_reads_everything_and_changes_nothing() {
    let app = TestApp::start().await;
    let rows = Rows::create(&app.user_of(&app.a).await, &app.a).await;
    let viewer = app.viewer_of(&app.a).await;
    let before = everything_of(&app.operator, &app.a).await;
    for operation in protected(&app) {
        let id = names(&operation).map_or("", |resource| rows.id(resource));
        let answer = call(&viewer, &operation, id, rows.id("projects")).await;
        let expected = if operation.method == "GET" { 200 } else { 403 };
        assert_eq!(answer.status, expected, "{}: {answer}", operation.id);
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
}

#[tokio::test]
async fn another_tenants_row_is_answered_byte_for_byte_like_a_row_that_does_not_exist() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.owner_of(&app.a).await, app.owner_of(&app.b).await);
    let own = Rows::create(&of_a, &app.a).await;
    let foreign = Rows::create(&of_b, &app.b).await;
    let before = everything_of(&app.operator, &app.b).await;
    for operation in protected(&app) {
        let Some(resource) = names(&operation) else { continue };
        let random = new_id().to_string();
        // The same body in both, or their lengths would differ.
        let body = body(&operation, own.id("projects"));
        let send = async |id: &str| of_a.send(&operation.method, &path(&operation, id), body.as_ref()).await;
        let (known, unknown) = (send(foreign.id(resource)).await, send(&random).await);
        assert_eq!(known.status, 404, "{}: {known}", operation.id);
        assert_eq!(comparable(&known), comparable(&unknown), "{}", operation.id);
        let upper = send(&foreign.id(resource).to_uppercase()).await;
        assert_eq!(comparable(&upper), comparable(&unknown), "{}", operation.id);
        // Preconditions must not tell either.
        for header in ["If-Match", "If-None-Match"] {
            let of_a = of_a.with_header(header, "\"1.AAAAAAAAAAA\"");
            let send =
                async |id: &str| of_a.send(&operation.method, &path(&operation, id), body.as_ref()).await;
            let (known, unknown) = (send(foreign.id(resource)).await, send(&random).await);
            assert_eq!(comparable(&known), comparable(&unknown), "{} {header}", operation.id);
        }
    }
    assert_eq!(everything_of(&app.operator, &app.b).await, before, "nothing of B changed");
}

#[tokio::test]
async fn tokens_of_a_suspended_tenant_are_refused_by_every_operation_within_moments() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.owner_of(&app.a).await, app.owner_of(&app.b).await);
    let rows = Rows::create(&of_a, &app.a).await;
    let mut command = binary::command(&["suspend-tenant", "--tenant", &app.a.slug]);
    command.envs(environment(&app.urls));
    let suspended = binary::run(command, "");
    assert_eq!(suspended.code, Some(0), "{suspended:?}");
    until("the tokens to die", Duration::from_secs(5), async || {
        (of_a.get("/api/v1/projects/").await.status == 401).then_some(())
    })
    .await;
    for operation in protected(&app) {
        let id = names(&operation).map_or("", |resource| rows.id(resource));
        let refused = call(&of_a, &operation, id, rows.id("projects")).await;
        let _ = refused.expect_problem(401, "token_not_valid");
    }
    assert_eq!(of_b.get("/api/v1/projects/").await.status, 200, "another tenant does not notice");
}
