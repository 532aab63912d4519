//! What ends a client's tokens and sessions, and what does not (CLI-2, CLI-5).

use bulkhead_tests::app::TestApp;
use bulkhead_tests::client::Client;
use bulkhead_tests::keys::claims_of;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::tenants::Tenant;
use serde_json::{Value, json};

/// What a machine had before something was done to it.
struct Before {
    at_work: Client,
    refresh: Value,
}

impl Before {
    async fn of(app: &TestApp, tenant: &Tenant, machine: &Machine) -> Self {
        let at_work = machine.at_work(app, tenant).await;
        let refresh = json!({ "refresh": machine.session(app).await["refresh"] });
        let before = Self { at_work, refresh };
        assert_eq!(before.lives(app).await, (true, true), "the control");
        before
    }

    /// Whether its token is still taken, and whether its session can still be refreshed.
    async fn lives(&self, app: &TestApp) -> (bool, bool) {
        let token = self.at_work.get("/api/v1/auth/me/").await;
        let session = app.anonymous().post("/api/v1/auth/api-client/token/refresh/", &self.refresh).await;
        for answer in [&token, &session] {
            assert!(answer.status == 200 || answer.code() == "token_not_valid", "{answer}");
        }
        (token.status == 200, session.status == 200)
    }
}

#[tokio::test]
async fn a_change_of_rights_or_restrictions_ends_live_tokens_at_once_and_another_change_does_not() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let changes = [
        (json!({ "name": "another" }), true),
        (json!({ "description": "another", "metadata": { "a": 1 } }), true),
        (json!({ "roles": ["read"], "scopes": [], "allowed_ips": [], "rate_limit": null }), true),
        (json!({ "roles": ["write"] }), false),
        (json!({ "scopes": ["read:*"] }), false),
        (json!({ "allowed_ips": ["127.0.0.0/8", "::1/128"] }), false),
        (json!({ "rate_limit": 100_000 }), false),
        (json!({ "expires_at": "2999-01-01T00:00:00Z" }), false),
        (json!({ "expires_at": null }), false),
    ];
    for (change, survives) in changes {
        let before = Before::of(&app, &app.a, &machine).await;
        assert_eq!(owner.patch(&machine.path(""), &change).await.status, 200, "{change}");
        assert_eq!(before.lives(&app).await, (survives, survives), "{change}");
        assert!(machine.gets_token(&app).await, "{change}");
    }
}

#[tokio::test]
async fn a_disabled_client_has_nothing_and_gets_nothing_until_it_is_enabled() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let (machine, other) =
        (Machine::create(&owner, json!({})).await, Machine::create(&owner, json!({})).await);
    let (before, of_other) =
        (Before::of(&app, &app.a, &machine).await, Before::of(&app, &app.a, &other).await);
    let disabled = owner.send("POST", &machine.path("disable/"), None).await.expect(200).json();
    assert_eq!((&disabled["status"], &disabled["is_active"]), (&json!("disabled"), &json!(false)));
    assert_eq!(before.lives(&app).await, (false, false));
    assert!(!machine.gets_token(&app).await);
    let again = owner.send("POST", &machine.path("disable/"), None).await.expect(200).json();
    assert_eq!(again, disabled, "done is done");
    let changed = owner.patch(&machine.path(""), &json!({ "roles": ["read"] })).await.expect(200).json();
    assert_eq!(changed["status"], "disabled", "a change does not enable it");
    assert!(!machine.gets_token(&app).await);
    let enabled = owner.send("POST", &machine.path("enable/"), None).await.expect(200).json();
    assert_eq!((&enabled["status"], &enabled["is_active"]), (&json!("active"), &json!(true)));
    assert_eq!(before.lives(&app).await, (false, false), "what has ended stays so");
    assert!(machine.gets_token(&app).await);
    assert_eq!(of_other.lives(&app).await, (true, true), "nobody else noticed");
}

#[tokio::test]
async fn revoked_tokens_and_sessions_are_gone_and_the_secret_gets_new_ones() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({})).await;
    for _ in 0..2 {
        let before = Before::of(&app, &app.a, &machine).await;
        assert_eq!(owner.send("POST", &machine.path("revoke-tokens/"), None).await.status, 200);
        assert_eq!(before.lives(&app).await, (false, false));
    }
    assert!(machine.gets_token(&app).await);
}

#[tokio::test]
async fn a_deleted_client_is_gone_with_all_that_it_had() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "name": "reborn" })).await;
    let before = Before::of(&app, &app.a, &machine).await;
    assert_eq!(owner.delete(&machine.path("")).await.status, 204);
    assert_eq!(before.lives(&app).await, (false, false));
    assert!(!machine.gets_token(&app).await);
    for path in ["", "secrets/", "usage/"] {
        let _ = owner.get(&machine.path(path)).await.expect_problem(404, "not_found");
    }
    let _ = owner.delete(&machine.path("")).await.expect_problem(404, "not_found");
    let reborn = Machine::create(&owner, json!({ "name": "reborn" })).await;
    assert_ne!((&reborn.id, &reborn.client_id), (&machine.id, &machine.client_id), "the name is free again");
    assert!(!reborn.with_secret(&machine.secret).gets_token(&app).await);
    assert_eq!(before.lives(&app).await, (false, false));
}

#[tokio::test]
async fn an_end_of_the_client_ends_what_it_has_and_gets() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let end = bulkhead_domain::clock::now() + std::time::Duration::from_secs(300);
    let machine = Machine::create(&owner, json!({ "expires_at": end.to_rfc3339() })).await;
    let claims = claims_of(&machine.token(&app, None).await);
    assert!(claims["exp"].as_i64().expect("a date") <= end.timestamp(), "no token outlives it");
    let session = machine.session(&app).await;
    assert!(session["refresh_token_expires_at"].as_i64().expect("a date") <= end.timestamp());
    let refresh = json!({ "refresh": session["refresh"] });
    let past =
        "update bulkhead.api_clients set expires_at = now() - interval '1 second' where id = $1::text::uuid";
    assert_eq!(app.operator.execute(past, &[&machine.id]).await.expect("move its end"), 1);
    assert!(!machine.gets_token(&app).await);
    let refused = app.anonymous().post("/api/v1/auth/api-client/token/refresh/", &refresh).await;
    let _ = refused.expect_problem(401, "token_not_valid");
    assert_eq!(owner.patch(&machine.path(""), &json!({ "expires_at": null })).await.status, 200);
    assert!(machine.gets_token(&app).await, "prolonged");
}

#[tokio::test]
async fn cli_2_whatever_is_wrong_with_a_client_it_is_told_the_same() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let disabled = Machine::create(&owner, json!({})).await;
    assert_eq!(owner.send("POST", &disabled.path("disable/"), None).await.status, 200);
    let elsewhere = Machine::create(&owner, json!({ "allowed_ips": ["192.0.2.0/24"] })).await;
    let good = Machine::create(&owner, json!({})).await;
    let wrong = good.with_secret(&disabled.secret);
    let unknown =
        Machine { client_id: format!("{}{}", &good.client_id[..39], "0".repeat(24)), ..good.clone() };
    let rubbish = Machine { client_id: "nobody".to_owned(), ..good.clone() };
    assert!(good.gets_token(&app).await, "the control");
    let mut answers = Vec::new();
    for machine in [disabled, elsewhere.clone(), wrong, unknown, rubbish] {
        let answer = machine.ask(&app.anonymous(), None).await.expect(401);
        answers.push(crate::matrix::comparable(&answer));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    for header in ["X-Forwarded-For", "X-Real-IP", "Forwarded"] {
        let forged = app.anonymous().with_header(header, "192.0.2.7");
        assert_eq!(elsewhere.ask(&forged, None).await.status, 401, "{header}");
    }
}
