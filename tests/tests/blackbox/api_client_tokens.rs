//! The token endpoints that the older systems had for clients: what they take, what they answer, and what ends a session.
//! Also that no kind of token passes for another (TOK-15), and no kind of principal (TOK-16).

use bulkhead_domain::ids::new_id;
use bulkhead_tests::http::Response;
use bulkhead_tests::keys::claims_of;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::oauth::{
    FORM, OLD_REFRESH, OLD_TOKEN, TOKEN, World, encoded, not_kept, post_form, refused,
};
use bulkhead_tests::poll::until;
use serde_json::{Value, json};

const PEOPLES_REFRESH: &str = "/api/v1/auth/token/refresh/";

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[track_caller]
fn refuses_client(answer: &Response) {
    let problem = answer.json();
    assert_eq!(
        (answer.status, &problem["detail"], &problem["error"]),
        (401, &json!("Authentication failed"), &json!("invalid_client"))
    );
    not_kept(answer);
}

#[track_caller]
fn refuses_refresh(answer: &Response) {
    assert_eq!(
        (answer.status, &answer.json()["detail"]),
        (401, &json!("Invalid or expired refresh token")),
        "{answer}"
    );
    not_kept(answer);
}

#[tokio::test]
async fn json_a_form_and_basic_all_get_the_pair_under_its_old_and_its_new_names() {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    let body = json!({ "client_id": machine.client_id, "client_secret": machine.secret });
    let form = encoded(&machine.form());
    let client = world.anonymous();
    let json_kind = ("Content-Type", "application/json");
    let answers = [
        client.post(OLD_TOKEN, &body).await,
        client.post(OLD_TOKEN.trim_end_matches('/'), &body).await,
        client
            .raw(
                "POST",
                OLD_TOKEN,
                &[("Content-Type", "Application/JSON; charset=utf-8")],
                Some(body.to_string().as_bytes()),
            )
            .await,
        client.raw("POST", OLD_TOKEN, &[("Content-Type", FORM)], Some(form.as_bytes())).await,
        client.raw("POST", OLD_TOKEN, &[json_kind, ("Authorization", &machine.basic())], Some(b"{}")).await,
    ];
    for answer in answers {
        let answer = answer.expect(200);
        not_kept(&answer);
        let reply = answer.json();
        let members: Vec<&String> = reply.as_object().expect("an object").keys().collect();
        let expected = [
            "access",
            "access_token",
            "access_token_expires_at",
            "expires_in",
            "refresh",
            "refresh_token_expires_at",
            "scope",
            "token_type",
        ];
        assert_eq!(members, expected);
        assert_eq!((&reply["access"], &reply["token_type"]), (&reply["access_token"], &json!("Bearer")));
        let number = |name: &str| reply[name].as_i64().expect("a whole number");
        assert_eq!(
            number("access_token_expires_at"),
            claims_of(text(&reply["access"]))["exp"].as_i64().expect("a number")
        );
        assert!(
            number("refresh_token_expires_at") > number("access_token_expires_at")
                && number("expires_in") == 900
        );
        assert_eq!(world.status(&world.a, text(&reply["access"])).await, 200);
        let refreshed =
            client.post(OLD_REFRESH, &json!({ "refresh": reply["refresh"] })).await.expect(200).json();
        let members: Vec<&String> = refreshed.as_object().expect("an object").keys().collect();
        assert_eq!(
            members,
            ["access", "access_token", "access_token_expires_at", "expires_in", "scope", "token_type"]
        );
        let by_form = post_form(&client, OLD_REFRESH, &[("refresh", text(&reply["refresh"]))]).await;
        assert_eq!(by_form.status, 200);
    }
}

#[tokio::test]
async fn whoever_does_not_prove_itself_is_told_so_in_both_dialects() {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    for body in [
        json!({ "client_id": machine.client_id, "client_secret": "wrong" }),
        json!({ "client_id": "client_a1b2c3", "client_secret": machine.secret }),
        json!({ "client_id": machine.client_id }),
        json!({ "client_secret": machine.secret }),
        json!({ "client_id": "", "client_secret": null }),
        json!({}),
    ] {
        refuses_client(&world.anonymous().post(OLD_TOKEN, &body).await);
    }
    for (body, status) in [
        (json!({ "client_id": 7, "client_secret": machine.secret }), 400),
        (json!({ "client_id": [machine.client_id], "client_secret": {} }), 400),
        (json!({ "client_id": "a\0b", "client_secret": machine.secret }), 400),
    ] {
        let _ = world.anonymous().post(OLD_TOKEN, &body).await.expect_problem(status, "invalid");
    }
    let scope =
        json!({ "client_id": machine.client_id, "client_secret": machine.secret, "scope": "tenant:admin" });
    let answer = world.anonymous().post(OLD_TOKEN, &scope).await.expect_problem(400, "invalid_scope");
    not_kept(&answer);
    let query = format!("{OLD_TOKEN}?{}", encoded(&machine.form()));
    let _ = world.anonymous().post(&query, &json!({})).await.expect_problem(400, "invalid_parameter");
    for refresh in ["", "x", "a.b.c", machine.secret.as_str()] {
        let answer = world.refresh(refresh).await;
        if refresh.is_empty() { assert_eq!(answer.status, 400) } else { refuses_refresh(&answer) }
    }
}

#[tokio::test]
async fn whoever_asks_for_less_gets_no_refresh_token_that_would_give_more() {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    for (scope, has_refresh) in
        [("read:tasks", false), ("read:*", false), ("delete:* read:* write:*", true), ("", true)]
    {
        let body = json!({ "client_id": machine.client_id, "client_secret": machine.secret, "scope": scope });
        let reply = world.anonymous().post(OLD_TOKEN, &body).await.expect(200).json();
        assert_eq!(reply.get("refresh").is_some(), has_refresh, "{scope}");
        assert_eq!(reply.get("refresh_token_expires_at").is_some(), has_refresh, "{scope}");
    }
}

#[tokio::test]
async fn a_refresh_token_is_used_again_and_again_also_after_a_restart() {
    let mut world = World::usual().await;
    let machine = world.worker(&world.a).await;
    let (_, refresh) = world.pair(&machine).await;
    let mut seen = Vec::new();
    for round in 0..4 {
        if round == 2 {
            world.restart().await;
        }
        let reply = world.refresh(&refresh).await.expect(200).json();
        let access = world.noted(text(&reply["access"]));
        assert_eq!(world.status(&world.a, &access).await, 200);
        assert!(!seen.contains(&access));
        seen.push(access);
    }
}

#[tokio::test]
async fn a_session_ends_with_whatever_ends_its_client_its_secret_or_its_tenant() {
    let world = World::usual().await;
    let admin = world.admin(&world.a).await;
    for deed in [
        "disable/",
        "revoke-tokens/",
        "retire-secret/",
        "rotate",
        "delete",
        "patch",
        "client expires",
        "secret expires",
        "session expires",
    ] {
        let machine = world.worker(&world.a).await;
        let (access, refresh) = world.pair(&machine).await;
        let _ = world.refresh(&refresh).await.expect(200);
        let secrets = admin.get(&machine.path("secrets/")).await.expect(200).json();
        let past = |table: &str, column: &str| {
            format!(
                "update bulkhead.{table} set expires_at = now() - interval '1 second' where {column} = '{}'",
                machine.id
            )
        };
        let answer = match deed {
            "delete" => Some(admin.delete(&machine.path("")).await),
            "patch" => Some(admin.patch(&machine.path(""), &json!({ "roles": ["read"] })).await),
            "rotate" => Some(admin.post(&machine.path("secrets/"), &json!({ "overlap_seconds": 0 })).await),
            "retire-secret/" => {
                let body = json!({ "secret": secrets[0]["id"], "force": true });
                Some(admin.post(&machine.path(deed), &body).await)
            }
            "disable/" | "revoke-tokens/" => Some(admin.send("POST", &machine.path(deed), None).await),
            expiry => {
                let (table, column) = match expiry {
                    "client expires" => ("api_clients", "id"),
                    "secret expires" => ("api_client_secrets", "api_client_id"),
                    _ => ("api_client_sessions", "api_client_id"),
                };
                world.as_superuser(&past(table, column)).await;
                None
            }
        };
        assert!(
            answer.as_ref().is_none_or(|answer| [200, 201, 204].contains(&answer.status)),
            "{deed}: {answer:?}"
        );
        refuses_refresh(&world.refresh(&refresh).await);
        if answer.is_some() {
            assert_eq!(world.status(&world.a, &access).await, 401, "{deed}");
        }
    }
    let (_, refresh) = world.pair(&world.worker(&world.b).await).await;
    let access = world.refresh(&refresh).await.expect(200).json()["access"].clone();
    world.suspend(&world.b, true);
    refuses_refresh(&world.refresh(&refresh).await);
    until("the tenant's tokens to end", std::time::Duration::from_secs(10), async || {
        (world.status(&world.b, text(&access)).await == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn tok_15_no_token_is_taken_for_what_another_kind_is_good_for() {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    let (access, refresh) = world.pair(&machine).await;
    let person = world.tokens_of(&world.a, &world.a.member).await;
    let (person_access, person_refresh) = (text(&person["access"]), text(&person["refresh"]));
    for token in [&access, person_access, person_refresh, &machine.secret] {
        refuses_refresh(&world.refresh(token).await);
    }
    for token in [&access, refresh.as_str(), &machine.secret] {
        let answer = world.anonymous().post(PEOPLES_REFRESH, &json!({ "refresh": token })).await;
        let _ = answer.expect_problem(401, "token_not_valid");
    }
    for token in [refresh.as_str(), person_refresh, &machine.secret] {
        assert_eq!(world.status(&world.a, token).await, 401);
        let answer = world.anonymous().post("/api/v1/auth/token/verify/", &json!({ "token": token })).await;
        assert_eq!(answer.status, 401);
    }
    for secret in [access.as_str(), &refresh, person_access, person_refresh] {
        refused(
            &world.ask(&Machine { secret: secret.to_owned(), ..machine.clone() }, &[]).await,
            401,
            "invalid_client",
        );
    }
    let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let pairs = [&grant[..], &machine.form()[..]].concat();
    refused(&post_form(&world.anonymous(), TOKEN, &pairs).await, 400, "unsupported_grant_type");
    // What was tried ended nothing.
    let _ = world.refresh(&refresh).await.expect(200);
    assert_eq!(world.status(&world.a, person_access).await, 200);
}

#[tokio::test]
async fn tok_16_a_client_is_nobody_but_itself_whatever_its_token_has_for_a_subject() {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    let token = world.token(&machine).await;
    let me = world.with_token(&token, &world.a).get("/api/v1/auth/me/").await.expect(200).json();
    assert_eq!(
        (&me["kind"], &me["id"], &me["client_id"]),
        (&json!("client"), &json!(machine.id), &json!(machine.client_id))
    );
    assert!(me.get("email").is_none() && me.get("username").is_none());
    // Signed by our own key: a client with a person's id, a person with a client's, and mixtures.
    let of_client = claims_of(&token);
    let mut as_person = of_client.clone();
    as_person["sub"] = json!(world.a.member.id);
    let answer = world.with_token(&world.key.token(&as_person), &world.a).get("/api/v1/auth/me/").await;
    let _ = answer.expect_problem(404, "not_found");
    let of_person = world.claims(&world.a, machine.id.parse().expect("an id"), &["read:*"]);
    let answer = world.with_token(&world.key.token(&of_person), &world.a).get("/api/v1/auth/me/").await;
    let _ = answer.expect_problem(404, "not_found");
    let changed = |base: &Value, name: &str, value: Value| {
        let mut claims = base.clone();
        if value.is_null() {
            claims.as_object_mut().expect("claims").remove(name);
        } else {
            claims[name] = value;
        }
        claims
    };
    let person = world.claims(&world.a, world.a.member.id, &["read:*"]);
    for claims in [
        changed(&of_client, "client_type", Value::Null),
        changed(&of_client, "client_type", json!("service")),
        changed(&of_client, "client_type", json!("user")),
        changed(&of_client, "token_type", json!("service")),
        changed(&of_client, "token_type", json!("refresh")),
        changed(&of_client, "secret_id", Value::Null),
        changed(&person, "client_type", json!("service_account")),
        changed(&person, "user_id", json!(new_id())),
    ] {
        assert_eq!(world.status(&world.a, &world.key.token(&claims)).await, 401, "{claims}");
    }
}
