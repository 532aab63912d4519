//! Guessing (AUTH-6, AUTH-7, AUTH-13, fault 4.26): counted before a hash is computed, by account and network, and by account
//! over all networks that it never came from. A stranger delays himself.

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::http::Response;
use bulkhead_tests::tenants::Tenant;
use futures_util::future::join_all;
use serde_json::json;

const LOG_IN: &str = "/api/v1/auth/token/";

/// Behind a proxy, so that a test can come from anywhere.
async fn start(free: u32, hourly: u32) -> TestApp {
    Options::default()
        .set("server.trusted_proxies", "127.0.0.0/8")
        .set("limits.guesses", free)
        .set("limits.guesses_hourly", hourly)
        .start()
        .await
}

fn from(app: &TestApp, address: &str) -> Client {
    app.anonymous().with_header("X-Forwarded-For", address)
}

async fn guess(client: &Client, tenant: &Tenant, username: &str, password: &str) -> Response {
    client.post(LOG_IN, &json!({ "tenant": tenant.slug, "username": username, "password": password })).await
}

#[tokio::test]
async fn auth_6_of_fifty_guesses_at_once_no_more_are_looked_at_than_one_after_the_other() {
    let app = start(5, 100_000).await;
    let (user, attacker) = (&app.a.member, from(&app, "203.0.113.1").expecting_faults());
    let guesses =
        join_all((0..50).map(|_| guess(&attacker, &app.a, &user.username, "wrong wrong wrong"))).await;
    let looked_at = guesses.iter().filter(|answer| answer.status == 401).count();
    assert!((1..=6).contains(&looked_at), "{looked_at} of 50 were looked at");
    for refused in guesses.iter().filter(|answer| answer.status != 401) {
        // Or there was no connection for it in time.
        assert!([429, 503].contains(&refused.status), "{refused}");
        let wait: u64 = refused.header("retry-after").and_then(|wait| wait.parse().ok()).expect("a wait");
        assert!((1..=3600).contains(&wait), "{refused}");
    }
    let right = guess(&attacker, &app.a, &user.username, &user.password).await;
    assert_eq!(right.status, 429, "the right password has to wait there too: {right}");
}

#[tokio::test]
async fn auth_7_fault_4_26_a_stranger_cannot_lock_anybody_out() {
    let app = start(2, 20).await;
    let user = &app.a.member;
    let attacker = from(&app, "203.0.113.1");
    for _ in 0..30 {
        let answer = guess(&attacker, &app.a, &user.username, "wrong wrong wrong").await;
        assert!([401, 429].contains(&answer.status), "{answer}");
    }
    let own = guess(&from(&app, "198.51.100.7"), &app.a, &user.username, &user.password).await;
    assert_eq!(own.status, 200, "{own}");
}

#[tokio::test]
async fn guesses_from_many_networks_are_held_back_and_the_networks_of_the_person_are_not() {
    let app = start(100, 4).await;
    let user = &app.a.member;
    let home = from(&app, "198.51.100.7");
    assert_eq!(guess(&home, &app.a, &user.username, &user.password).await.status, 200);
    let mut answers = Vec::new();
    for host in 1..=20 {
        let bot = from(&app, &format!("203.0.113.{host}"));
        answers.push(guess(&bot, &app.a, &user.username, "wrong wrong wrong").await.status);
    }
    let looked_at = answers.iter().filter(|status| **status == 401).count();
    assert!((1..=5).contains(&looked_at), "{answers:?}");
    assert_eq!(answers.last(), Some(&429));
    assert_eq!(
        guess(&home, &app.a, &user.username, &user.password).await.status,
        200,
        "at home nothing changed"
    );
    let colleague = &app.a.viewer;
    let elsewhere =
        guess(&from(&app, "203.0.113.200"), &app.a, &colleague.username, &colleague.password).await;
    assert_eq!(elsewhere.status, 200, "another account is another budget: {elsewhere}");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_held_back_just_as_one_that_somebody_has() {
    let app = start(3, 100_000).await;
    let attacker = from(&app, "203.0.113.1");
    let nobody = format!("nobody-{}", new_id().simple());
    for (tenant, name) in
        [(&app.a, app.a.member.username.clone()), (&app.a, nobody), (&app.b, app.a.owner.username.clone())]
    {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(guess(&attacker, tenant, &name, "wrong wrong wrong").await.status);
        }
        assert_eq!(statuses, [401, 401, 401, 401, 429], "{name}");
    }
}

#[tokio::test]
async fn a_right_password_begins_anew_and_a_user_name_and_an_address_are_one_account() {
    let app = start(3, 100_000).await;
    let (user, home) = (&app.a.member, from(&app, "198.51.100.7"));
    for _ in 0..3 {
        for _ in 0..2 {
            assert_eq!(guess(&home, &app.a, &user.username, "wrong wrong wrong").await.status, 401);
        }
        assert_eq!(guess(&home, &app.a, &user.email, &user.password).await.status, 200);
    }
    let mut statuses = Vec::new();
    for name in [&user.username, &user.email, &user.username, &user.email, &user.username] {
        statuses.push(guess(&home, &app.a, name, "wrong wrong wrong").await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 429]);
}

#[tokio::test]
async fn auth_13_every_path_that_takes_a_password_counts_in_the_same_place() {
    let app = start(3, 100_000).await;
    let user = &app.a.member;
    let home = from(&app, "198.51.100.7");
    let tokens = guess(&home, &app.a, &user.username, &user.password).await.expect(200).json();
    let thief = home.with_token(tokens["access"].as_str().expect("a token"), Some(&app.a.marker));
    let change =
        json!({ "current_password": "wrong wrong wrong", "new_password": "another fine passphrase" });
    let enrol = json!({ "password": "wrong wrong wrong" });
    let link = json!({ "current_password": "wrong wrong wrong", "tenant": app.b.slug, "username": "x", "password": "x" });
    let statuses = [
        thief.post("/api/v1/auth/password/change/", &change).await.status,
        thief.post("/api/v1/auth/me/second-factor/", &enrol).await.status,
        thief.post("/api/v1/auth/links/", &link).await.status,
        guess(&home, &app.a, &user.username, "wrong wrong wrong").await.status,
    ];
    assert_eq!(statuses, [400, 400, 400, 401]);
    for (path, body) in [
        ("/api/v1/auth/password/change/", &change),
        ("/api/v1/auth/me/second-factor/", &enrol),
        ("/api/v1/auth/links/", &link),
    ] {
        let _ = thief.post(path, body).await.expect_problem(429, "throttled");
    }
    assert_eq!(guess(&home, &app.a, &user.username, &user.password).await.status, 429);
}
