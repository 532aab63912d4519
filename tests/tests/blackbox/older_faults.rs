//! Faults that were found in older systems and that no file is about: each has its number in the list of them.

use bulkhead_domain::clock::now;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::keys::claims_of;
use bulkhead_tests::tenants::PASSWORD;
use serde_json::json;

const LOG_IN: &str = "/api/v1/auth/token/";

#[tokio::test]
async fn fault_4_5_nobody_makes_a_tenant_over_http() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let body = json!({ "slug": "mine", "name": "Mine", "domain": "mine.example.test" });
    for target in ["/api/v1/tenants/", "/api/v1/tenant/", "/api/v1/tenants/mine/"] {
        let answer = owner.post(target, &body).await;
        assert!([404, 405].contains(&answer.status), "{target}: {answer}");
    }
    let _ = app.anonymous().get("/api/v1/tenants/mine/").await.expect_problem(404, "not_found");
}

/// How many passwords the process has hashed.
async fn hashed(app: &TestApp) -> u64 {
    let metrics = app.anonymous().get("/metrics").await.expect(200).text();
    let line = metrics.lines().find_map(|line| line.strip_prefix("bulkhead_passwords_hashed_total "));
    line.expect("the counter").parse().expect("a number")
}

#[tokio::test]
async fn fault_4_14_a_log_in_hashes_once_whoever_is_there_and_no_request_with_a_token_does() {
    let app = TestApp::start().await;
    let user = &app.a.member;
    for (tenant, name, password, status) in [
        (&app.a.slug, &user.username, PASSWORD, 200),
        (&app.a.slug, &user.username, "wrong wrong wrong", 401),
        (&app.b.slug, &user.username, PASSWORD, 401),
        (&"no-such-tenant".to_owned(), &user.username, PASSWORD, 401),
    ] {
        let before = hashed(&app).await;
        let body = json!({ "tenant": tenant, "username": name, "password": password });
        let answer = app.anonymous().post(LOG_IN, &body).await;
        assert_eq!((answer.status, hashed(&app).await - before), (status, 1), "{tenant}: {answer}");
    }
    let tokens = app.tokens_of(&app.a, user).await;
    let before = hashed(&app).await;
    let me = app.with_token(tokens["access"].as_str().expect("a token"), &app.a);
    assert_eq!(me.get("/api/v1/projects/").await.status, 200);
    let refresh = json!({ "refresh": tokens["refresh"] });
    assert_eq!(app.anonymous().post("/api/v1/auth/token/refresh/", &refresh).await.status, 200);
    assert_eq!(hashed(&app).await, before);
}

#[tokio::test]
async fn fault_4_24_a_server_of_any_time_zone_says_the_same_times() {
    for zone in ["America/New_York", "Pacific/Kiritimati"] {
        let app = Options::default().variable("TZ", zone).start().await;
        let tokens = app.tokens_of(&app.a, &app.a.member).await;
        let token = tokens["access"].as_str().expect("a token");
        let now = now().timestamp();
        let issued = claims_of(token)["iat"].as_i64().expect("a time");
        assert!(now.abs_diff(issued) < 60, "{zone}: issued at {issued}, and it is {now}");
        let me = app.with_token(token, &app.a);
        let made = me.post("/api/v1/projects/", &json!({ "name": "now" })).await.expect(201).json();
        let made = made["created_at"].as_str().expect("a time");
        assert!(made.ends_with('Z') || made.ends_with("+00:00"), "{zone}: {made}");
    }
}

#[tokio::test]
async fn a_log_in_may_be_a_form_of_several_parts_as_long_as_they_are_text() {
    let app = TestApp::start().await;
    let (tenant, user) = (&app.a.slug, &app.a.member.username);
    let part = |name: &str, value: &str| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let sound = format!("{}{}{}", part("tenant", tenant), part("username", user), part("password", PASSWORD));
    let send = async |kind: &str, body: &str| {
        app.anonymous().raw("POST", LOG_IN, &[("Content-Type", kind)], Some(body.as_bytes())).await
    };
    let kind = "multipart/form-data; boundary=edge";
    let answer = send(kind, &format!("{sound}--edge--\r\n")).await.expect(200);
    assert!(answer.json()["access"].is_string());
    let wrong = send(kind, &format!("{}--edge--\r\n", sound.replace(PASSWORD, "wrong wrong wrong"))).await;
    let _ = wrong.expect_problem(401, "authentication_failed");

    let twice = format!("{sound}{}--edge--\r\n", part("tenant", tenant));
    let _ = send(kind, &twice).await.expect_problem(400, "invalid");
    let file = sound.replace("name=\"password\"", "name=\"password\"; filename=\"p.txt\"");
    let _ = send(kind, &format!("{file}--edge--\r\n")).await.expect_problem(400, "invalid");
    for (kind, body) in [
        ("multipart/form-data", format!("{sound}--edge--\r\n")),
        (kind, sound.clone()),
        (kind, sound.replace("--edge", "--other")),
        (kind, sound.replace("Content-Disposition", "X")),
        (kind, String::new()),
    ] {
        let answer = send(kind, &body).await;
        assert_eq!(answer.status, 400, "{kind} {body:?}: {answer}");
        assert!(!answer.text().contains(PASSWORD), "{answer}");
    }
}
