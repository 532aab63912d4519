//! Second factors: set up, asked for, taken once, recovered and taken away.

use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::tenants::User;
use bulkhead_tests::totp::code;
use futures_util::future::join_all;
use serde_json::{Value, json};

const LOG_IN: &str = "/api/v1/auth/token/";
const STEP: &str = "/api/v1/auth/second-factor/";
const MINE: &str = "/api/v1/auth/me/second-factor/";

/// A person with a second factor: its client, the secret, the recovery codes.
async fn enrolled(app: &TestApp, user: &User) -> (Client, String, Vec<String>) {
    let client = app.log_in(&app.a, user).await;
    let begun = client.post(MINE, &json!({ "password": user.password })).await.expect(201);
    assert_eq!(begun.header("cache-control"), Some("no-store"));
    let secret = begun.json()["secret"].as_str().expect("a secret").to_owned();
    assert!(begun.json()["uri"].as_str().expect("a URI").contains(&secret));
    let body = json!({ "code": code(&secret, -1) });
    let confirmed = client.post(&format!("{MINE}confirm/"), &body).await.expect(200).json();
    let codes = confirmed["recovery_codes"].as_array().expect("codes").iter();
    let codes: Vec<String> = codes.map(|code| code.as_str().expect("a code").to_owned()).collect();
    assert_eq!(codes.len(), 10);
    (client, secret, codes)
}

fn credentials(app: &TestApp, user: &User) -> Value {
    json!({ "tenant": app.a.slug, "username": user.username, "password": user.password })
}

fn and_code(mut body: Value, code: &str) -> Value {
    body["code"] = json!(code);
    body
}

async fn challenge(app: &TestApp, user: &User) -> String {
    let refused = app.anonymous().post(LOG_IN, &credentials(app, user)).await;
    let refused = refused.expect_problem(403, "second_factor_required").json();
    refused["challenge"].as_str().expect("a challenge").to_owned()
}

#[tokio::test]
async fn a_confirmed_factor_is_asked_for_in_one_step_or_in_two() {
    let app = TestApp::start().await;
    let user = &app.a.member;
    let (_, secret, _) = enrolled(&app, user).await;
    let challenge = challenge(&app, user).await;
    let body = json!({ "challenge": challenge, "code": code(&secret, 0) });
    let tokens = app.anonymous().post(STEP, &body).await.expect(200).json();
    let client = app.with_token(tokens["access"].as_str().expect("a token"), &app.a);
    assert_eq!(client.get("/api/v1/auth/me/").await.status, 200);
    let at_once = and_code(credentials(&app, user), &code(&secret, 1));
    assert_eq!(app.anonymous().post(LOG_IN, &at_once).await.status, 200);
    let state = client.get(MINE).await.expect(200).json();
    assert_eq!((&state["enabled"], &state["recovery_codes_left"]), (&json!(true), &json!(10)));
}

#[tokio::test]
async fn an_unconfirmed_factor_asks_for_nothing_and_a_wrong_first_code_does_not_confirm_it() {
    let app = TestApp::start().await;
    let user = &app.a.member;
    let client = app.log_in(&app.a, user).await;
    let _ =
        client.post(MINE, &json!({ "password": "wrong wrong wrong" })).await.expect_problem(400, "invalid");
    let secret = client.post(MINE, &json!({ "password": user.password })).await.expect(201).json();
    let path = format!("{MINE}confirm/");
    for wrong in ["000000", "", "12345", "abcdef", &code(secret["secret"].as_str().expect("a secret"), 40)] {
        let _ = client.post(&path, &json!({ "code": wrong })).await.expect_problem(400, "invalid");
    }
    assert_eq!(app.anonymous().post(LOG_IN, &credentials(&app, user)).await.status, 200);
    assert_eq!(client.get(MINE).await.expect(200).json()["enabled"], false);
}

#[tokio::test]
async fn no_code_is_taken_twice_not_even_at_the_same_moment() {
    let app = TestApp::start().await;
    let user = &app.a.member;
    let (_, secret, codes) = enrolled(&app, user).await;
    let anonymous = app.anonymous();
    for code in [code(&secret, 0), codes[0].clone()] {
        let body = and_code(credentials(&app, user), &code);
        let answers = join_all((0..8).map(|_| anonymous.post(LOG_IN, &body))).await;
        let taken = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(taken, 1, "{code}");
        let _ = anonymous.post(LOG_IN, &body).await.expect_problem(401, "authentication_failed");
    }
    // An older step than the last is used up as well.
    let older = and_code(credentials(&app, user), &code(&secret, -1));
    let _ = anonymous.post(LOG_IN, &older).await.expect_problem(401, "authentication_failed");
}

#[tokio::test]
async fn a_recovery_code_lets_in_once_however_it_is_written_and_can_be_replaced() {
    let app = TestApp::start().await;
    let user = &app.a.member;
    let (client, secret, codes) = enrolled(&app, user).await;
    let sloppy = codes[0].to_lowercase().replace('-', " ");
    assert_eq!(app.anonymous().post(LOG_IN, &and_code(credentials(&app, user), &sloppy)).await.status, 200);
    assert_eq!(client.get(MINE).await.expect(200).json()["recovery_codes_left"], 9);
    let proof = json!({ "password": user.password, "code": code(&secret, 0) });
    let renewed = client.post(&format!("{MINE}recovery-codes/"), &proof).await.expect(200).json();
    let old = and_code(credentials(&app, user), &codes[1]);
    let _ = app.anonymous().post(LOG_IN, &old).await.expect_problem(401, "authentication_failed");
    let new = and_code(credentials(&app, user), renewed["recovery_codes"][0].as_str().expect("a code"));
    assert_eq!(app.anonymous().post(LOG_IN, &new).await.status, 200);
}

#[tokio::test]
async fn a_challenge_is_only_good_with_a_code_for_its_own_account_until_sessions_are_ended() {
    let app = TestApp::start().await;
    let (user, other) = (&app.a.member, &app.a.viewer);
    let (client, secret, _) = enrolled(&app, user).await;
    let (_, other_secret, _) = enrolled(&app, other).await;
    let challenge = challenge(&app, user).await;
    for (token, code) in
        [(challenge.clone(), code(&other_secret, 0)), (challenge.clone(), "000000".to_owned())]
    {
        let body = json!({ "challenge": token, "code": code });
        let _ = app.anonymous().post(STEP, &body).await.expect_problem(401, "authentication_failed");
    }
    for rubbish in ["rubbish", &challenge[..challenge.len() - 1], client.token()] {
        let body = json!({ "challenge": rubbish, "code": code(&secret, 0) });
        let _ = app.anonymous().post(STEP, &body).await.expect_problem(401, "token_not_valid");
    }
    // It is no token of any other kind.
    let as_access = app.with_token(&challenge, &app.a).get("/api/v1/auth/me/").await;
    let _ = as_access.expect_problem(401, "token_not_valid");
    assert_eq!(client.send("POST", "/api/v1/auth/logout-everywhere/", None).await.status, 200);
    let body = json!({ "challenge": challenge, "code": code(&secret, 0) });
    let _ = app.anonymous().post(STEP, &body).await.expect_problem(401, "token_not_valid");
}

#[tokio::test]
async fn it_is_switched_off_by_password_and_code_and_taken_away_by_an_administrator_but_an_owners_by_owners()
{
    let app = TestApp::start().await;
    let user = &app.a.member;
    let (client, secret, codes) = enrolled(&app, user).await;
    let off = format!("{MINE}disable/");
    for wrong in [
        json!({ "password": "wrong wrong wrong", "code": codes[0] }),
        json!({ "password": user.password, "code": "000000" }),
    ] {
        let _ = client.post(&off, &wrong).await.expect_problem(400, "invalid");
    }
    let proof = json!({ "password": user.password, "code": code(&secret, 0) });
    assert_eq!(client.post(&off, &proof).await.status, 204);
    assert_eq!(app.anonymous().post(LOG_IN, &credentials(&app, user)).await.status, 200);

    enrolled(&app, user).await;
    enrolled(&app, &app.a.owner).await;
    let admin = app.log_in(&app.a, &app.a.admin).await;
    let path = |user: &User| format!("/api/v1/users/{}/second-factor/", user.id);
    assert_eq!(admin.delete(&path(user)).await.status, 204);
    assert_eq!(app.anonymous().post(LOG_IN, &credentials(&app, user)).await.status, 200);
    let _ = admin.delete(&path(&app.a.owner)).await.expect_problem(403, "permission_denied");
    let _ = admin.delete(&path(&app.b.owner)).await.expect_problem(404, "not_found");
    let _ = client.delete(&path(&app.a.admin)).await.expect_problem(403, "insufficient_scope");
    // A token alone does not switch the own one off.
    let (admin, _, _) = enrolled(&app, &app.a.admin).await;
    let _ = admin.delete(&path(&app.a.admin)).await.expect_problem(403, "permission_denied");
    assert_eq!(admin.get(MINE).await.expect(200).json()["enabled"], true);
}

#[tokio::test]
async fn a_right_password_alone_does_not_begin_the_count_of_guessed_codes_anew() {
    let app = Options::default().set("limits.guesses", 5).start().await;
    let user = &app.a.member;
    let (client, _, _) = enrolled(&app, user).await;
    let guess = json!({ "password": user.password, "code": "000000" });
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(client.post(&format!("{MINE}disable/"), &guess).await.status);
        // Right, and no proof of the second factor.
        statuses.push(client.post(MINE, &json!({ "password": user.password })).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn secrets_are_sealed_in_the_database_and_in_no_log() {
    let app = TestApp::start().await;
    let (_, secret, codes) = enrolled(&app, &app.a.member).await;
    let query = "select secret, encode(secret, 'base64') from bulkhead.second_factors where tenant_id = $1::text::uuid";
    let row = app.operator.query_one(query, &[&app.a.id.to_string()]).await.expect("the row");
    let stored: Vec<u8> = row.get(0);
    assert!(stored.len() > 20, "sealed");
    assert!(!String::from_utf8_lossy(&stored).contains(&secret));
    let log = app.server.output();
    assert!(!log.contains(&secret) && codes.iter().all(|code| !log.contains(code)));
}
