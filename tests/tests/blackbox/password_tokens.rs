//! Tokens that an operator makes, with which a person sets a password that nobody else has known (AUTH-12).

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::TestApp;
use bulkhead_tests::binary::{self, Outcome};
use bulkhead_tests::database::{self, environment};
use bulkhead_tests::http::Response;
use bulkhead_tests::people::{Post, token_in};
use bulkhead_tests::tenants::PASSWORD;
use serde_json::{Value, json};

const CHOSEN: &str = "chosen by herself alone";

fn run(app: &TestApp, arguments: &[&str]) -> Outcome {
    let mut command = binary::command(arguments);
    command.envs(environment(&app.urls));
    binary::run(command, "")
}

fn made(app: &TestApp, arguments: &[&str]) -> Value {
    let outcome = run(app, &[&["--json"], arguments].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    serde_json::from_str(&outcome.stdout).expect("a document")
}

async fn log_in(app: &TestApp, (tenant, username): (&str, &str), password: &str) -> Response {
    let body = json!({ "tenant": tenant, "username": username, "password": password });
    app.anonymous().post("/api/v1/auth/token/", &body).await
}

async fn set(app: &TestApp, token: &Value) -> Response {
    let body = json!({ "token": token, "password": CHOSEN });
    app.anonymous().post("/api/v1/auth/password/reset/confirm/", &body).await
}

#[tokio::test]
async fn auth_12_the_first_administrator_sets_the_password_with_a_token_that_is_good_once() {
    let app = TestApp::start().await;
    let slug = format!("first-{}", &new_id().simple().to_string()[20..]);
    let admin = ["--admin-username", "anna", "--admin-email", "anna@example.test", "--one-time-token"];
    let tenant = made(&app, &[&["create-tenant", "--slug", &slug], &admin[..]].concat());
    let person = ["--username", "bob", "--email", "bob@example.test", "--role", "viewer", "--one-time-token"];
    let user = made(&app, &[&["create-user", "--tenant", &slug], &person[..]].concat());
    for (document, name, role) in [(&tenant, "anna", "owner"), (&user, "bob", "viewer")] {
        for password in ["", "anna", CHOSEN] {
            assert!([400, 401].contains(&log_in(&app, (&slug, name), password).await.status), "{password}");
        }
        assert_eq!(set(&app, &document["token"]).await.status, 200);
        let tokens = log_in(&app, (&slug, name), CHOSEN).await.expect(200).json();
        let me = app.anonymous().with_token(tokens["access"].as_str().expect("a token"), None);
        assert_eq!(me.get("/api/v1/auth/me/").await.expect(200).json()["role"], role);
        let _ = set(&app, &document["token"]).await.expect_problem(400, "invalid");
    }
}

#[tokio::test]
async fn an_operator_lets_somebody_set_a_new_password_and_the_newest_token_counts_alone() {
    let app = TestApp::start().await;
    let (tenant, user) = (&app.a, &app.a.member);
    let session = app.tokens_of(tenant, user).await;
    let reset = |name: &str| made(&app, &["reset-password", "--tenant", &tenant.slug, "--username", name]);
    let (first, second) = (reset(&user.username), reset(&user.email.to_uppercase()));
    assert!(second["expires_at"].is_string() && second["link"].is_null(), "{second}");
    let _ = set(&app, &first["token"]).await.expect_problem(400, "invalid");
    assert_eq!(log_in(&app, (&tenant.slug, &user.username), PASSWORD).await.status, 200, "until it is used");
    assert_eq!(set(&app, &second["token"]).await.status, 200);
    assert_eq!(log_in(&app, (&tenant.slug, &user.username), PASSWORD).await.status, 401);
    assert_eq!(log_in(&app, (&tenant.slug, &user.username), CHOSEN).await.status, 200);
    let refresh = json!({ "refresh": session["refresh"] });
    let refreshed = app.anonymous().post("/api/v1/auth/token/refresh/", &refresh).await;
    let _ = refreshed.expect_problem(401, "token_not_valid");
    let audited = "select count(*) from bulkhead.audit_log where tenant_id = $1::text::uuid and action = 'user.password_token'";
    let audited: i64 =
        app.operator.query_one(audited, &[&tenant.id.to_string()]).await.expect("a count").get(0);
    assert_eq!(audited, 2);
}

#[tokio::test]
async fn a_token_is_shown_once_alone_and_nobody_else_gets_one() {
    let app = TestApp::start().await;
    let (tenant, user) = (&app.a, &app.a.member);
    let shown = run(&app, &["reset-password", "--tenant", &tenant.slug, "--username", &user.username]);
    let token = shown.stdout.trim();
    assert!(token.starts_with("bhp_") && !token.contains(char::is_whitespace), "{shown:?}");
    assert!(!shown.stderr.contains(token), "{shown:?}");
    for (tenant, name) in [
        (&app.b.slug, user.username.as_str()),
        (&tenant.slug, "nobody"),
        (&tenant.slug, ""),
        (&"no-such-tenant".to_owned(), &user.username),
    ] {
        let refused = run(&app, &["reset-password", "--tenant", tenant, "--username", name]);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
        assert!(refused.stderr.contains("there is no such"), "{refused:?}");
    }
}

#[tokio::test]
async fn a_stranger_who_asks_for_a_reset_takes_no_longer_token_away() {
    let post = Post::start().await;
    let (app, user) = (&post.app, &post.app.a.member);
    let given = made(app, &["reset-password", "--tenant", &app.a.slug, "--username", &user.username]);
    let age = "update bulkhead.password_resets set created_at = now() - interval '1 hour' where tenant_id = $1::text::uuid";
    // The role of operators changes no such column; the superuser does.
    let superuser = database::connect(&app.urls.superuser_inside()).await;
    superuser.execute(age, &[&app.a.id.to_string()]).await.expect("an hour later");
    let ask = json!({ "tenant": app.a.slug, "email": user.email });
    assert_eq!(app.anonymous().post("/api/v1/auth/password/reset/", &ask).await.status, 202);
    let mailed = token_in(&post.inbox.next_to(&user.email).await);
    assert_eq!(set(app, &given["token"]).await.status, 200);
    let _ = set(app, &json!(mailed)).await.expect_problem(400, "invalid");
}
