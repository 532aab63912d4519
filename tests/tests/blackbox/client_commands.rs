//! The operator's commands about API clients and service tokens, run as an operator runs them, against a server that
//! is serving meanwhile.

use std::time::Duration;

use bulkhead_tests::app::{PUBLIC_URL, TestApp};
use bulkhead_tests::binary::{self, Outcome};
use bulkhead_tests::client::Client;
use bulkhead_tests::database::environment;
use bulkhead_tests::keys::claims_of;
use bulkhead_tests::poll::until;
use bulkhead_tests::tenants::Tenant;
use serde_json::{Value, json};

const PROJECTS: &str = "/api/v1/projects/";

fn run(app: &TestApp, arguments: &[&str]) -> Outcome {
    let mut command = binary::command(arguments);
    command.envs(environment(&app.urls)).env("BULKHEAD_SERVER__PUBLIC_URL", PUBLIC_URL);
    command.env("BULKHEAD_AUTH__SIGNING_KEY_FILE", &app.launch.key_file);
    binary::run(command, "")
}

/// The document of a command that must succeed.
fn done(app: &TestApp, arguments: &[&str]) -> Value {
    let outcome = run(app, &[arguments, &["--json"]].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

fn refused(app: &TestApp, arguments: &[&str], why: &str) {
    let outcome = run(app, arguments);
    assert_ne!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains(why), "{outcome:?}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
}

fn text(document: &Value, member: &str) -> String {
    document[member].as_str().unwrap_or_else(|| panic!("{member} in {document}")).to_owned()
}

fn create(app: &TestApp, tenant: &Tenant, name: &str, more: &[&str]) -> Value {
    done(app, &[&["create-api-client", "--tenant", &tenant.slug, "--name", name], more].concat())
}

async fn token(app: &TestApp, client: &Value) -> Option<String> {
    let body = json!({ "client_id": client["client_id"], "client_secret": client["client_secret"] });
    let answer = app.anonymous().post("/api/v1/auth/api-client/token/", &body).await;
    (answer.status == 200).then(|| text(&answer.json(), "access"))
}

async fn at_work(app: &TestApp, client: &Value) -> Client {
    app.with_token(&token(app, client).await.expect("a token"), &app.a)
}

/// Within a second on a server that did not do it; here, within whatever a loaded machine takes.
async fn ends(client: &Client) {
    until("the token to be refused", Duration::from_secs(10), async || {
        (client.get(PROJECTS).await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_client_made_on_the_command_line_works_at_once_on_what_its_scopes_allow() {
    let app = TestApp::start().await;
    let made = create(
        &app,
        &app.a,
        "Billing",
        &[
            "--roles",
            "read,write",
            "--scopes",
            "read:projects",
            "write:projects",
            "--description",
            "makes bills",
            "--allowed-ips",
            "127.0.0.1",
            "--rate-limit",
            "5000",
            "--expires-in",
            "90d",
        ],
    );
    assert_eq!(made["roles"], json!(["read", "write"]));
    assert_eq!(made["scopes"], json!(["read:projects", "write:projects"]));
    assert_eq!(made["allowed_ips"], json!(["127.0.0.1/32"]));
    assert_eq!(made["rate_limit"], 5000);
    assert_eq!((&made["tenant"]["slug"], &made["tenant"]["id"]), (&json!(app.a.slug), &json!(app.a.id)));
    for member in ["id", "client_id", "client_secret", "name", "created_at", "expires_at"] {
        assert!(made[member].is_string(), "{member}: {made}");
    }
    let client = at_work(&app, &made).await;
    let created = client.post(PROJECTS, &json!({ "name": "made by a machine" })).await;
    assert_eq!(created.status, 201, "{created}");
    assert_eq!(client.get("/api/v1/tasks/").await.status, 403);
    assert_eq!(client.delete(&format!("{PROJECTS}{}/", text(&created.json(), "id"))).await.status, 403);
}

#[tokio::test]
async fn the_text_form_shows_the_secret_once_and_json_mode_prints_nothing_else() {
    let app = TestApp::start().await;
    let arguments =
        ["create_api_client", "--tenant", &app.a.id.to_string(), "--name", "Text", "--roles", "read"];
    let outcome = run(&app, &arguments);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout.matches("bhs_").count(), 1, "{outcome:?}");
    assert!(!outcome.stderr.contains("bhs_"));
    let powerless =
        run(&app, &["create-api-client", "--tenant", &app.a.slug, "--name", "Nothing", "--output-json"]);
    serde_json::from_str::<Value>(&powerless.stdout).expect("one JSON document");
    assert!(powerless.stderr.contains("may do nothing"), "{powerless:?}");
}

#[tokio::test]
async fn what_is_wrong_is_named_by_its_flag_and_changes_nothing() {
    let app = TestApp::start().await;
    let slug = app.a.slug.as_str();
    let create =
        |more: &[&'static str]| [&["create-api-client", "--tenant", slug, "--name", "X"], more].concat();
    refused(&app, &create(&["--scopes", "read:bogus"]), "--scopes: Unknown: read:bogus");
    refused(&app, &create(&["--scopes", "everything"]), "--scopes: \"everything\" is not a valid choice");
    refused(&app, &create(&["--roles", "emperor"]), "--roles: \"emperor\" is not a valid choice");
    refused(&app, &create(&["--allowed-ips", "10.0.0.0/40"]), "--allowed-ips:");
    refused(&app, &create(&["--rate-limit", "0"]), "--rate-limit:");
    refused(&app, &create(&["--expires-in", "soon"]), "length of time");
    refused(&app, &create(&["--expires-in", "0"]), "--expires-at: Must lie in the future");
    refused(&app, &["create-api-client", "--tenant", "nobody", "--name", "X"], "there is no such tenant");
    let outcome = run(&app, &["suspend-tenant", "--tenant", &app.b.slug]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    refused(&app, &["create-api-client", "--tenant", &app.b.slug, "--name", "X"], "the tenant is not active");
    assert_eq!(done(&app, &["list-api-clients", "--tenant", slug])["count"], 0);
    let made = done(&app, &create(&[]));
    refused(&app, &create(&[]), "another API client of the tenant has this name");
    refused(
        &app,
        &["disable-api-client", "--client", &text(&made, "client_id"), "--tenant", &app.b.slug],
        "no such API client",
    );
    refused(&app, &["disable-api-client", "--client", &text(&made, "id")], "no such API client");
    refused(&app, &["disable-api-client", "--client", "client_a1b2c3d4e5f6"], "no such API client");
}

#[tokio::test]
async fn disabling_ending_tokens_and_deleting_reach_the_running_server() {
    let app = TestApp::start().await;
    let made = create(&app, &app.a, "Ended", &["--roles", "read"]);
    let (name, client) = (text(&made, "client_id"), at_work(&app, &made).await);
    assert_eq!(client.get(PROJECTS).await.status, 200);

    done(&app, &["revoke-api-client-tokens", "--client", &name]);
    ends(&client).await;
    let client = at_work(&app, &made).await;

    done(&app, &["disable-api-client", "--client", &name]);
    ends(&client).await;
    assert_eq!(token(&app, &made).await, None);
    done(&app, &["enable-api-client", "--client", &name]);
    assert_eq!(client.get(PROJECTS).await.status, 401, "tokens from before stay dead");
    let client = at_work(&app, &made).await;

    refused(&app, &["delete-api-client", "--client", &name], "not confirmed");
    assert_eq!(client.get(PROJECTS).await.status, 200);
    done(&app, &["delete-api-client", "--client", &name, "--yes"]);
    ends(&client).await;
    assert_eq!(token(&app, &made).await, None);
    refused(&app, &["enable-api-client", "--client", &name], "no such API client");
}

#[tokio::test]
async fn a_secret_is_rotated_with_an_overlap_and_retired_once_it_is_out_of_use() {
    let app = TestApp::start().await;
    let made = create(&app, &app.a, "Rotated", &["--roles", "read"]);
    let name = text(&made, "client_id");
    let old_client = at_work(&app, &made).await;
    let rotated = done(&app, &["rotate-api-client-secret", "--client", &name, "--overlap", "24h"]);
    assert_eq!(rotated["secrets"].as_array().map(Vec::len), Some(2));
    let new_client = at_work(&app, &rotated).await;
    assert_eq!(old_client.get(PROJECTS).await.status, 200);

    let old = text(&rotated["secrets"][1], "id");
    let retire = ["retire-api-client-secret", "--client", &name, "--secret", &old];
    let owner = app.owner_of(&app.a).await;
    let secrets = format!("/api/v1/api-clients/{}/secrets/", text(&made, "id"));
    until("the old secret's use to be written down", Duration::from_secs(10), async || {
        owner.get(&secrets).await.json()[1]["last_used_at"].is_string().then_some(())
    })
    .await;
    refused(&app, &retire, "the secret is in use");
    assert_eq!(old_client.get(PROJECTS).await.status, 200);
    done(&app, &[&retire[..], &["--force"]].concat());
    ends(&old_client).await;
    assert_eq!(new_client.get(PROJECTS).await.status, 200, "the tokens of the other secret live");
    assert_eq!(token(&app, &made).await, None);

    let only = done(&app, &["rotate-api-client-secret", "--client", &name, "--overlap", "0"]);
    ends(&new_client).await;
    for wrong in [["--overlap", "91d"], ["--expires-in", "0"], ["--overlap", "soon"]] {
        let outcome = run(&app, &[&["rotate-api-client-secret", "--client", &name], &wrong[..]].concat());
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
    }
    let last = ["retire-api-client-secret", "--client", &name, "--secret", &text(&only, "id")];
    refused(&app, &last, "only one");
}

#[tokio::test]
async fn access_is_explained_step_by_step_as_the_server_decides_it() {
    let app = TestApp::start().await;
    let made = create(&app, &app.a, "Explained", &["--roles", "write", "--scopes", "read:*,write:projects"]);
    let client = at_work(&app, &made).await;
    for (operation, method, path) in [
        ("projects_list", "GET", PROJECTS),
        ("projects_create", "POST", PROJECTS),
        ("tasks_create", "POST", "/api/v1/tasks/"),
        ("api_clients_list", "GET", "/api/v1/api-clients/"),
    ] {
        let explained =
            done(&app, &["explain-access", "--client", &text(&made, "client_id"), "--operation", operation]);
        let same = format!("{method} {path}");
        let by_path =
            done(&app, &["explain-access", "--client", &text(&made, "client_id"), "--operation", &same]);
        assert_eq!(explained, by_path);
        let answer = client
            .send(method, path, (method == "POST").then(|| json!({ "name": operation })).as_ref())
            .await;
        assert_eq!(explained["allowed"].as_bool(), Some(answer.status != 403), "{explained} {answer}");
    }
    refused(
        &app,
        &["explain-access", "--client", &text(&made, "client_id"), "--operation", "nope"],
        "no operation nope",
    );
    done(&app, &["disable-api-client", "--client", &text(&made, "client_id")]);
    let explained = done(
        &app,
        &["explain-access", "--client", &text(&made, "client_id"), "--operation", "projects_list"],
    );
    assert_eq!(explained["allowed"], false);
}

#[tokio::test]
async fn a_service_token_works_within_its_scopes_until_it_is_revoked() {
    let app = TestApp::start().await;
    let issue = ["issue-service-token", "--tenant", &app.a.slug, "--service", "nightly"];
    let issued = done(&app, &[&issue[..], &["--minutes", "30", "--scopes", "read:projects"]].concat());
    let token = text(&issued, "access_token");
    let claims = claims_of(&token);
    assert_eq!(claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat"), 1800);
    assert_eq!((&claims["service"], &claims["token_type"]), (&json!("nightly"), &json!("service")));
    let service = app.with_token(&token, &app.a);
    assert_eq!(service.get(PROJECTS).await.status, 200);
    assert_eq!(service.post(PROJECTS, &json!({ "name": "x" })).await.status, 403);
    assert_eq!(service.get("/api/v1/auth/me/").await.json()["kind"], "service");
    let foreign = app.user_of(&app.b).await.post(PROJECTS, &json!({ "name": "of b" })).await.json();
    assert_eq!(service.get(&format!("{PROJECTS}{}/", text(&foreign, "id"))).await.status, 404);

    let live = done(&app, &["list-service-tokens", "--tenant", &app.a.slug]);
    assert_eq!(live["service_tokens"][0]["id"], issued["id"]);
    assert!(!live.to_string().contains(&token), "the token is shown once");
    let audit = app.owner_of(&app.a).await.get("/api/v1/audit/?action=service_token.issue").await.json();
    assert_eq!(audit["results"][0]["target"]["service_token"], issued["id"]);
    assert_eq!(audit["results"][0]["actor_kind"], "operator");

    let revoke = ["revoke-service-token", "--tenant", &app.a.slug, "--id", &text(&issued, "id")];
    let elsewhere = ["revoke-service-token", "--tenant", &app.b.slug, "--id", &text(&issued, "id")];
    refused(&app, &elsewhere, "no such service token");
    done(&app, &revoke);
    ends(&service).await;
    refused(&app, &revoke, "no such service token");
    for bad in [["--minutes", "0"], ["--minutes", "1441"], ["--service", ""]] {
        let outcome = run(
            &app,
            &[
                &["issue-service-token", "--tenant", &app.a.slug, "--scopes", "read:*", "--service", "x"],
                &bad[..],
            ]
            .concat(),
        );
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
    }
    refused(&app, &[&issue[..], &["--scopes", "read:nothing"]].concat(), "--scopes");
}

#[tokio::test]
async fn the_usage_log_tells_what_became_of_every_attempt() {
    let app = TestApp::start().await;
    let made = create(&app, &app.a, "Logged", &["--roles", "read"]);
    let mut wrong = made.clone();
    wrong["client_secret"] = json!("bhs_wrong");
    assert_eq!(token(&app, &wrong).await, None);
    assert!(token(&app, &made).await.is_some());
    let log = until("the attempts to be written down", Duration::from_secs(10), async || {
        let log = done(&app, &["usage-log", "--tenant", &app.a.slug, "--client", &text(&made, "client_id")]);
        (log["count"] == 2).then_some(log)
    })
    .await;
    let outcomes: Vec<&Value> =
        log["attempts"].as_array().expect("attempts").iter().map(|a| &a["outcome"]).collect();
    assert_eq!(outcomes, ["granted", "invalid_secret"]);
    assert_eq!(done(&app, &["usage-log", "--tenant", &app.b.slug])["count"], 0);
}
