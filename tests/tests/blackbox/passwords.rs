//! Passwords: changed by who knows the old one, set by who got the mail, and hashed anew where the hash is of another time
//! (AUTH-8, AUTH-11, AUTH-15, fault 4.13).

use std::time::Duration;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::http::Response;
use bulkhead_tests::poll::until;
use bulkhead_tests::smtp::Inbox;
use bulkhead_tests::tenants::{self, PASSWORD};
use serde_json::json;

use crate::matrix::comparable;

const LOG_IN: &str = "/api/v1/auth/token/";
const CHANGE: &str = "/api/v1/auth/password/change/";
const RESET: &str = "/api/v1/auth/password/reset/";
const CONFIRM: &str = "/api/v1/auth/password/reset/confirm/";
const NEW: &str = "quite another passphrase";

async fn log_in(app: &TestApp, password: &str) -> Response {
    let body = json!({ "tenant": app.a.slug, "username": app.a.member.username, "password": password });
    app.anonymous().post(LOG_IN, &body).await
}

#[tokio::test]
async fn auth_11_a_new_password_takes_the_old_one_and_ends_every_other_session() {
    let app = TestApp::start().await;
    let (mine, others) =
        (app.tokens_of(&app.a, &app.a.member).await, app.tokens_of(&app.a, &app.a.member).await);
    let client =
        |tokens: &serde_json::Value| app.with_token(tokens["access"].as_str().expect("a token"), &app.a);
    let wrong = json!({ "current_password": "wrong wrong wrong", "new_password": NEW });
    let _ = client(&mine).post(CHANGE, &wrong).await.expect_problem(400, "invalid");
    let right = json!({ "current_password": PASSWORD, "new_password": NEW });
    assert_eq!(client(&mine).post(CHANGE, &right).await.status, 200);
    assert_eq!(client(&others).get("/api/v1/auth/me/").await.status, 401);
    let refresh = async |tokens: &serde_json::Value| {
        app.anonymous().post("/api/v1/auth/token/refresh/", &json!({ "refresh": tokens["refresh"] })).await
    };
    let _ = refresh(&others).await.expect_problem(401, "token_not_valid");
    let next = refresh(&mine).await.expect(200).json();
    assert_eq!(client(&next).get("/api/v1/auth/me/").await.status, 200, "this session goes on");
    assert_eq!(log_in(&app, PASSWORD).await.status, 401);
    assert_eq!(log_in(&app, NEW).await.status, 200);
}

#[tokio::test]
async fn auth_8_a_new_password_is_long_and_not_one_that_everybody_tries() {
    let app = TestApp::start().await;
    let client = app.user_of(&app.a).await;
    let choose = async |password: &str| {
        client.post(CHANGE, &json!({ "current_password": PASSWORD, "new_password": password })).await
    };
    let weak = [
        "short",
        "elevenchars",
        "password1234",
        "Password1234!",
        "123456789012",
        "qwertyuiop12",
        "aaaaaaaaaaaa",
        &app.a.member.username,
        &app.a.member.email,
        &"x".repeat(2000),
        "with a \0 in it",
    ];
    for password in weak {
        let problem = choose(password).await.expect_problem(400, "invalid").json();
        assert!(problem["errors"]["new_password"].is_array(), "{password}: {problem}");
    }
    assert_eq!(log_in(&app, PASSWORD).await.status, 200, "nothing changed");
    let good = format!("żółć {}", "🦀".repeat(251));
    assert_eq!(choose(&good).await.status, 200, "256 characters of any kind");
    assert_eq!(log_in(&app, &good).await.status, 200);
}

async fn with_mail() -> (TestApp, Inbox) {
    let inbox = Inbox::start().await;
    let app = Options::default()
        .set("mail.transport", "smtp")
        .set("mail.host", inbox.address().ip())
        .set("mail.port", inbox.address().port())
        .set("mail.tls", "none")
        .set("mail.from", "Bulkhead <no-reply@bulkhead.test>")
        .set("mail.frontend_url", "https://app.example.test")
        .start()
        .await;
    (app, inbox)
}

/// The token of the link in a mail.
fn token_in(text: &str) -> String {
    let start = text.find("#token=").unwrap_or_else(|| panic!("no link in {text}")) + "#token=".len();
    text[start..].split_whitespace().next().expect("a token").to_owned()
}

#[tokio::test]
async fn a_mailed_token_sets_the_password_once_and_ends_every_session() {
    let (app, inbox) = with_mail().await;
    let user = &app.a.member;
    let before = app.user_of(&app.a).await;
    let asked = app.anonymous().post(RESET, &json!({ "tenant": app.a.slug, "email": user.email })).await;
    assert_eq!(asked.status, 202, "{asked}");
    let mail = inbox.next_to(&user.email).await;
    assert!(mail.text.contains("https://app.example.test/reset-password#token="), "{}", mail.text);
    let token = token_in(&mail.text);
    let confirm = async |token: &str, password: &str| {
        app.anonymous().post(CONFIRM, &json!({ "token": token, "password": password })).await
    };
    let weak = confirm(&token, "password1234").await.expect_problem(400, "invalid").json();
    assert!(weak["errors"]["password"].is_array(), "{weak}");
    assert_eq!(confirm(&token, NEW).await.status, 200);
    assert_eq!(before.get("/api/v1/auth/me/").await.status, 401);
    assert_eq!((log_in(&app, PASSWORD).await.status, log_in(&app, NEW).await.status), (401, 200));
    let used = confirm(&token, "a third fine passphrase").await.expect_problem(400, "invalid");
    for rubbish in ["rubbish", "", &token[..token.len() - 1], before.token()] {
        assert_eq!(confirm(rubbish, NEW).await.status, 400, "{rubbish}");
    }
    let strange = confirm("rubbish", NEW).await;
    assert_eq!(comparable(&strange), comparable(&used), "one answer for all that cannot be used");
    assert_eq!(log_in(&app, NEW).await.status, 200);
    assert!(!app.server.output().contains(&token), "in the log");
}

#[tokio::test]
async fn auth_15_fault_4_13_asking_for_a_reset_tells_nobody_who_exists() {
    let (app, inbox) = with_mail().await;
    let nobody = format!("nobody-{}@example.test", new_id().simple());
    let ask = async |tenant: &str, email: &str| {
        app.anonymous().post(RESET, &json!({ "tenant": tenant, "email": email })).await
    };
    let known = ask(&app.a.slug, &app.a.member.email).await.expect(202);
    for (tenant, email) in [
        (app.a.slug.as_str(), nobody.as_str()),
        ("no-such-tenant", &app.a.member.email),
        (&app.b.slug, &app.a.member.email),
    ] {
        assert_eq!(comparable(&ask(tenant, email).await), comparable(&known), "{tenant} {email}");
    }
    let mail = inbox.next_to(&app.a.member.email).await;
    assert!(mail.subject.contains("password"), "{}", mail.subject);
    // Nobody's mailbox is filled by asking again and again.
    assert_eq!(ask(&app.a.slug, &app.a.member.email).await.status, 202);
    let query = "select count(*) from bulkhead.password_resets where tenant_id = $1::text::uuid";
    let count: i64 = app.operator.query_one(query, &[&app.a.id.to_string()]).await.expect("count").get(0);
    assert_eq!(count, 1);
}

#[tokio::test]
async fn without_mail_a_reset_is_not_offered() {
    let app = Options::default().set("mail.transport", "off").start().await;
    let body = json!({ "tenant": app.a.slug, "email": app.a.member.email });
    let _ = app.anonymous().post(RESET, &body).await.expect_problem(403, "not_offered");
}

#[tokio::test]
async fn a_password_that_came_from_django_is_right_and_is_hashed_anew_by_the_log_in() {
    let app = TestApp::start().await;
    let name = format!("django-{}", new_id().simple());
    let email = format!("{name}@example.test");
    let user = tenants::add_user(&app.operator, app.a.id, &name, &email, "member", PASSWORD).await;
    let set = async |hash: &str| {
        let update = "update bulkhead.user_credentials set password_hash = $2 where user_id = $1::text::uuid";
        app.operator.execute(update, &[&user.id.to_string(), &hash]).await.expect("set the hash");
    };
    let stored = async || -> String {
        let query = "select password_hash from bulkhead.user_credentials where user_id = $1::text::uuid";
        app.operator.query_one(query, &[&user.id.to_string()]).await.expect("the hash").get(0)
    };
    let attempt = async |password: &str| {
        app.anonymous()
            .post(LOG_IN, &json!({ "tenant": app.a.slug, "username": name, "password": password }))
            .await
    };
    let hash = django_hash("correct horse battery", "pepperpepper", 20_000);
    set(&hash).await;
    assert_eq!(attempt("correct horse batterx").await.status, 401);
    assert_eq!(attempt("correct horse battery").await.status, 200);
    until("the hash to be replaced", Duration::from_secs(10), async || {
        stored().await.starts_with("$argon2id$").then_some(())
    })
    .await;
    assert_eq!(attempt("correct horse battery").await.status, 200);
    for unusable in ["!", "!abc", "pbkdf2_sha256$x$y$z", "pbkdf2_sha256$999999999$salt$AAAA", "", "md5$a$b"] {
        set(unusable).await;
        assert_eq!(attempt("correct horse battery").await.status, 401, "{unusable}");
    }
}

fn django_hash(password: &str, salt: &str, rounds: u32) -> String {
    use aws_lc_rs::pbkdf2;
    use base64::Engine as _;
    let mut out = [0_u8; 32];
    let rounds = std::num::NonZeroU32::new(rounds).expect("rounds");
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt.as_bytes(), password.as_bytes(), &mut out);
    format!("pbkdf2_sha256${rounds}${salt}${}", base64::engine::general_purpose::STANDARD.encode(out))
}
