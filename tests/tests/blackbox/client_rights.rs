//! What a client may do: its roles narrowed by its scopes, and never more than whoever made it so (CLI-6).

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::TestApp;
use bulkhead_tests::client::Client;
use bulkhead_tests::machine::{CLIENTS, Machine};
use bulkhead_tests::rows::everything_of;
use serde_json::{Value, json};

/// One request for each of these scopes: which of them are let in.
async fn allowed(client: &Client) -> Vec<&'static str> {
    let random = format!("/api/v1/projects/{}/", new_id());
    let project = json!({ "name": new_id() });
    let tries = [
        ("read:projects", client.get("/api/v1/projects/").await),
        ("read:tasks", client.get("/api/v1/tasks/").await),
        ("write:projects", client.post("/api/v1/projects/", &project).await),
        ("delete:projects", client.delete(&random).await),
        ("tenant:admin", client.get(CLIENTS).await),
    ];
    let let_in = tries.into_iter().filter(|(scope, answer)| {
        assert!([200, 201, 403, 404].contains(&answer.status), "{scope}: {answer}");
        answer.status != 403
    });
    let_in.map(|(scope, _)| scope).collect()
}

/// Roles, scopes, and what they allow together.
const CASES: [(&[&str], &[&str], &[&str]); 14] = [
    (&[], &[], &[]),
    (&["read"], &[], &["read:projects", "read:tasks"]),
    (&["write"], &[], &["read:projects", "read:tasks", "write:projects", "delete:projects"]),
    (&["admin"], &[], &["read:projects", "read:tasks", "write:projects", "delete:projects", "tenant:admin"]),
    (&[], &["read:projects"], &["read:projects"]),
    (&[], &["read:*"], &["read:projects", "read:tasks"]),
    (&[], &["tenant:admin"], &["tenant:admin"]),
    (&[], &["admin"], &["tenant:admin"]),
    (&["read"], &["write:projects"], &[]),
    (&["write"], &["read:*"], &["read:projects", "read:tasks"]),
    (&["write"], &["read:projects", "delete:*"], &["read:projects", "delete:projects"]),
    (&["read", "write"], &["write:projects"], &["write:projects"]),
    (&["admin"], &["tenant:admin", "read:tasks"], &["read:tasks", "tenant:admin"]),
    (&["read", "admin"], &["read:*", "write:*"], &["read:projects", "read:tasks", "write:projects"]),
];

#[tokio::test]
async fn rights_are_the_roles_narrowed_by_the_scopes() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    for (roles, scopes, expected) in CASES {
        let machine = Machine::create(&owner, json!({ "roles": roles, "scopes": scopes })).await;
        let found = allowed(&machine.at_work(&app, &app.a).await).await;
        assert_eq!(found, expected, "{roles:?} {scopes:?}");
    }
}

#[tokio::test]
async fn a_client_with_neither_roles_nor_scopes_is_warned_about_and_may_do_nothing() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({})).await;
    assert_eq!(machine.made["warnings"].as_array().map(Vec::len), Some(1), "{}", machine.made);
    let granted = machine.ask(&app.anonymous(), None).await.expect(200).json();
    assert_eq!(granted["scope"], "");
    let at_work = machine.at_work(&app, &app.a).await;
    assert_eq!(allowed(&at_work).await, [""; 0]);
    assert_eq!(at_work.get("/api/v1/auth/me/").await.status, 200, "but ask who it is");
    let without_a_common_right = json!({ "roles": ["read"], "scopes": ["write:projects"] });
    let other = Machine::create(&owner, without_a_common_right).await;
    assert_eq!(other.made["warnings"].as_array().map(Vec::len), Some(1), "{}", other.made);
}

#[tokio::test]
async fn cli_4_a_token_has_the_part_that_was_asked_for_and_never_more_than_the_client() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let narrowed = machine.narrowed(&app, &app.a, "read:tasks").await;
    assert_eq!(allowed(&narrowed).await, ["read:tasks"]);
    for scope in ["write:projects", "read:tasks write:tasks", "tenant:admin", "unicorns", "*"] {
        let refused = machine.ask(&app.anonymous(), Some(scope)).await.expect(400);
        assert_eq!(refused.json()["error"], "invalid_scope", "{scope}");
    }
}

#[tokio::test]
async fn cli_6_members_and_viewers_manage_no_clients() {
    let app = TestApp::start().await;
    let machine = Machine::create(&app.owner_of(&app.a).await, json!({ "roles": ["read"] })).await;
    let before = everything_of(&app.operator, &app.a).await;
    for caller in [app.user_of(&app.a).await, app.viewer_of(&app.a).await] {
        let refused = [
            caller.get(CLIENTS).await,
            caller.post(CLIENTS, &json!({ "name": "mine" })).await,
            caller.patch(&machine.path(""), &json!({ "name": "mine" })).await,
            caller.post(&machine.path("secrets/"), &json!({})).await,
            caller.send("POST", &machine.path("disable/"), None).await,
            caller.delete(&machine.path("")).await,
        ];
        for answer in refused {
            let _ = answer.expect_problem(403, "insufficient_scope");
        }
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
    let administrator = app.log_in(&app.a, &app.a.admin).await;
    assert_eq!(administrator.get(CLIENTS).await.status, 200, "an administrator does");
}

/// Requests that would give rights which a manager of `read:projects` lacks: to a new client, to weak ones, to itself, or
/// to whoever learns a stronger one's secret.
fn escalations(
    manager: &Machine,
    weak: [&Machine; 3],
    strong: &Machine,
) -> Vec<(&'static str, String, Value)> {
    let [plain, hidden, narrowed] = weak.map(|machine| machine.path(""));
    vec![
        ("POST", CLIENTS.to_owned(), json!({ "name": "x", "scopes": ["read:tasks"] })),
        ("POST", CLIENTS.to_owned(), json!({ "name": "x", "scopes": ["read:*"] })),
        ("POST", CLIENTS.to_owned(), json!({ "name": "x", "roles": ["read"] })),
        ("PATCH", plain.clone(), json!({ "scopes": ["read:projects", "write:projects"] })),
        ("PATCH", plain, json!({ "roles": ["admin"], "scopes": [] })),
        ("PATCH", hidden, json!({ "roles": [] })),
        ("PATCH", narrowed, json!({ "scopes": [] })),
        ("PATCH", manager.path(""), json!({ "scopes": ["tenant:admin", "read:*"] })),
        ("PATCH", strong.path(""), json!({ "allowed_ips": [] })),
        ("POST", strong.path("secrets/"), json!({ "overlap_seconds": 60 })),
        ("POST", strong.path("secrets/"), json!({ "overlap_seconds": 0 })),
    ]
}

#[tokio::test]
async fn cli_6_a_client_that_administrates_gives_nobody_rights_that_it_lacks() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let manager = Machine::create(&owner, json!({ "scopes": ["tenant:admin", "read:projects"] })).await;
    let at_work = manager.at_work(&app, &app.a).await;
    let strong = Machine::create(&owner, json!({ "roles": ["write"] })).await;
    let plain = Machine::create(&at_work, json!({ "scopes": ["read:projects"] })).await;
    let hidden = json!({ "roles": ["read"], "scopes": ["write:projects", "read:projects"] });
    let hidden = Machine::create(&at_work, hidden).await;
    let narrowed = json!({ "roles": ["admin"], "scopes": ["read:projects"] });
    let narrowed = Machine::create(&at_work, narrowed).await;
    let before = everything_of(&app.operator, &app.a).await;
    for (method, path, body) in escalations(&manager, [&plain, &hidden, &narrowed], &strong) {
        let refused = at_work.send(method, &path, Some(&body)).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (403, "permission_denied"),
            "{body}: {refused}"
        );
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before);

    assert_eq!(at_work.send("POST", &strong.path("disable/"), None).await.status, 200, "ending is for all");
    let enabled = at_work.send("POST", &strong.path("enable/"), None).await;
    let _ = enabled.expect_problem(403, "permission_denied");
    assert!(!strong.gets_token(&app).await);
    assert_eq!(at_work.send("POST", &strong.path("revoke-tokens/"), None).await.status, 200);
    assert_eq!(at_work.delete(&strong.path("")).await.status, 204);
    let changed = at_work.patch(&plain.path(""), &json!({ "scopes": ["tenant:admin"] })).await;
    assert_eq!(changed.status, 200, "what it has it may give");
}

#[tokio::test]
async fn cli_6_a_restricted_client_makes_no_freer_one_and_does_not_free_itself() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let restrictions = json!({
        "roles": ["admin"], "allowed_ips": ["127.0.0.0/8"], "rate_limit": 100, "expires_at": "2999-01-01T00:00:00Z",
    });
    let machine = Machine::create(&owner, restrictions.clone()).await;
    let at_work = machine.at_work(&app, &app.a).await;
    let before = everything_of(&app.operator, &app.a).await;
    for (member, freer) in [
        ("allowed_ips", json!([])),
        ("allowed_ips", json!(["127.0.0.1", "192.0.2.0/24"])),
        ("rate_limit", json!(null)),
        ("rate_limit", json!(101)),
        ("expires_at", json!(null)),
        ("expires_at", json!("3000-01-01T00:00:00Z")),
    ] {
        let change = json!({ member: freer });
        let refused = at_work.patch(&machine.path(""), &change).await;
        let _ = refused.expect_problem(403, "permission_denied");
        let mut twin = restrictions.clone();
        twin[member] = freer;
        twin["name"] = json!(new_id());
        let _ = at_work.post(CLIENTS, &twin).await.expect_problem(403, "permission_denied");
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
    let mut narrower = restrictions;
    narrower["allowed_ips"] = json!(["127.0.0.1"]);
    narrower["rate_limit"] = json!(50);
    let narrower = Machine::create(&at_work, narrower).await;
    assert!(narrower.gets_token(&app).await);
    let free = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let rotated = at_work.post(&free.path("secrets/"), &json!({})).await;
    let _ = rotated.expect_problem(403, "permission_denied");
}

#[tokio::test]
async fn cli_6_a_services_token_makes_no_client_that_would_outlive_it() {
    let app = TestApp::start().await;
    let mut claims = app.claims(&app.a, new_id(), &["read:*", "write:*", "delete:*", "tenant:admin"]);
    claims["token_type"] = json!("service");
    claims["client_type"] = json!("service");
    let service = app.with_token(&app.key.token(&claims), &app.a);
    assert_eq!(service.get(CLIENTS).await.status, 200);
    let refused = service.post(CLIENTS, &json!({ "name": "lasting", "roles": ["read"] })).await;
    let _ = refused.expect_problem(403, "permission_denied");
    let machine = Machine::create(&app.owner_of(&app.a).await, json!({ "roles": ["read"] })).await;
    let refused = service.post(&machine.path("secrets/"), &json!({})).await;
    let _ = refused.expect_problem(403, "permission_denied");
    assert_eq!(
        service.post(&machine.path("disable/"), &json!({})).await.status,
        200,
        "it may end what there is"
    );
}
