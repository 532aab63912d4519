//! Logs, correlation ids, metrics, health (LOG-1 to LOG-3, ERR-4).

use std::time::Duration;

use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::poll::until;
use bulkhead_tests::rows::Rows;
use bulkhead_tests::tenants::PASSWORD;
use serde_json::{Value, json};

fn member<'a>(line: &'a Value, name: &str) -> &'a Value {
    line.get(name).or_else(|| line["fields"].get(name)).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn each_request_has_one_line_with_tenant_principal_and_correlation_id() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let answer = user.get("/api/v1/projects/?search=sought").await.expect(200);
    let line = app.log_of(&answer).await;
    assert_eq!(member(&line, "tenant"), &json!(app.a.slug));
    assert_eq!(member(&line, "principal"), &json!(app.a.member.id));
    assert_eq!(
        (member(&line, "principal_kind"), member(&line, "operation")),
        (&json!("user"), &json!("projects_list"))
    );
    assert_eq!((member(&line, "status"), member(&line, "method")), (&json!(200), &json!("GET")));
    assert!(!line.to_string().contains("sought"), "what people search for is not logged: {line}");
    let nobody = app.anonymous().get("/api/v1/projects/").await.expect(401);
    let line = app.log_of(&nobody).await;
    assert_eq!((member(&line, "tenant"), member(&line, "status")), (&Value::Null, &json!(401)));
    for answer in [answer, nobody] {
        let lines = app.server.log_of(answer.header("x-correlation-id").expect("an id"));
        assert_eq!(lines.iter().filter(|line| !member(line, "status").is_null()).count(), 1);
    }
}

#[tokio::test]
async fn a_sound_correlation_id_is_kept_and_any_other_replaced() {
    let app = TestApp::start().await;
    for good in ["abc", "A-b_c.9", "0191e4a0-7b5c-7c3e-8f00-0123456789ab", &"x".repeat(64)] {
        let answer = app.anonymous().with_header("X-Correlation-ID", good).get("/health/").await;
        assert_eq!(answer.header("x-correlation-id"), Some(good));
    }
    for bad in ["", "a b", "a;b", "<script>", "\u{e9}", "a\tb", &"x".repeat(65)] {
        let answer = app.anonymous().with_header("X-Correlation-ID", bad).get("/health/").await;
        let id = answer.header("x-correlation-id").expect("an id");
        assert!(id != bad && id.len() == 36, "{id}");
    }
}

#[tokio::test]
async fn err_4_nothing_that_a_client_sends_breaks_a_line_of_the_log() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let nasty = "a\r\nINFO forged\u{1b}[31m \"}{";
    let _ = user.post("/api/v1/projects/", &json!({ "name": nasty })).await;
    for path in ["/%0d%0aforged", "/%1b%5b31m", "/%22%7d%7b", "/\u{1b}[31m", "/api/v1/projects/%0aforged/"] {
        let answer = user.with_header("User-Agent", "x\u{1b}[31m\"}").try_raw("GET", path, &[], None).await;
        if let Ok(answer) = answer
            && answer.header("x-correlation-id").is_some()
        {
            let _ = app.log_of(&answer).await;
        }
    }
    for line in app.server.output().lines() {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        assert!(parsed.is_object() && !line.contains('\u{1b}'), "{line}");
    }
}

#[tokio::test]
async fn log_1_no_secret_ever_shows_in_log_metrics_or_answers() {
    let url_password = "a-password-in-a-url";
    let mut app = Options::default().set("log.level", "trace").start().await;
    // A password in the URL of a database that does not ask for one must not show either.
    let mut launch = app.launch.clone();
    launch.urls.url =
        launch.urls.url.replace("user=bulkhead_app", &format!("user=bulkhead_app&password={url_password}"));
    app.launch = launch;
    app.restart().await;
    let tokens = app.tokens_of(&app.a, &app.a.member).await;
    let user = app.with_token(tokens["access"].as_str().expect("a token"), &app.a);
    let rows = Rows::create(&user, &app.a).await;
    let refreshed = app
        .anonymous()
        .post("/api/v1/auth/token/refresh/", &json!({ "refresh": tokens["refresh"] }))
        .await
        .expect(200)
        .json();
    let wrong = json!({ "tenant": app.a.slug, "username": "x", "password": "a-wrong-but-real-secret" });
    let _ = app.anonymous().post("/api/v1/auth/token/", &wrong).await.expect(401);
    let _ = user.get(&format!("/api/v1/projects/?access_token={}", user.token())).await;
    let _ = user.patch(&format!("/api/v1/projects/{}/", rows.id("projects")), &json!({ "name": "" })).await;
    let _ = app.with_token("a-forged-but-real-secret", &app.a).get("/api/v1/projects/").await;
    let metrics = app.anonymous().get("/metrics").await.expect(200).text();
    let pem: String = app.key.pem().lines().nth(1).expect("a key").to_owned();
    let secrets = [
        PASSWORD,
        "a-wrong-but-real-secret",
        "a-forged-but-real-secret",
        url_password,
        &pem,
        text(&tokens["access"]),
        text(&tokens["refresh"]),
        text(&refreshed["access"]),
        text(&refreshed["refresh"]),
        text(&tokens["access"]).rsplit('.').next().expect("a signature"),
        "$argon2id$",
    ]
    .map(str::to_owned);
    let output = app.server.output();
    assert!(output.lines().count() > 5);
    for secret in &secrets {
        assert!(!output.contains(secret.as_str()), "{secret} in the log");
        assert!(!metrics.contains(secret.as_str()), "{secret} in the metrics");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[tokio::test]
async fn log_3_metrics_count_by_operation_and_name_no_tenant() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    for path in [
        "/api/v1/projects/",
        &format!("/api/v1/projects/{}/", rows.id("projects")),
        "/nothing",
        "/nothing/else",
    ] {
        let _ = user.get(path).await;
    }
    let metrics = app.anonymous().get("/metrics").await.expect(200).text();
    assert!(
        metrics.contains(r#"bulkhead_http_requests_total{operation="projects_list",status="200"} 1"#),
        "{metrics}"
    );
    assert!(metrics.contains("bulkhead_rls_violation_total 0"), "{metrics}");
    for word in [app.a.slug.as_str(), &app.a.id.to_string(), rows.id("projects"), "nothing"] {
        assert!(!metrics.contains(word), "{word}");
    }
}

#[tokio::test]
async fn health_tells_life_from_readiness_and_nothing_about_the_server() {
    let app = Options::default().through_proxy().start().await;
    for path in ["/health/", "/health", "/health/live", "/health/live/"] {
        assert_eq!(app.anonymous().get(path).await.expect(200).json()["status"], "healthy", "{path}");
    }
    let ready = app.anonymous().expecting_faults();
    assert_eq!(ready.get("/health/ready").await.status, 200);
    app.proxy().set(bulkhead_tests::proxy::Mode::Refuse);
    until("readiness to fall", Duration::from_secs(5), async || {
        (ready.get("/health/ready").await.status == 503).then_some(())
    })
    .await;
    assert_eq!(app.anonymous().get("/health/live").await.status, 200, "life does not depend on the database");
    app.proxy().set(bulkhead_tests::proxy::Mode::Pass);
    until("readiness to return", Duration::from_secs(5), async || {
        (ready.get("/health/ready").await.status == 200).then_some(())
    })
    .await;
}
