//! Log-in by password (AUTH-1 to AUTH-14): tenant and name are one key.

use std::time::Duration;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{PUBLIC_URL, TestApp};
use bulkhead_tests::http::Response;
use bulkhead_tests::keys::claims_of;
use bulkhead_tests::tenants::{self, PASSWORD};
use serde_json::{Value, json};

use crate::matrix::comparable;

const PATH: &str = "/api/v1/auth/token/";

async fn log_in(app: &TestApp, body: &Value) -> Response {
    app.anonymous().post(PATH, body).await
}

#[tokio::test]
async fn auth_1_the_right_triple_gets_tokens_that_no_cache_may_keep() {
    let app = TestApp::start().await;
    let user = &app.a.member;
    for path in [PATH, "/api/v1/auth/token", "/api/v1/auth/login/", "/api/v1/auth/login"] {
        let body = json!({ "tenant": app.a.slug, "username": user.username, "password": PASSWORD });
        let reply = app.anonymous().post(path, &body).await.expect(200);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let tokens = reply.json();
        assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
        let claims = claims_of(tokens["access"].as_str().expect("a token"));
        for (name, value) in [
            ("iss", json!(PUBLIC_URL)),
            ("sub", json!(user.id)),
            ("user_id", json!(user.id)),
            ("tenant", json!(app.a.id)),
            ("tenant_id", json!(app.a.id)),
            ("tenant_slug", json!(app.a.slug)),
            ("username", json!(user.username)),
            ("roles", json!(["member"])),
            ("scopes", json!(["read:*", "write:*", "delete:*"])),
            ("scope", json!("read:* write:* delete:*")),
            ("token_type", json!("access")),
            ("exp", tokens["access_expires_at"].clone()),
        ] {
            assert_eq!(claims[name], value, "{name}");
        }
        let me = app.with_token(tokens["access"].as_str().expect("a token"), &app.a);
        let me = me.get("/api/v1/auth/me/").await.expect(200).json();
        assert_eq!(
            (&me["id"], &me["email"], &me["role"], &me["tenant_slug"]),
            (&json!(user.id), &json!(user.email), &json!("member"), &json!(app.a.slug))
        );
    }
}

#[tokio::test]
async fn a_tenant_is_named_by_slug_by_id_or_by_host_and_a_person_by_name_or_address_in_json_or_a_form() {
    let app = TestApp::start().await;
    let (tenant, user) = (&app.a, &app.a.member);
    for name in [
        tenant.slug.clone(),
        tenant.slug.to_uppercase(),
        tenant.id.to_string(),
        tenant.id.to_string().to_uppercase(),
    ] {
        for field in ["username", "email"] {
            for value in
                [&user.username, &user.email, &user.username.to_uppercase(), &user.email.to_uppercase()]
            {
                let reply =
                    log_in(&app, &json!({ "tenant": name, field: value, "password": PASSWORD })).await;
                let claims = claims_of(reply.expect(200).json()["access"].as_str().expect("a token"));
                assert_eq!(claims["tenant"], json!(tenant.id));
            }
        }
    }
    let by_host = json!({ "username": user.username, "password": PASSWORD });
    for host in [tenant.host.clone(), format!("{}:8000", tenant.host), tenant.host.to_uppercase()] {
        let reply = app.anonymous().with_header("Host", &host).post(PATH, &by_host).await;
        assert_eq!(reply.status, 200, "{host}: {reply}");
    }
    // The body's word goes before the host's.
    let body = json!({ "tenant": tenant.slug, "username": user.username, "password": PASSWORD });
    let reply = app.anonymous().with_header("Host", &app.b.host).post(PATH, &body).await;
    assert_eq!(reply.status, 200, "{reply}");
    let form =
        format!("tenant={}&username={}&password={}", tenant.slug, user.username, PASSWORD.replace(' ', "+"));
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let reply = app.anonymous().raw("POST", PATH, &kind, Some(form.as_bytes())).await;
    assert_eq!(reply.status, 200, "{reply}");
    let twice = format!("{form}&tenant={}", app.b.slug);
    let reply = app.anonymous().raw("POST", PATH, &kind, Some(twice.as_bytes())).await;
    assert_eq!(reply.status, 400, "RFC 6749 §3.2: a parameter must not be there twice: {reply}");
}

#[tokio::test]
async fn auth_2_fault_4_3_a_user_of_a_who_names_b_gets_exactly_the_answer_to_a_wrong_password() {
    let app = TestApp::start().await;
    let user = &app.a.owner;
    let wrong = json!({ "tenant": app.a.slug, "username": user.username, "password": "wrong wrong wrong" });
    let wrong = log_in(&app, &wrong).await.expect_problem(401, "authentication_failed");
    let foreign_names = [app.b.slug.clone(), app.b.id.to_string()];
    for tenant in foreign_names {
        for name in [&user.username, &user.email] {
            let foreign =
                log_in(&app, &json!({ "tenant": tenant, "username": name, "password": PASSWORD })).await;
            assert_eq!(comparable(&foreign), comparable(&wrong));
        }
    }
    let body = json!({ "username": user.username, "password": PASSWORD });
    let foreign = app.anonymous().with_header("Host", &app.b.host).post(PATH, &body).await;
    assert_eq!(comparable(&foreign), comparable(&wrong));
    let query = "select count(*) from bulkhead.refresh_families where tenant_id = $1::text::uuid";
    let sessions: i64 = app.operator.query_one(query, &[&app.b.id.to_string()]).await.expect("count").get(0);
    assert_eq!(sessions, 0, "no session of B was opened");
}

#[tokio::test]
async fn auth_3_the_same_address_in_two_tenants_is_two_people_with_a_password_each() {
    let app = TestApp::start().await;
    let name = format!("shared-{}", new_id().simple());
    let email = format!("{name}@example.test");
    let mut people = Vec::new();
    for (tenant, password) in [(&app.a, "the first passphrase"), (&app.b, "the second passphrase")] {
        people.push((
            tenant,
            tenants::add_user(&app.operator, tenant.id, &name, &email, "member", password).await,
        ));
    }
    for (tenant, owner_of_row) in &people {
        for (_, owner_of_password) in &people {
            let body =
                json!({ "tenant": tenant.slug, "email": email, "password": owner_of_password.password });
            let reply = log_in(&app, &body).await;
            if owner_of_row.id == owner_of_password.id {
                let claims = claims_of(reply.expect(200).json()["access"].as_str().expect("a token"));
                assert_eq!((&claims["tenant"], &claims["sub"]), (&json!(tenant.id), &json!(owner_of_row.id)));
            } else {
                let _ = reply.expect_problem(401, "authentication_failed");
            }
        }
    }
}

#[tokio::test]
async fn auth_4_whatever_is_wrong_the_answer_is_the_same_until_the_password_is_right() {
    let app = TestApp::start().await;
    let suspended = tenants::create(&app.operator).await;
    let update = "update bulkhead.tenants set status = 'suspended' where id = $1::text::uuid";
    app.operator.execute(update, &[&suspended.id.to_string()]).await.expect("suspend");
    let update = "update bulkhead.users set status = 'disabled' where id = $1::text::uuid";
    app.operator.execute(update, &[&app.a.viewer.id.to_string()]).await.expect("disable");
    let right = PASSWORD;
    let cases = [
        ("unknown tenant", "no-such-tenant", app.a.member.username.as_str(), right),
        ("unknown tenant id", &new_id().to_string(), &app.a.member.username, right),
        ("unsound tenant", "'; drop table tenants; --", &app.a.member.username, right),
        ("unknown name", &app.a.slug, "nobody-at-all", right),
        ("very long name", &app.a.slug, &"n".repeat(5000), right),
        ("wrong password", &app.a.slug, &app.a.member.username, "wrong wrong wrong"),
        ("disabled user, wrong password", &app.a.slug, &app.a.viewer.username, "wrong wrong wrong"),
        (
            "suspended tenant, wrong password",
            &suspended.slug,
            &suspended.member.username,
            "wrong wrong wrong",
        ),
    ];
    let mut answers = Vec::new();
    for (what, tenant, username, password) in cases {
        let reply =
            log_in(&app, &json!({ "tenant": tenant, "username": username, "password": password })).await;
        answers.push((what, comparable(&reply)));
    }
    for (what, answer) in &answers {
        assert_eq!((answer, answer.0), (&answers[0].1, 401), "{what}");
    }
    let body = json!({ "tenant": suspended.slug, "username": suspended.member.username, "password": right });
    let _ = log_in(&app, &body).await.expect_problem(403, "tenant_inactive");
    let body = json!({ "tenant": app.a.slug, "username": app.a.viewer.username, "password": right });
    assert!([401, 403].contains(&log_in(&app, &body).await.status), "a disabled user never gets in");
}

/// The time of an answer must not tell what was wrong. Samples are interleaved, so that whatever else the machine does
/// hits all alike, and the bound is one that a missing hash (a factor of ten and more) cannot meet.
#[tokio::test]
async fn auth_5_an_unknown_tenant_an_unknown_name_and_a_foreign_tenant_take_as_long_as_a_wrong_password() {
    let app = TestApp::start().await;
    let unknown = "no-such-tenant".to_owned();
    let user = &app.a.member.username;
    let cases = [
        (&app.a.slug, user.as_str(), "wrong wrong wrong"),
        (&unknown, user, PASSWORD),
        (&app.a.slug, "nobody", PASSWORD),
        (&app.b.slug, user, PASSWORD),
    ];
    let mut times = vec![Vec::new(); cases.len()];
    for _ in 0..25 {
        for ((tenant, username, password), times) in cases.iter().zip(&mut times) {
            let body = json!({ "tenant": tenant, "username": username, "password": password });
            times.push(log_in(&app, &body).await.expect(401).took);
        }
    }
    let medians: Vec<Duration> = times
        .iter_mut()
        .map(|times| {
            times.sort();
            times[times.len() / 2]
        })
        .collect();
    for median in &medians {
        let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
        assert!(
            (0.33..3.0).contains(&ratio),
            "wrong password, unknown tenant, unknown name, foreign: {medians:?}"
        );
    }
}

#[tokio::test]
async fn auth_9_passwords_are_compared_whole_and_absurd_ones_are_refused_unread() {
    let app = TestApp::start().await;
    let long = "p".repeat(72);
    let name = format!("long-{}", new_id().simple());
    let email = format!("{name}@example.test");
    tenants::add_user(&app.operator, app.a.id, &name, &email, "member", &format!("{long}a")).await;
    let attempt = async |password: &str| {
        log_in(&app, &json!({ "tenant": app.a.slug, "username": name, "password": password })).await.status
    };
    assert_eq!(attempt(&format!("{long}a")).await, 200);
    for other in
        [format!("{long}b"), format!("{long}a "), format!(" {long}a"), format!("{long}A"), long.clone()]
    {
        assert_eq!(attempt(&other).await, 401, "{other:?}");
    }
    assert!([400, 401].contains(&attempt(&format!("{long}a\0")).await), "NUL");
    assert!([400, 413].contains(&attempt(&"x".repeat(1 << 20)).await), "a mebibyte");
    assert!([400, 401, 413].contains(&attempt(&"x".repeat(10_000)).await), "ten kilobytes");
}

#[tokio::test]
async fn auth_10_an_address_is_matched_by_its_normal_form() {
    let app = TestApp::start().await;
    let name = format!("jürgen-{}", new_id().simple());
    let email = format!("{name}@example.test");
    tenants::add_user(&app.operator, app.a.id, &name, &email, "member", PASSWORD).await;
    let decomposed = email.replace('ü', "u\u{308}");
    for spelling in [email.clone(), email.to_uppercase(), decomposed.clone(), format!("  {email} ")] {
        let body = json!({ "tenant": app.a.slug, "email": spelling, "password": PASSWORD });
        assert_eq!(log_in(&app, &body).await.status, 200, "{spelling:?}");
    }
}

#[tokio::test]
async fn auth_14_credentials_in_a_query_are_refused_and_never_echoed() {
    let app = TestApp::start().await;
    let secret = "an-unusual-secret-word";
    let query = format!("{PATH}?tenant={}&username={}&password={secret}", app.a.slug, app.a.member.username);
    let refused = app.anonymous().get(&query).await.expect_problem(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), Some("POST, OPTIONS"));
    let empty = app.anonymous().post(&query, &json!({})).await.expect_problem(400, "invalid");
    let wrong = json!({ "tenant": app.a.slug, "username": app.a.member.username, "password": secret });
    let wrong = log_in(&app, &wrong).await.expect(401);
    let broken = app
        .anonymous()
        .raw("POST", PATH, &[("Content-Type", "application/json")], Some(secret.as_bytes()))
        .await;
    for answer in [&refused, &empty, &wrong, &broken.expect(400)] {
        assert!(!answer.text().contains(secret), "{answer}");
    }
    assert!(!app.server.output().contains(secret), "in the log: {}", app.server.output());
}

#[tokio::test]
async fn what_is_missing_from_a_log_in_is_named() {
    let app = TestApp::start().await;
    for (body, field) in [
        (json!({ "tenant": app.a.slug, "password": "x" }), "username"),
        (json!({ "tenant": app.a.slug, "username": "x" }), "password"),
        (json!({ "tenant": app.a.slug, "username": "x", "password": 7 }), "password"),
        (json!({ "tenant": ["x"], "username": "x", "password": "x" }), "tenant"),
        (json!({ "tenant": app.a.slug, "username": {}, "password": "x" }), "username"),
    ] {
        let problem = log_in(&app, &body).await.expect_problem(400, "invalid").json();
        assert!(problem["errors"][field].is_array(), "{problem}");
    }
}
