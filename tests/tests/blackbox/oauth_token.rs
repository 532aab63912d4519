//! The token endpoint as RFC 6749 has it for client credentials: how a client presents itself, what it may ask, what it is
//! told. What the tokens say and open is in `oauth_access`.

use bulkhead_tests::app::Options;
use bulkhead_tests::client::Client;
use bulkhead_tests::http::Response;
use bulkhead_tests::machine::{Machine, basic};
use bulkhead_tests::oauth::{FORM, TOKEN, World, encoded, not_kept, percent, post_form, refused};
use serde_json::json;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn with_header(client: &Client, value: &str, body: &str) -> Response {
    client
        .raw("POST", TOKEN, &[("Content-Type", FORM), ("Authorization", value)], Some(body.as_bytes()))
        .await
}

async fn raw_form(client: &Client, body: &str) -> Response {
    client.raw("POST", TOKEN, &[("Content-Type", FORM)], Some(body.as_bytes())).await
}

async fn world() -> (World, Machine) {
    let world = World::usual().await;
    let machine = world.worker(&world.a).await;
    (world, machine)
}

#[tokio::test]
async fn a_granted_token_is_told_by_its_four_members_alone_and_no_refresh_token_comes_with_it() {
    let (world, machine) = world().await;
    let answer = world.ask(&machine, &[]).await.expect(200);
    not_kept(&answer);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let reply = answer.json();
    let members: Vec<&String> = reply.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
    assert_eq!(
        (&reply["token_type"], &reply["expires_in"]),
        (&json!("Bearer"), &json!(900)),
        "numbers, not texts"
    );
    assert_eq!(reply["scope"], "read:* write:* delete:*", "always told");
}

#[tokio::test]
async fn basic_works_form_encoded_or_not_and_with_its_scheme_in_any_case() {
    let (world, machine) = world().await;
    let (name, secret) = (percent(&machine.client_id), percent(&machine.secret));
    let encoded_twice = basic(&percent(&name), &percent(&secret));
    let body = encoded(&[GRANT]);
    for value in [machine.basic(), basic(&name, &secret), machine.basic().replacen("Basic", "bAsIc", 1)] {
        let _ = with_header(&world.anonymous(), &value, &body).await.expect(200);
    }
    // A client may name itself in the body too (RFC 6749 §3.2.1).
    let named = encoded(&[GRANT, ("client_id", &machine.client_id)]);
    let _ = with_header(&world.anonymous(), &machine.basic(), &named).await.expect(200);
    let other = world.worker(&world.a).await;
    let as_other = encoded(&[GRANT, ("client_id", &other.client_id)]);
    let wrong = [(encoded_twice, &body), (machine.basic(), &as_other)];
    for (value, body) in &wrong {
        refused(&with_header(&world.anonymous(), value, body).await, 401, "invalid_client");
    }
}

#[tokio::test]
async fn a_bad_client_is_401_invalid_client_with_a_challenge_for_the_scheme_that_it_tried() {
    let (world, machine) = world().await;
    let body = encoded(&[GRANT]);
    for value in [
        basic(&machine.client_id, "wrong"),
        basic(&machine.client_id, ""),
        basic("", ""),
        "Basic".to_owned(),
        "Basic !!!".to_owned(),
        "Basic bm9jb2xvbg==".to_owned(),
        "Basic /w==".to_owned(),
        format!("Bearer {}", machine.secret),
    ] {
        let answer = with_header(&world.anonymous(), &value, &body).await;
        refused(&answer, 401, "invalid_client");
        assert!(answer.header_list("www-authenticate").starts_with("Basic realm="), "{answer}");
    }
    let id = ("client_id", machine.client_id.as_str());
    for pairs in [
        vec![GRANT],
        vec![GRANT, id],
        vec![GRANT, id, ("client_secret", "wrong")],
        vec![GRANT, id, ("client_secret", "")],
    ] {
        let answer = post_form(&world.anonymous(), TOKEN, &pairs).await;
        refused(&answer, 401, "invalid_client");
        assert!(answer.header("www-authenticate").is_some(), "RFC 9110 §11.6.1");
    }
}

#[tokio::test]
async fn credentials_in_two_places_or_in_the_query_are_an_invalid_request() {
    let (world, machine) = world().await;
    let both = encoded(&[GRANT, ("client_secret", &machine.secret)]);
    refused(&with_header(&world.anonymous(), &machine.basic(), &both).await, 400, "invalid_request");
    let twice =
        [("Content-Type", FORM), ("Authorization", &machine.basic()), ("Authorization", &machine.basic())];
    let answer = world.anonymous().raw("POST", TOKEN, &twice, Some(encoded(&[GRANT]).as_bytes())).await;
    refused(&answer, 400, "invalid_request");
    let empty = encoded(&[GRANT, ("client_secret", "")]);
    let _ = with_header(&world.anonymous(), &machine.basic(), &empty).await.expect(200);
    let query = encoded(&machine.form());
    for query in [query.as_str(), "client_id=x", "a=b&client_secret=x", "client%5Fsecret=x"] {
        let target = format!("{TOKEN}?{query}");
        let sound = [&[GRANT][..], &machine.form()[..]].concat();
        refused(&post_form(&world.anonymous(), &target, &sound).await, 400, "invalid_request");
    }
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused_an_unknown_one_ignored_an_empty_one_absent() {
    let (world, machine) = world().await;
    let sound = encoded(&[&[GRANT][..], &machine.form()[..]].concat());
    for (more, status) in [
        ("grant_type=client_credentials", 400),
        ("client%5Fid=x", 400),
        ("scope=read:*&scope=read:*", 400),
        ("unknown=1", 200),
        ("audience=x&tenant=y&username=z", 200),
        ("scope=&resource=", 200),
        ("=&&", 200),
    ] {
        let answer = raw_form(&world.anonymous(), &format!("{sound}&{more}")).await.expect(status);
        if status == 400 {
            refused(&answer, 400, "invalid_request");
        }
    }
    let without = encoded(&machine.form());
    for body in [without.clone(), format!("{without}&grant_type="), String::new()] {
        refused(&raw_form(&world.anonymous(), &body).await, 400, "invalid_request");
    }
    for grant in [
        "password",
        "refresh_token",
        "authorization_code",
        "implicit",
        "CLIENT_CREDENTIALS",
        " client_credentials",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ] {
        let pairs = [&[("grant_type", grant)][..], &machine.form()[..]].concat();
        refused(&post_form(&world.anonymous(), TOKEN, &pairs).await, 400, "unsupported_grant_type");
    }
}

#[tokio::test]
async fn a_client_gets_the_scopes_that_it_asks_for_when_it_has_them_and_otherwise_none_at_all() {
    let world = World::usual().await;
    let scopes = ["read:*", "write:tasks"];
    let machine = world.machine(&world.a, json!({ "scopes": scopes })).await;
    for (asked, granted) in [
        ("", "read:* write:tasks"),
        ("read:*", "read:*"),
        ("read:projects", "read:projects"),
        ("write:tasks read:documents", "write:tasks read:documents"),
        ("read:tasks  read:tasks", "read:tasks"),
        (" read:tasks ", "read:tasks"),
    ] {
        let reply = world.ask(&machine, &[("scope", asked)]).await.expect(200).json();
        assert_eq!(reply["scope"], granted, "{asked:?}");
    }
    for asked in [
        "write:*",
        "write:projects",
        "delete:tasks",
        "tenant:admin",
        "admin",
        "read:tasks write:projects",
        "read:nonsense",
        "read",
        "*",
        "*:*",
        "openid",
        "READ:tasks",
        "read:tasks,write:tasks",
        "read:tasks\tread:projects",
        "read:\u{e9}",
        "\"\\",
        "read:\r\nX: y",
    ] {
        refused(&world.ask(&machine, &[("scope", asked)]).await, 400, "invalid_scope");
    }
    // And a wrong scope is told to proven clients alone.
    let wrong = Machine { secret: "wrong".to_owned(), ..machine };
    refused(&world.ask(&wrong, &[("scope", "tenant:admin")]).await, 401, "invalid_client");
}

#[tokio::test]
async fn resource_names_this_api_or_is_an_invalid_target() {
    let (world, machine) = world().await;
    for resource in ["http://api.test", "http://api.test/", "multitenant-api"] {
        let _ = world.ask(&machine, &[("resource", resource)]).await.expect(200);
    }
    for resource in [
        "http://other.test",
        "http://api.test.evil.test",
        "http://api.test/#x",
        "http://api.test@evil.test",
        "x",
    ] {
        refused(&world.ask(&machine, &[("resource", resource)]).await, 400, "invalid_target");
    }
}

#[tokio::test]
async fn only_a_post_with_a_form_is_taken_and_every_refusal_is_in_the_form_of_the_standard() {
    let (world, machine) = world().await;
    let form = encoded(&[&[GRANT][..], &machine.form()[..]].concat());
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let answer = world.anonymous().raw(method, TOKEN, &[], None).await;
        refused(&answer, 405, "invalid_request");
        assert_eq!(answer.header_list("allow"), "POST, OPTIONS");
    }
    let json =
        json!({ "grant_type": GRANT.1, "client_id": machine.client_id, "client_secret": machine.secret })
            .to_string();
    for (kind, body) in [
        ("application/json", json.as_str()),
        ("text/plain", &form),
        ("multipart/form-data; boundary=x", &form),
        ("", &form),
    ] {
        let answer =
            world.anonymous().raw("POST", TOKEN, &[("Content-Type", kind)], Some(body.as_bytes())).await;
        refused(&answer, 415, "invalid_request");
    }
    for kind in [
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded;charset=utf-8",
        "Application/X-WWW-Form-UrlEncoded",
    ] {
        let answer =
            world.anonymous().raw("POST", TOKEN, &[("Content-Type", kind)], Some(form.as_bytes())).await;
        not_kept(&answer.expect(200));
    }
    let large = format!("{form}&x={}", "x".repeat(20_000));
    refused(&raw_form(&world.anonymous(), &large).await, 413, "invalid_request");
    let nul = format!("{}&client_secret=a%00b", encoded(&[GRANT, ("client_id", &machine.client_id)]));
    refused(&raw_form(&world.anonymous(), &nul).await, 400, "invalid_request");
    refused(&world.anonymous().raw("POST", "/oauth/nothing", &[], None).await, 404, "invalid_request");
}

#[tokio::test]
async fn what_a_client_sends_comes_back_neither_raw_nor_at_length() {
    let (world, machine) = world().await;
    let nasty = "\"\\\r\nSet-Cookie: a=b\u{1b}[31m\u{e9}\u{2028}<script>";
    let long = "s".repeat(10_000);
    for hostile in [nasty, &long] {
        let twice = format!("{0}=1&{0}=2", percent(hostile));
        let bodies = [
            twice,
            encoded(&[("grant_type", hostile)]),
            encoded(&[&[GRANT, ("scope", hostile)][..], &machine.form()[..]].concat()),
            encoded(&[&[GRANT, ("resource", hostile)][..], &machine.form()[..]].concat()),
            encoded(&[GRANT, ("client_id", hostile), ("client_secret", hostile)]),
        ];
        for body in bodies {
            let answer = raw_form(&world.anonymous(), &body).await;
            let word = answer.json()["error"].as_str().expect("a word").to_owned();
            refused(&answer, answer.status, &word);
            assert!(answer.header("set-cookie").is_none() && answer.body.len() < 600, "{answer}");
        }
    }
    let kind = [("Content-Type", "text/\u{e9}\"<script>")];
    refused(&world.anonymous().raw("POST", TOKEN, &kind, Some(b"x")).await, 415, "invalid_request");
}

#[tokio::test]
async fn pages_of_other_origins_are_not_let_in_by_a_star() {
    let world =
        World::start(Options::default().set("cors.allowed_origins", "https://app.example.test")).await;
    let machine = world.worker(&world.a).await;
    let from = |origin: &str| world.anonymous().with_header("Origin", origin);
    let pairs = [&[GRANT][..], &machine.form()[..]].concat();
    let evil = post_form(&from("https://evil.test"), TOKEN, &pairs).await;
    assert_eq!(evil.header("access-control-allow-origin"), None, "{evil}");
    let good = post_form(&from("https://app.example.test"), TOKEN, &pairs).await.expect(200);
    assert_eq!(good.header("access-control-allow-origin"), Some("https://app.example.test"));
    assert_eq!(good.header("access-control-allow-credentials"), None);
}
