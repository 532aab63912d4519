//! Sessions as people use them (REF-4, REF-9, fault 4.7): logging out, seeing and ending one's own, and the refresh token in a
//! cookie.

use std::time::Duration;

use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::http::Response;
use bulkhead_tests::poll::until;
use serde_json::{Value, json};

const LOG_IN: &str = "/api/v1/auth/token/";
const REFRESH: &str = "/api/v1/auth/token/refresh/";
const LOG_OUT: &str = "/api/v1/auth/logout/";
const SESSIONS: &str = "/api/v1/auth/sessions/";

/// A person with a session: its client and its refresh token.
async fn session(app: &TestApp) -> (Client, String) {
    let tokens = app.tokens_of(&app.a, &app.a.member).await;
    let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
    (app.with_token(&text("access"), &app.a), text("refresh"))
}

async fn is_over(app: &TestApp, client: &Client, refresh: &str) {
    assert_eq!(client.get("/api/v1/auth/me/").await.status, 401, "its access token is dead at once");
    let reply = app.anonymous().post(REFRESH, &json!({ "refresh": refresh })).await;
    let _ = reply.expect_problem(401, "token_not_valid");
}

#[tokio::test]
async fn fault_4_7_logging_out_ends_the_session_with_and_without_a_body() {
    let app = TestApp::start().await;
    let (other, other_refresh) = session(&app).await;
    for with_body in [true, false] {
        let (client, refresh) = session(&app).await;
        let body = json!({ "refresh": refresh });
        let reply = if with_body {
            app.anonymous().post(LOG_OUT, &body).await
        } else {
            client.send("POST", LOG_OUT, None).await
        };
        assert_eq!(reply.expect(200).json(), json!({ "message": "Successfully logged out" }));
        is_over(&app, &client, &refresh).await;
        // Whoever retries blindly is logged out still.
        let again = if with_body {
            app.anonymous().post(LOG_OUT, &body).await
        } else {
            client.send("POST", LOG_OUT, None).await
        };
        assert_eq!(again.status, 200, "{again}");
    }
    assert_eq!(other.get("/api/v1/auth/me/").await.status, 200, "another session goes on");
    assert_eq!(app.anonymous().post(REFRESH, &json!({ "refresh": other_refresh })).await.status, 200);
}

#[tokio::test]
async fn logging_out_with_nothing_or_with_rubbish_is_refused_and_a_guess_ends_nobodys_session() {
    let app = TestApp::start().await;
    let (client, refresh) = session(&app).await;
    let _ = app.anonymous().send("POST", LOG_OUT, None).await.expect_problem(401, "not_authenticated");
    let _ = app.anonymous().post(LOG_OUT, &json!({})).await.expect_problem(401, "not_authenticated");
    let _ = app
        .anonymous()
        .post(LOG_OUT, &json!({ "refresh": "rubbish" }))
        .await
        .expect_problem(401, "token_not_valid");
    let _ = app.anonymous().post(LOG_OUT, &json!({ "refresh": 7 })).await.expect_problem(400, "invalid");
    // A used token of the family is as good as the newest: it knows the lineage.
    let newest = app.anonymous().post(REFRESH, &json!({ "refresh": refresh })).await.expect(200).json();
    assert_eq!(client.get("/api/v1/auth/me/").await.status, 200);
    assert_eq!(app.anonymous().post(LOG_OUT, &json!({ "refresh": refresh })).await.status, 200);
    is_over(&app, &client, newest["refresh"].as_str().expect("a token")).await;
}

#[tokio::test]
async fn an_empty_refresh_token_is_none_and_a_cookie_that_is_not_offered_is_none_either() {
    let app = TestApp::start().await;
    for (body, cookie) in [
        (json!({ "refresh": null }), ""),
        (json!({ "refresh": "" }), ""),
        (json!({}), "__Secure-bulkhead-refresh=left-over"),
    ] {
        let (client, refresh) = session(&app).await;
        let left = if cookie.is_empty() { client.clone() } else { client.with_header("Cookie", cookie) };
        assert_eq!(left.post(LOG_OUT, &body).await.status, 200, "{body} {cookie}");
        is_over(&app, &client, &refresh).await;
    }
}

#[tokio::test]
async fn sessions_that_were_ended_with_the_account_are_not_listed_and_old_ones_are_swept_away() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let _ = session(&app).await;
    let member = format!("/api/v1/users/{}/", app.a.member.id);
    for deed in ["deactivate/", "activate/"] {
        assert_eq!(owner.send("POST", &format!("{member}{deed}"), None).await.status, 200);
    }
    let (client, _) = session(&app).await;
    assert_eq!(client.get(SESSIONS).await.expect(200).json().as_array().map(Vec::len), Some(1));
    let id = app.a.member.id.to_string();
    let age = "update bulkhead.refresh_families set expires_at = now() - interval '1 second' where user_id = $1::text::uuid";
    app.operator.execute(age, &[&id]).await.expect("age them");
    let _ = session(&app).await;
    let count = "select count(*) from bulkhead.refresh_families where user_id = $1::text::uuid";
    let count: i64 = app.operator.query_one(count, &[&id]).await.expect("a count").get(0);
    assert_eq!(count, 1);
}

#[tokio::test]
async fn ref_9_a_person_sees_and_ends_its_own_sessions_and_nobody_elses() {
    let app = TestApp::start().await;
    let (first, first_refresh) = session(&app).await;
    let browser = app.anonymous().with_header("User-Agent", "A browser/7.0");
    let body =
        json!({ "tenant": app.a.slug, "username": app.a.member.username, "password": app.a.member.password });
    let tokens = browser.post(LOG_IN, &body).await.expect(200).json();
    let second = app.with_token(tokens["access"].as_str().expect("a token"), &app.a);
    let sessions = second.get(SESSIONS).await.expect(200).json();
    let list = sessions.as_array().expect("a list");
    assert_eq!(list.len(), 2, "{sessions}");
    let current: Vec<&Value> = list.iter().filter(|session| session["current"] == true).collect();
    assert_eq!((current.len(), &current[0]["user_agent"]), (1, &json!("A browser/7.0")));
    assert_eq!(current[0]["ip_address"], "127.0.0.1");
    let older = list.iter().find(|session| session["current"] == false).expect("the other");
    let path = format!("{SESSIONS}{}/", older["id"].as_str().expect("an id"));
    for stranger in [app.owner_of(&app.a).await, app.user_of(&app.b).await] {
        let _ = stranger.delete(&path).await.expect_problem(404, "not_found");
    }
    assert_eq!(second.delete(&path).await.status, 204);
    is_over(&app, &first, &first_refresh).await;
    assert_eq!(second.get(SESSIONS).await.expect(200).json().as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn ref_9_logging_out_everywhere_ends_every_session_and_no_other_persons() {
    let app = TestApp::start().await;
    let ((one, one_refresh), (two, two_refresh)) = (session(&app).await, session(&app).await);
    let colleague = app.owner_of(&app.a).await;
    assert_eq!(one.send("POST", "/api/v1/auth/logout-everywhere/", None).await.status, 200);
    is_over(&app, &one, &one_refresh).await;
    is_over(&app, &two, &two_refresh).await;
    assert_eq!(colleague.get("/api/v1/auth/me/").await.status, 200);
    let (again, _) = session(&app).await;
    assert_eq!(again.get("/api/v1/auth/me/").await.status, 200, "and a new log-in is a new session");
}

#[tokio::test]
async fn ref_4_a_session_that_is_left_alone_for_too_long_has_ended() {
    let app = Options::default().set("auth.refresh_idle_seconds", 300).start().await;
    let rest = async |seconds: i64| {
        let update = format!(
            "update bulkhead.refresh_families set rotated_at = now() - interval '{seconds} seconds'
            where tenant_id = '{}'",
            app.a.id
        );
        app.operator.execute(&update, &[]).await.expect("set back the clock");
    };
    let (_, refresh) = session(&app).await;
    rest(290).await;
    let next = app.anonymous().post(REFRESH, &json!({ "refresh": refresh })).await.expect(200).json();
    rest(301).await;
    let reply = app.anonymous().post(REFRESH, &json!({ "refresh": next["refresh"] })).await;
    let _ = reply.expect_problem(401, "token_not_valid");
}

#[tokio::test]
async fn another_server_hears_of_a_log_out_within_moments() {
    let app = TestApp::start().await;
    let second = app.launch.start().expect("a second server");
    let (client, _) = session(&app).await;
    let elsewhere = app.anonymous_at(&second).with_token(client.token(), Some(&app.a.marker));
    assert_eq!(elsewhere.get("/api/v1/auth/me/").await.status, 200);
    assert_eq!(client.send("POST", LOG_OUT, None).await.status, 200);
    until("the other server to hear of it", Duration::from_secs(5), async || {
        (elsewhere.get("/api/v1/auth/me/").await.status == 401).then_some(())
    })
    .await;
}

const APP: &str = "https://app.example.test";

fn cookie_of(reply: &Response) -> (String, String) {
    let line = reply.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {reply}"));
    let (pair, attributes) = line.split_once("; ").expect("attributes");
    (pair.to_owned(), attributes.to_owned())
}

async fn with_cookies() -> (TestApp, Client) {
    let app =
        Options::default().set("auth.refresh_cookie", true).set("cors.allowed_origins", APP).start().await;
    let page = app.anonymous().with_header("Origin", APP);
    (app, page)
}

#[tokio::test]
async fn a_page_may_have_its_refresh_token_in_a_cookie_that_scripts_cannot_read() {
    let (app, page) = with_cookies().await;
    let user = &app.a.member;
    let body = json!({ "tenant": app.a.slug, "username": user.username, "password": user.password, "refresh_in": "cookie" });
    let reply = page.post(LOG_IN, &body).await.expect(200);
    assert!(reply.json().get("refresh").is_none(), "{reply}");
    assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
    let (cookie, attributes) = cookie_of(&reply);
    for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/api/v1/auth/"] {
        assert!(attributes.contains(attribute), "{attributes}");
    }
    let browser = page.with_header("Cookie", &cookie);
    let rotated = browser.send("POST", REFRESH, Some(&json!({}))).await.expect(200);
    let (next, _) = cookie_of(&rotated);
    assert_ne!(next, cookie);
    let out = page.with_header("Cookie", &next).send("POST", LOG_OUT, None).await.expect(200);
    assert!(cookie_of(&out).1.contains("Max-Age=0"), "{out}");
    let dead = page.with_header("Cookie", &next).send("POST", REFRESH, Some(&json!({}))).await;
    let _ = dead.expect_problem(401, "token_not_valid");
}

#[tokio::test]
async fn a_cookie_counts_only_from_a_page_that_may_call_and_only_where_it_is_offered() {
    let (app, page) = with_cookies().await;
    let user = &app.a.member;
    let body = json!({ "tenant": app.a.slug, "username": user.username, "password": user.password, "refresh_in": "cookie" });
    let (cookie, _) = cookie_of(&page.post(LOG_IN, &body).await.expect(200));
    let strangers = [
        app.anonymous(),
        app.anonymous().with_header("Origin", "https://evil.example.test"),
        app.anonymous().with_header("Origin", "null"),
    ];
    for stranger in strangers {
        for path in [REFRESH, LOG_OUT] {
            let refused = stranger.with_header("Cookie", &cookie).send("POST", path, Some(&json!({}))).await;
            let _ = refused.expect_problem(403, "permission_denied");
        }
        let _ = stranger.post(LOG_IN, &body).await.expect_problem(403, "permission_denied");
    }
    assert_eq!(page.with_header("Cookie", &cookie).send("POST", REFRESH, Some(&json!({}))).await.status, 200);
    let without = TestApp::start().await;
    let user = &without.a.member;
    let body = json!({ "tenant": without.a.slug, "username": user.username, "password": user.password, "refresh_in": "cookie" });
    let _ = without
        .anonymous()
        .with_header("Origin", APP)
        .post(LOG_IN, &body)
        .await
        .expect_problem(403, "not_offered");
}
