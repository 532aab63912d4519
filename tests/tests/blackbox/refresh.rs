//! Refresh tokens (REF-1 to REF-10).

use std::collections::BTreeSet;
use std::time::Duration;

use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::http::Response;
use bulkhead_tests::keys::claims_of;
use bulkhead_tests::poll::until;
use futures_util::future::join_all;
use serde_json::json;

const PATH: &str = "/api/v1/auth/token/refresh/";

async fn refresh(app: &TestApp, token: &str) -> Response {
    app.anonymous().post(PATH, &json!({ "refresh": token })).await
}

async fn first(app: &TestApp) -> String {
    text(&app.tokens_of(&app.a, &app.a.member).await["refresh"])
}

async fn next(app: &TestApp, token: &str) -> String {
    text(&refresh(app, token).await.expect(200).json()["refresh"])
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Sets back the time of the last rotation, so that the grace is over.
async fn let_the_grace_pass(app: &TestApp) {
    let update = "update bulkhead.refresh_families set rotated_at = rotated_at - interval '1 hour'
        where tenant_id = $1::text::uuid";
    app.operator.execute(update, &[&app.a.id.to_string()]).await.expect("set back the clock");
}

#[tokio::test]
async fn ref_1_a_token_is_used_up_and_its_return_after_the_grace_ends_the_session() {
    let app = TestApp::start().await;
    let one = first(&app).await;
    let reply = refresh(&app, &one).await.expect(200);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let two = text(&reply.json()["refresh"]);
    assert_ne!(one, two);
    let access = text(&reply.json()["access"]);
    assert_eq!(app.with_token(&access, &app.a).get("/api/v1/projects/").await.status, 200);
    let_the_grace_pass(&app).await;
    let _ = refresh(&app, &one).await.expect_problem(401, "token_not_valid");
    let _ = refresh(&app, &two).await.expect_problem(401, "token_not_valid");
    let stolen = app.with_token(&access, &app.a);
    until("the session's access token to die", Duration::from_secs(5), async || {
        (stolen.get("/api/v1/projects/").await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn ref_2_of_twenty_at_once_all_go_on_with_one_successor() {
    let app = TestApp::start().await;
    let one = first(&app).await;
    let answers = join_all((0..20).map(|_| refresh(&app, &one))).await;
    let successors: BTreeSet<String> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| text(&answer.json()["refresh"]))
        .collect();
    assert_eq!(successors.len(), 1, "one lineage");
    let only = successors.first().expect("one");
    assert_eq!(refresh(&app, only).await.status, 200);
}

#[tokio::test]
async fn ref_3_a_lost_reply_can_be_asked_for_again_until_its_successor_was_used() {
    let app = TestApp::start().await;
    let one = first(&app).await;
    let two = next(&app, &one).await;
    assert_eq!(next(&app, &one).await, two, "the same successor");
    let three = next(&app, &two).await;
    let _ = refresh(&app, &one).await.expect_problem(401, "token_not_valid");
    let _ = refresh(&app, &three).await.expect_problem(401, "token_not_valid");
}

#[tokio::test]
async fn ref_4_no_number_of_refreshes_makes_a_session_live_longer() {
    let app = TestApp::start().await;
    let reply = app.tokens_of(&app.a, &app.a.member).await;
    let ends = reply["refresh_expires_at"].clone();
    let mut token = text(&reply["refresh"]);
    for _ in 0..3 {
        let reply = refresh(&app, &token).await.expect(200).json();
        assert_eq!(reply["refresh_expires_at"], ends);
        token = text(&reply["refresh"]);
    }
    let update = "update bulkhead.refresh_families set expires_at = now() where tenant_id = $1::text::uuid";
    app.operator.execute(update, &[&app.a.id.to_string()]).await.expect("end it");
    let _ = refresh(&app, &token).await.expect_problem(401, "token_not_valid");
}

#[tokio::test]
async fn ref_5_a_disabled_user_and_a_suspended_tenant_refresh_no_more_and_a_new_role_shows() {
    let app = TestApp::start().await;
    let set = async |statement: &str| app.operator.batch_execute(statement).await.expect("change");
    let (tenant, user) = (app.a.id, app.a.member.id);
    let token = first(&app).await;
    set(&format!("update bulkhead.users set role = 'viewer' where id = '{user}'")).await;
    let reply = refresh(&app, &token).await.expect(200).json();
    assert_eq!(claims_of(reply["access"].as_str().expect("a token"))["scopes"], json!(["read:*"]));
    let token = text(&reply["refresh"]);
    for (off, on) in [
        (
            format!("update bulkhead.users set status = 'disabled' where id = '{user}'"),
            format!("update bulkhead.users set status = 'active' where id = '{user}'"),
        ),
        (
            format!("update bulkhead.tenants set status = 'suspended' where id = '{tenant}'"),
            format!("update bulkhead.tenants set status = 'active' where id = '{tenant}'"),
        ),
    ] {
        set(&off).await;
        let _ = refresh(&app, &token).await.expect_problem(401, "token_not_valid");
        set(&on).await;
    }
    assert_eq!(refresh(&app, &token).await.status, 200, "a refused attempt used nothing up");
}

#[tokio::test]
async fn ref_6_a_token_with_another_tenant_or_session_in_it_is_refused_and_ends_nobodys_session() {
    let app = TestApp::start().await;
    let of_a = first(&app).await;
    let of_b = text(&app.tokens_of(&app.b, &app.b.member).await["refresh"]);
    for (from, to) in [(&of_a, &of_b), (&of_b, &of_a)] {
        // Whatever the encoding, a piece of one in the other is not a token.
        for cut in [20, 30, 47, 60] {
            let mixed = format!("{}{}", &from[..cut], &to[cut..]);
            let _ = refresh(&app, &mixed).await.expect_problem(401, "token_not_valid");
        }
    }
    assert_eq!(refresh(&app, &of_a).await.status, 200);
    assert_eq!(refresh(&app, &of_b).await.status, 200);
}

#[tokio::test]
async fn ref_7_whatever_is_not_a_refresh_token_is_refused_alike() {
    let app = TestApp::start().await;
    let genuine = first(&app).await;
    let access = text(&app.tokens_of(&app.a, &app.a.member).await["access"]);
    let long = "x".repeat(10_000);
    let cut = &genuine[..genuine.len() - 1];
    for wrong in [
        "x",
        "bhr_",
        "bhr_AAAA",
        "\u{1f511}",
        &long,
        cut,
        &format!("{genuine}A"),
        &access,
        "../../etc/passwd",
    ] {
        let _ = refresh(&app, wrong).await.expect_problem(401, "token_not_valid");
    }
    for wrong in [
        json!({}),
        json!({ "refresh": "" }),
        json!({ "refresh": 7 }),
        json!({ "refresh": null }),
        json!({ "refresh": "a\0b" }),
    ] {
        assert_eq!(app.anonymous().post(PATH, &wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(
        app.with_token(&genuine, &app.a).get("/api/v1/projects/").await.status,
        401,
        "not an access token"
    );
    assert_eq!(refresh(&app, &genuine).await.status, 200, "the genuine one is none the worse");
}

#[tokio::test]
async fn ref_10_a_token_that_was_handed_out_survives_the_death_of_the_server() {
    let mut app = Options::default().start().await;
    let one = first(&app).await;
    let two = next(&app, &one).await;
    app.server.signal("KILL");
    app.server.wait(Duration::from_secs(5));
    app.restart().await;
    assert_eq!(refresh(&app, &two).await.status, 200);
}

#[tokio::test]
async fn a_token_can_be_verified_by_whoever_holds_it() {
    let app = TestApp::start().await;
    let tokens = app.tokens_of(&app.a, &app.a.member).await;
    let verify = async |token: &str| {
        app.anonymous().post("/api/v1/auth/token/verify/", &json!({ "token": token })).await
    };
    assert_eq!(verify(&text(&tokens["access"])).await.expect(200).json(), json!({ "valid": true }));
    let _ = verify("garbage").await.expect_problem(401, "token_not_valid");
    let _ = verify(&text(&tokens["refresh"])).await.expect_problem(401, "token_not_valid");
}
