//! What stands beside the token endpoint: introspection (RFC 7662), revocation (RFC 7009), and what clients discover
//! (RFC 8414, 7517, 9728).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulkhead_tests::app::PUBLIC_URL;
use bulkhead_tests::http::Response;
use bulkhead_tests::keys::{Key, claims_of};
use bulkhead_tests::machine::Machine;
use bulkhead_tests::oauth::{FORM, INTROSPECT, REVOKE, World, encoded, not_kept, post_form, refused};
use serde_json::{Value, json};

async fn send(
    world: &World,
    target: &str,
    machine: &Machine,
    token: &str,
    more: &[(&str, &str)],
) -> Response {
    let pairs = [&machine.form()[..], &[("token", token)], more].concat();
    post_form(&world.anonymous(), target, &pairs).await
}

async fn introspected(world: &World, machine: &Machine, token: &str) -> Value {
    let answer = send(world, INTROSPECT, machine, token, &[]).await.expect(200);
    not_kept(&answer);
    answer.json()
}

async fn revoke(world: &World, machine: &Machine, token: &str, more: &[(&str, &str)]) {
    let answer = send(world, REVOKE, machine, token, more).await.expect(200);
    not_kept(&answer);
    assert!(answer.body.is_empty(), "{answer}");
}

fn inactive() -> Value {
    json!({ "active": false })
}

#[tokio::test]
async fn introspection_tells_a_client_what_its_own_token_says() {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    let token = world.token(&machine).await;
    let claims = claims_of(&token);
    let expected = json!({
        "active": true, "scope": "read:* write:* delete:*", "client_id": machine.client_id, "token_type": "Bearer",
        "exp": claims["exp"], "iat": claims["iat"], "sub": machine.id, "aud": "multitenant-api", "iss": PUBLIC_URL,
        "jti": claims["jti"], "tenant": world.a.id,
    });
    assert_eq!(introspected(&world, &machine, &token).await, expected);
    for hint in ["access_token", "refresh_token", "nonsense", ""] {
        let answer =
            send(&world, INTROSPECT, &machine, &token, &[("token_type_hint", hint)]).await.expect(200);
        assert_eq!(answer.json(), expected, "a hint is a hint: {hint}");
    }
    let (_, refresh) = world.pair(&machine).await;
    let session = introspected(&world, &machine, &refresh).await;
    assert_eq!((&session["active"], &session["token_type"]), (&json!(true), &json!("refresh_token")));
    assert_eq!((&session["client_id"], &session["tenant"]), (&json!(machine.client_id), &json!(world.a.id)));
    let person = world.tokens_of(&world.a, &world.a.member).await;
    let of_person = introspected(&world, &machine, person["access"].as_str().expect("a token")).await;
    assert_eq!((&of_person["active"], &of_person["sub"]), (&json!(true), &json!(world.a.member.id)));
}

#[tokio::test]
async fn whatever_is_not_a_live_token_of_the_callers_tenant_is_inactive_and_nothing_else_is_said() {
    let world = World::usual().await;
    let (mine, theirs) = (world.worker(&world.a).await, world.worker(&world.b).await);
    let (access, refresh) = world.pair(&theirs).await;
    let token = world.token(&mine).await;
    let mut expired = claims_of(&token);
    for name in ["exp", "iat", "nbf"] {
        expired[name] = json!(expired[name].as_i64().expect("a number") - 10_000);
    }
    let foreign = Key::generate().token(&claims_of(&token));
    let of_people =
        [world.tokens_of(&world.b, &world.b.owner).await, world.tokens_of(&world.a, &world.a.owner).await];
    let text = |value: &Value| value.as_str().expect("a token").to_owned();
    let forged = format!("{}x", &refresh[..refresh.len() - 1]);
    for token in [
        access,
        refresh.clone(),
        world.key.token(&expired),
        foreign,
        "rubbish".to_owned(),
        "a.b.c".to_owned(),
        token[..token.len() - 4].to_owned(),
        forged,
        "x".repeat(9_000),
        text(&of_people[0]["access"]),
        text(&of_people[0]["refresh"]),
        // Of the same tenant: an access token may be asked about, a person's session is nobody else's business.
        text(&of_people[1]["refresh"]),
        mine.secret.clone(),
    ] {
        assert_eq!(introspected(&world, &mine, &token).await, inactive(), "{token}");
    }
    revoke(&world, &mine, &token, &[]).await;
    assert_eq!(introspected(&world, &mine, &token).await, inactive(), "revoked");
}

#[tokio::test]
async fn introspection_and_revocation_are_for_proven_clients_and_for_post_alone() {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    let token = world.token(&machine).await;
    let wrong = Machine { secret: "wrong".to_owned(), ..machine.clone() };
    for target in [INTROSPECT, REVOKE] {
        refused(&send(&world, target, &wrong, &token, &[]).await, 401, "invalid_client");
        refused(&post_form(&world.anonymous(), target, &[("token", &token)]).await, 401, "invalid_client");
        let bearer = world.with_token(&token, &world.a);
        refused(&post_form(&bearer, target, &[("token", &token)]).await, 401, "invalid_client");
        refused(&post_form(&world.anonymous(), target, &machine.form()).await, 400, "invalid_request");
        refused(&send(&world, target, &machine, &token, &[("token", "x")]).await, 400, "invalid_request");
        let query = format!("{target}?{}", encoded(&machine.form()));
        for method in ["GET", "PUT", "DELETE"] {
            let answer = world.anonymous().raw(method, &query, &[], None).await;
            refused(&answer, 405, "invalid_request");
            assert_eq!(answer.header_list("allow"), "POST, OPTIONS");
        }
        let json = [("Content-Type", "application/json")];
        refused(&world.anonymous().raw("POST", target, &json, Some(b"{}")).await, 415, "invalid_request");
        let body = encoded(&[("token", &token)]);
        let basic = [("Content-Type", FORM), ("Authorization", &machine.basic())];
        assert_eq!(world.anonymous().raw("POST", target, &basic, Some(body.as_bytes())).await.status, 200);
    }
}

#[tokio::test]
async fn a_client_ends_one_access_token_at_once_and_that_one_alone() {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    for hint in [
        &[][..],
        &[("token_type_hint", "access_token")],
        &[("token_type_hint", "refresh_token")],
        &[("token_type_hint", "unheard_of")],
    ] {
        let (ended, other) = (world.token(&machine).await, world.token(&machine).await);
        revoke(&world, &machine, &ended, hint).await;
        assert_eq!(world.status(&world.a, &ended).await, 401, "{hint:?}");
        assert_eq!(world.status(&world.a, &other).await, 200, "{hint:?}");
        revoke(&world, &machine, &ended, hint).await;
    }
}

#[tokio::test]
async fn a_client_ends_its_refresh_token_with_every_access_token_that_came_of_it() {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    let ((access, refresh), (other, other_refresh)) =
        (world.pair(&machine).await, world.pair(&machine).await);
    let refreshed =
        world.refresh(&refresh).await.expect(200).json()["access"].as_str().expect("a token").to_owned();
    revoke(&world, &machine, &refresh, &[]).await;
    for token in [&access, &refreshed] {
        assert_eq!(world.status(&world.a, token).await, 401);
    }
    let _ = world.refresh(&refresh).await.expect_problem(401, "token_not_valid");
    assert_eq!(introspected(&world, &machine, &refresh).await, inactive());
    assert_eq!(world.status(&world.a, &other).await, 200);
    let _ = world.refresh(&other_refresh).await.expect(200);
}

#[tokio::test]
async fn what_belongs_to_somebody_else_survives_and_the_answer_is_the_same() {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    let person = world.tokens_of(&world.a, &world.a.member).await;
    let (person_access, person_refresh) = (person["access"].as_str().expect("a token"), &person["refresh"]);
    revoke(&world, &machine, person_access, &[]).await;
    revoke(&world, &machine, person_refresh.as_str().expect("a token"), &[]).await;
    assert_eq!(world.status(&world.a, person_access).await, 200);
    for tenant in [&world.a, &world.b] {
        let other = world.worker(tenant).await;
        let (access, refresh) = world.pair(&other).await;
        revoke(&world, &machine, &access, &[]).await;
        revoke(&world, &machine, &refresh, &[]).await;
        assert_eq!(world.status(tenant, &access).await, 200);
        let _ = world.refresh(&refresh).await.expect(200);
    }
    for rubbish in ["rubbish", "a.b.c", &machine.secret] {
        revoke(&world, &machine, rubbish, &[]).await;
    }
    let refresh =
        world.anonymous().post("/api/v1/auth/token/refresh/", &json!({ "refresh": person_refresh })).await;
    assert_eq!(refresh.status, 200);
}

#[tokio::test]
async fn the_metadata_says_who_issues_tokens_and_what_the_endpoints_take() {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    let answer = world.anonymous().get("/.well-known/oauth-authorization-server").await.expect(200);
    assert!(answer.header_list("cache-control").starts_with("public, max-age="), "{answer}");
    let metadata = answer.json();
    assert_eq!(metadata["issuer"], claims_of(&world.token(&machine).await)["iss"], "to the letter");
    for (name, path) in [
        ("token_endpoint", "/oauth/token"),
        ("introspection_endpoint", "/oauth/introspect"),
        ("revocation_endpoint", "/oauth/revoke"),
        ("jwks_uri", "/.well-known/jwks.json"),
    ] {
        assert_eq!(metadata[name], format!("{PUBLIC_URL}{path}"), "{name}");
    }
    assert_eq!(metadata["response_types_supported"], json!([]));
    assert_eq!(metadata["grant_types_supported"], json!(["client_credentials"]));
    for name in ["token", "introspection", "revocation"] {
        let methods = &metadata[format!("{name}_endpoint_auth_methods_supported")];
        assert_eq!(methods, &json!(["client_secret_basic", "client_secret_post"]), "{name}");
    }
    let scopes = metadata["scopes_supported"].as_array().expect("scopes").clone();
    for scope in ["read:projects", "write:tasks", "delete:documents", "tenant:admin"] {
        assert!(scopes.contains(&json!(scope)), "{scope}");
    }
    let resource = world.anonymous().get("/.well-known/oauth-protected-resource").await.expect(200).json();
    assert_eq!(
        (&resource["resource"], &resource["authorization_servers"]),
        (&json!(PUBLIC_URL), &json!([metadata["issuer"]]))
    );
    assert_eq!(
        (&resource["jwks_uri"], &resource["bearer_methods_supported"]),
        (&metadata["jwks_uri"], &json!(["header"]))
    );
    assert_eq!(resource["scopes_supported"], json!(scopes));
}

#[tokio::test]
async fn the_published_keys_verify_a_real_token_and_hold_nothing_private() {
    let world = World::usual().await;
    let token = world.token(&world.worker(&world.a).await).await;
    let answer = world.anonymous().get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(answer.header_list("cache-control"), "public, max-age=300");
    let document = answer.json();
    let key = &document["keys"][0];
    let members: Vec<&String> = key.as_object().expect("a key").keys().collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!(
        (&key["alg"], &key["use"], &key["kid"]),
        (&json!("ES256"), &json!("sig"), &json!(world.key.kid()))
    );
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let part = |name: &str| decode(key[name].as_str().expect("a text"));
    let point = [vec![4], part("x"), part("y")].concat();
    let (signed, signature) = token.rsplit_once('.').expect("a token");
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    public.verify(signed.as_bytes(), &decode(signature)).expect("a sound signature");
    let tag = answer.header("etag").expect("a tag").to_owned();
    let known =
        world.anonymous().with_header("If-None-Match", &tag).get("/.well-known/jwks.json").await.expect(304);
    assert_eq!((known.header("etag"), known.body.len()), (Some(tag.as_str()), 0));
    assert_eq!(known.header_list("cache-control"), "public, max-age=300");
    let other =
        world.anonymous().with_header("If-None-Match", "\"other\"").get("/.well-known/jwks.json").await;
    assert_eq!(other.status, 200);
}
