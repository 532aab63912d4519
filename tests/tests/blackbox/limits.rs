//! Rate limits and address allow-lists (LIM-1 to LIM-7, CLI-2). Limits are so low for so long a time that no unit comes
//! back while a test runs: no outcome depends on how long it takes.

use std::collections::BTreeMap;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::http::{Response, exchange};
use bulkhead_tests::keys::Key;
use bulkhead_tests::tenants::{PASSWORD, Tenant};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::matrix::comparable;

const LIST: &str = "/api/v1/projects/";
const LOGIN: &str = "/api/v1/auth/token/";
const FIELDS: [&str; 5] =
    ["ratelimit-policy", "ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];

/// Claims of a client's token, which may call from these networks only, if any, and has this rate, if any.
fn client_claims(app: &TestApp, tenant: &Tenant, id: Uuid, networks: &[&str], rate: Option<u64>) -> Value {
    let mut claims = app.claims(tenant, id, &["read:*"]);
    let object = claims.as_object_mut().expect("claims");
    for of_a_person in ["user_id", "username", "sid"] {
        object.remove(of_a_person);
    }
    let of_a_client = json!({ "client_type": "service_account", "client_id": "c", "secret_id": new_id() });
    object.extend(of_a_client.as_object().expect("claims").clone());
    if !networks.is_empty() {
        object.insert("allowed_ips".to_owned(), json!(networks));
    }
    object.extend(rate.map(|rate| ("rate_limit".to_owned(), json!(rate))));
    claims
}

fn client(app: &TestApp, tenant: &Tenant, id: Uuid, networks: &[&str], rate: Option<u64>) -> Client {
    app.with_token(&app.key.token(&client_claims(app, tenant, id, networks, rate)), tenant)
}

/// A structured field (RFC 9651) that is a list of names with two whole numbers each.
fn items(field: &str, first: &str, second: &str) -> BTreeMap<String, (u64, u64)> {
    let item = |text: &str| {
        let (name, rest) = text.strip_prefix('"')?.split_once('"')?;
        let (one, two) = rest.strip_prefix(&format!(";{first}="))?.split_once(&format!(";{second}="))?;
        Some((name.to_owned(), (one.parse().ok()?, two.parse().ok()?)))
    };
    field.split(", ").map(|text| item(text).unwrap_or_else(|| panic!("{field}"))).collect()
}

/// What is left of each limit.
fn left(answer: &Response) -> BTreeMap<String, u64> {
    let field = answer.header("ratelimit").unwrap_or_else(|| panic!("no fields: {answer}"));
    items(field, "r", "t").into_iter().map(|(name, (left, _))| (name, left)).collect()
}

/// Insists on a refusal by a limit, and that all that it says fits together.
#[track_caller]
fn throttled(answer: &Response, policy: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (429, "throttled"), "{answer}");
    let retry: u64 = answer.header("retry-after").expect("Retry-After").parse().expect("whole seconds");
    let states = items(answer.header("ratelimit").expect("RateLimit"), "r", "t");
    assert_eq!(states[policy].0, 0, "{states:?}");
    assert!(retry >= 1 && states.values().all(|(left, wait)| *left > 0 || *wait <= retry), "{states:?}");
    let said = format!("Request was throttled. Expected available in {retry} seconds.");
    assert_eq!(answer.json()["detail"], said);
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
}

async fn wrong_log_in(from: &Client, tenant: &str, name: &str) -> Response {
    from.post(LOGIN, &json!({ "tenant": tenant, "username": name, "password": "wrong-password" })).await
}

#[tokio::test]
async fn lim_1_a_tenant_over_its_limit_waits_and_the_others_do_not_notice() {
    let app = Options::default().set("limits.tenant", "4/hour").start().await;
    let (member, owner) = (app.user_of(&app.a).await, app.owner_of(&app.a).await);
    for (who, remaining) in [(&member, 3), (&owner, 2), (&member, 1), (&owner, 0)] {
        assert_eq!(left(&who.get(LIST).await.expect(200))["tenant"], remaining);
    }
    for who in [&member, &owner, &member] {
        throttled(&who.get(LIST).await, "tenant");
    }
    assert_eq!(left(&app.user_of(&app.b).await.get(LIST).await.expect(200))["tenant"], 3);
}

#[tokio::test]
async fn every_kind_of_answer_says_what_is_left_and_a_limit_that_is_off_says_nothing() {
    let app = Options::default().set("limits.user", "100/day").set("limits.tenant", "200/day").start().await;
    let user = app.user_of(&app.a).await;
    let scoped = app.scoped(&app.a, &["read:tasks"]);
    let nothing = format!("{LIST}{}/", new_id());
    let mut expected = 100;
    for (who, method, target, body, status) in [
        (&user, "GET", LIST, None, 200),
        (&user, "POST", LIST, Some(json!({ "name": "x" })), 201),
        (&user, "POST", LIST, Some(json!({ "name": "x" })), 409),
        (&user, "POST", LIST, Some(json!({ "name": "" })), 400),
        (&user, "HEAD", LIST, None, 200),
        (&user, "GET", nothing.as_str(), None, 404),
        (&scoped, "GET", LIST, None, 403),
    ] {
        let answer = who.send(method, target, body.as_ref()).await.expect(status);
        expected -= 1;
        let tenant = expected + 100;
        assert_eq!(
            left(&answer),
            BTreeMap::from([("principal".into(), expected), ("tenant".into(), tenant)])
        );
        let policies = items(answer.header("ratelimit-policy").expect("RateLimit-Policy"), "q", "w");
        assert_eq!((policies["principal"], policies["tenant"]), ((100, 86_400), (200, 86_400)));
        let number = |name: &str| answer.header(name).expect(name).parse::<i64>().expect("a number");
        assert_eq!(number("x-ratelimit-limit"), 100);
        assert_eq!(u64::try_from(number("x-ratelimit-remaining")), Ok(expected));
        let full_in = number("x-ratelimit-reset") - bulkhead_domain::clock::now().timestamp();
        assert!((0..=86_400).contains(&full_in), "{full_in}");
    }
    for target in ["/health/", "/health/ready", "/api/schema/", "/metrics", "/nothing"] {
        let answer = user.get(target).await;
        assert!(FIELDS.iter().all(|name| answer.header(name).is_none()), "{target}");
    }
    for (who, status) in [(app.anonymous(), 401), (app.with_token("x.y.z", &app.a), 401)] {
        let answer = who.get(LIST).await.expect(status);
        assert!(FIELDS.iter().all(|name| answer.header(name).is_none()), "{answer}");
    }
    let app = TestApp::start().await;
    let answers = [app.user_of(&app.a).await.get(LIST).await, wrong_log_in(&app.anonymous(), "a", "b").await];
    for answer in answers {
        assert!(FIELDS.iter().all(|name| answer.header(name).is_none()), "{answer}");
    }
}

#[tokio::test]
async fn lim_2_a_client_has_its_own_rate_and_cannot_use_up_what_belongs_to_its_tenant() {
    let app = Options::default()
        .set("limits.client", "4/hour")
        .set("limits.user", "3/hour")
        .set("limits.tenant", "9/hour")
        .start()
        .await;
    let own = client(&app, &app.a, new_id(), &[], Some(2));
    let usual = client(&app, &app.a, new_id(), &[], None);
    let user = app.user_of(&app.a).await;
    for (who, limit) in [(&own, 2), (&usual, 4), (&user, 3)] {
        for remaining in (0..limit).rev() {
            assert_eq!(left(&who.get(LIST).await.expect(200))["principal"], remaining);
        }
        for _ in 0..3 {
            throttled(&who.get(LIST).await, "principal");
        }
    }
    // Nine were let through; nine more were refused, and took nothing.
    throttled(&app.owner_of(&app.a).await.get(LIST).await, "tenant");
    let _ = app.user_of(&app.b).await.get(LIST).await.expect(200);
}

#[tokio::test]
async fn lim_3_whoever_only_names_a_tenant_or_a_client_uses_up_nothing_of_theirs() {
    let app = Options::default().set("limits.client", "2/hour").set("limits.tenant", "2/hour").start().await;
    let id = new_id();
    let forged = Key::generate().token(&client_claims(&app, &app.a, id, &[], None));
    let expired = {
        let mut claims = client_claims(&app, &app.a, id, &[], None);
        claims["exp"] = json!(claims["iat"].as_i64().expect("a time") - 600);
        app.key.token(&claims)
    };
    for _ in 0..3 {
        let _ = wrong_log_in(&app.anonymous(), &app.a.slug, &app.a.member.username).await.expect(401);
        let _ = app.with_token(&forged, &app.a).get(LIST).await.expect(401);
        let _ = app.with_token(&expired, &app.a).get(LIST).await.expect(401);
        // It has A's id for a client, but is one of B's.
        let _ = client(&app, &app.b, id, &[], None).get(LIST).await;
        // From an address that it may not call from.
        let _ = client(&app, &app.a, id, &["203.0.113.0/24"], None).get(LIST).await.expect(401);
    }
    let answer = client(&app, &app.a, id, &[], None).get(LIST).await.expect(200);
    assert_eq!(left(&answer), BTreeMap::from([("principal".into(), 1), ("tenant".into(), 1)]));
}

#[tokio::test]
async fn lim_4_neither_a_new_token_nor_another_spelling_is_a_new_limit() {
    let app = Options::default().set("limits.user", "3/hour").set("limits.token", "6/hour").start().await;
    let user = &app.a.member;
    let tokens = app.tokens_of(&app.a, user).await;
    let refreshed = app
        .anonymous()
        .post("/api/v1/auth/token/refresh/", &json!({ "refresh": tokens["refresh"] }))
        .await
        .expect(200)
        .json();
    let access = |tokens: &Value| tokens["access"].as_str().expect("a token").to_owned();
    let (first, second) = (access(&tokens), access(&refreshed));
    let third = access(&app.tokens_of(&app.a, user).await);
    for (token, remaining) in [(&first, 2), (&second, 1), (&third, 0)] {
        let answer = app.with_token(token, &app.a).get(LIST).await.expect(200);
        assert_eq!(left(&answer)["principal"], remaining);
    }
    for token in [&first, &second, &third] {
        throttled(&app.with_token(token, &app.a).get(LIST).await, "principal");
    }

    // Two of six attempts are spent.
    let (upper, id) = (user.username.to_uppercase(), app.a.id.to_string());
    let padded = format!(" {} ", user.username);
    for (tenant, name) in [(&app.a.slug, &upper), (&id, &padded), (&id, &upper), (&app.a.slug, &padded)] {
        let _ = wrong_log_in(&app.anonymous(), tenant, name).await.expect(401);
    }
    for (tenant, name) in [(&app.a.slug, &user.username), (&id, &upper)] {
        throttled(&wrong_log_in(&app.anonymous(), tenant, name).await, "account");
    }
    let _ = wrong_log_in(&app.anonymous(), &app.a.slug, &app.a.owner.username).await.expect(401);
}

#[tokio::test]
async fn lim_5_a_forged_address_is_no_new_limit_and_a_trusted_proxys_word_counts() {
    let options = || Options::default().set("limits.credentials", "3/hour");
    let attempt = async |app: &TestApp, forwarded: &str| {
        let from = app.anonymous().with_header("X-Forwarded-For", forwarded);
        let from =
            from.with_header("Forwarded", &format!("for={forwarded}")).with_header("X-Real-IP", forwarded);
        wrong_log_in(&from, &app.a.slug, &new_id().to_string()).await
    };

    let app = options().start().await;
    for last in 1..=3 {
        let _ = attempt(&app, &format!("198.51.100.{last}")).await.expect(401);
    }
    throttled(&attempt(&app, "198.51.100.4").await, "credentials");

    let app = options().set("server.trusted_proxies", "127.0.0.0/8,10.0.0.0/8").start().await;
    for last in 1..=3 {
        let hops = format!("198.51.100.{last}, 203.0.113.5, 10.0.0.{last}");
        let _ = attempt(&app, &hops).await.expect(401);
    }
    throttled(&attempt(&app, "198.51.100.4, 203.0.113.5").await, "credentials");
    let _ = attempt(&app, "203.0.113.6").await.expect(401);
    for last in 1..=3 {
        let _ = attempt(&app, &format!("2001:db8::{last}:{last}")).await.expect(401);
    }
    throttled(&attempt(&app, "2001:db8::ffff:0").await, "credentials");
    let _ = attempt(&app, "2001:db8:0:1::1").await.expect(401);
}

#[tokio::test]
async fn lim_5_a_header_that_is_no_text_does_not_turn_a_stranger_into_the_proxy() {
    let app = Options::default().set("server.trusted_proxies", "127.0.0.0/8").start().await;
    let mut claims = app.claims(&app.a, new_id(), &["read:*"]);
    claims["client_type"] = json!("service_account");
    claims["secret_id"] = json!(new_id());
    // The proxy's own network is allowed, so whoever passes for the proxy is in.
    claims["allowed_ips"] = json!(["127.0.0.0/8"]);
    let token = app.key.token(&claims);
    for (forwarded, status) in [
        (&b"127.0.0.1"[..], 200),
        (b"203.0.113.9", 401),
        (b"\xff, 203.0.113.9", 401),
        (b"\xff", 401),
        (b"203.0.113.9:4711", 401),
        (b"unknown", 401),
    ] {
        let mut request =
            format!("GET {LIST} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n").into_bytes();
        request.extend_from_slice(b"X-Forwarded-For: ");
        request.extend_from_slice(forwarded);
        request.extend_from_slice(b"\r\nConnection: close\r\n\r\n");
        let answer = exchange(app.server.address(), &request).await.expect("an answer");
        assert_eq!(answer.status, status, "{:?}: {answer}", String::from_utf8_lossy(forwarded));
    }
}

#[tokio::test]
async fn attempts_with_credentials_are_counted_together_and_before_their_bodies_are_read() {
    let app = Options::default().set("limits.credentials", "4/hour").pool(1).through_proxy().start().await;
    let body = json!({ "tenant": app.a.slug, "username": app.a.member.username, "password": PASSWORD });
    let reply = app.anonymous().post(LOGIN, &body).await.expect(200);
    assert_eq!(left(&reply), BTreeMap::from([("credentials".into(), 3)]));
    let tokens = reply.json();
    let (refresh, verify) = (json!({ "refresh": tokens["refresh"] }), json!({ "token": tokens["access"] }));
    let (refresh_at, verify_at) = ("/api/v1/auth/token/refresh/", "/api/v1/auth/token/verify/");
    assert_eq!(left(&app.anonymous().post(verify_at, &verify).await.expect(200))["credentials"], 2);
    assert_eq!(left(&app.anonymous().post(refresh_at, &json!({})).await.expect(400))["credentials"], 1);
    assert_eq!(left(&wrong_log_in(&app.anonymous(), "a", "b").await.expect(401))["credentials"], 0);

    let before = app.proxy().round_trips();
    for (path, body) in [(LOGIN, &body), (refresh_at, &refresh), (verify_at, &verify), (LOGIN, &json!([]))] {
        throttled(&app.anonymous().post(path, body).await, "credentials");
    }
    let kind = [("Content-Type", "text/plain")];
    throttled(&app.anonymous().raw("POST", "/api/v1/auth/login", &kind, Some(b"x")).await, "credentials");
    assert_eq!(app.proxy().round_trips(), before);
    // What proves who it is does not count as an attempt, nor does asking for the methods.
    let access = tokens["access"].as_str().expect("a token");
    let _ = app.with_token(access, &app.a).get(LIST).await.expect(200);
    let _ = app.anonymous().send("OPTIONS", LOGIN, None).await.expect(204);
}

#[tokio::test]
async fn a_throttled_request_reaches_no_database_and_can_be_read_by_a_page_of_another_origin() {
    let origin = "https://app.example.com";
    let app = Options::default()
        .set("limits.user", "1/hour")
        .set("cors.allowed_origins", origin)
        .pool(1)
        .through_proxy()
        .start()
        .await;
    let user = app.user_of(&app.a).await.with_header("Origin", origin);
    let _ = user.get(LIST).await.expect(200);
    let before = app.proxy().round_trips();
    let body = json!({ "name": "x" });
    for answer in [
        user.get(LIST).await,
        user.post(LIST, &body).await,
        user.with_header("Idempotency-Key", "k").post(LIST, &body).await,
        user.get("/api/v1/auth/me/").await,
    ] {
        throttled(&answer, "principal");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        let exposed = answer.header("access-control-expose-headers").expect("exposed").to_lowercase();
        let exposed: Vec<&str> = exposed.split(',').map(str::trim).collect();
        assert!(FIELDS.iter().chain(&["retry-after"]).all(|name| exposed.contains(name)), "{exposed:?}");
    }
    assert_eq!(app.proxy().round_trips(), before);
    let metrics = app.anonymous().get("/metrics").await.text();
    assert!(metrics.contains("bulkhead_throttled_total{limit=\"principal\"} 4"), "{metrics}");
}

#[tokio::test]
async fn lim_7_a_limit_of_nothing_and_the_largest_there_is_can_be_set() {
    let app = Options::default()
        .set("limits.user", "4294967295/second")
        .set("limits.tenant", "4294967295/d")
        .set("limits.client", "0/minute")
        .start()
        .await;
    let answer = app.user_of(&app.a).await.get(LIST).await.expect(200);
    let most = u64::from(u32::MAX) - 1;
    assert_eq!(left(&answer), BTreeMap::from([("principal".into(), most), ("tenant".into(), most)]));
    throttled(&client(&app, &app.a, new_id(), &[], None).get(LIST).await, "principal");
    let _ = client(&app, &app.a, new_id(), &[], Some(1)).get(LIST).await.expect(200);
    throttled(&client(&app, &app.a, new_id(), &[], Some(0)).get(LIST).await, "principal");
}

#[tokio::test]
async fn cli_2_a_client_away_from_its_networks_is_answered_as_one_with_a_revoked_token() {
    let app = TestApp::start().await;
    let at_home = client(&app, &app.a, new_id(), &["2001:db8::/32", "127.0.0.0/8"], None);
    let _ = at_home.get(LIST).await.expect(200);
    let away = client(&app, &app.a, new_id(), &["10.0.0.0/8", "::1/128"], None);
    let answer = away.get(LIST).await.expect_problem(401, "token_not_valid");
    let invalid = app.with_token("x.y.z", &app.a).get(LIST).await;
    assert_eq!(comparable(&answer), comparable(&invalid));
    assert_eq!(answer.header("www-authenticate"), invalid.header("www-authenticate"));
    // Its line comes after the one that says why.
    let _ = app.log_of(&answer).await;
    let id = answer.header("x-correlation-id").expect("an id");
    assert!(
        app.server.output().lines().any(|line| line.contains(id) && line.contains("none of those allowed"))
    );
    for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"] {
        for value in ["10.0.0.1", "for=10.0.0.1", "10.0.0.1, 127.0.0.1", "::1"] {
            let _ = away.with_header(name, value).get(LIST).await.expect(401);
        }
    }

    let app = Options::default().set("server.trusted_proxies", "127.0.0.0/8").start().await;
    let away = client(&app, &app.a, new_id(), &["10.0.0.0/8"], None);
    for (forwarded, status) in [
        ("10.0.0.1", 200),
        ("::ffff:10.0.0.1", 200),
        ("203.0.113.1, 10.0.0.1", 200),
        ("10.0.0.1, 203.0.113.1", 401),
        ("203.0.113.1", 401),
        ("", 401),
    ] {
        assert_eq!(
            away.with_header("X-Forwarded-For", forwarded).get(LIST).await.status,
            status,
            "{forwarded}"
        );
    }
}
