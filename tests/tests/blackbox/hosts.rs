//! Hosts that belong to a tenant (TEN-20, faults 3.03 and 4.30 of the older systems): no other tenant's token counts there,
//! no header says otherwise, and finding out costs the database next to nothing.

use std::time::Duration;

use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::binary;
use bulkhead_tests::client::Client;
use bulkhead_tests::database::environment;
use bulkhead_tests::http::{Response, exchange};
use bulkhead_tests::machine::Machine;
use bulkhead_tests::oauth::World as Oauth;
use bulkhead_tests::poll::until;
use bulkhead_tests::proxy::Mode;
use bulkhead_tests::rows::everything_of;
use bulkhead_tests::scratch::Scratch;
use bulkhead_tests::statements::Statements;
use futures_util::future::join_all;
use serde_json::json;

use crate::matrix::{World, protected};

const PATH: &str = "/api/v1/projects/";
const VERIFY: &str = "/api/v1/auth/token/verify/";

fn is_refused(answer: &Response) {
    assert_eq!((answer.status, answer.code().as_str()), (403, "cross_tenant_access"), "{answer}");
    assert_eq!(answer.json()["detail"], "This token cannot be used on this domain.");
}

async fn on(client: &Client, host: &str) -> Response {
    client.with_header("Host", host).get(PATH).await
}

#[tokio::test]
async fn fault_4_30_a_token_of_one_tenant_is_refused_on_anothers_host_by_every_operation() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let world = World::create(&owner, &app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["admin"] })).await;
    let callers = [owner, machine.at_work(&app, &app.a).await];
    let before = [everything_of(&app.operator, &app.a).await, everything_of(&app.operator, &app.b).await];
    for caller in &callers {
        let elsewhere = caller.with_header("Host", &app.b.host);
        for operation in protected(&app) {
            is_refused(&world.call(&elsewhere, &operation).await);
        }
        for host in [app.a.host.as_str(), "api.test", "nobody.test", "127.0.0.1"] {
            assert_eq!(on(caller, host).await.status, 200, "{host}");
        }
    }
    let after = [everything_of(&app.operator, &app.a).await, everything_of(&app.operator, &app.b).await];
    assert_eq!(after, before, "nothing happened");
    let line = app.log_of(&on(&callers[0], &app.b.host).await).await;
    assert!(line.to_string().contains(&app.a.slug), "the log names whose token it was: {line}");
}

#[tokio::test]
async fn ten_20_a_host_is_known_in_every_spelling_and_only_by_the_host_itself() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let (own, foreign) = (&app.a.host, &app.b.host);
    for spelling in [
        foreign.clone(),
        foreign.to_uppercase(),
        format!("{foreign}."),
        format!("{foreign}:8000"),
        format!("{foreign}:"),
        format!("{foreign}.:443"),
    ] {
        is_refused(&on(&user, &spelling).await);
        // What a proxy's client can write changes nothing, in either direction.
        for name in ["X-Forwarded-Host", "X-Original-Host", "X-Tenant"] {
            is_refused(&on(&user.with_header(name, own), &spelling).await);
        }
    }
    for (name, value) in [
        ("X-Forwarded-Host", foreign.clone()),
        ("X-Forwarded-Server", foreign.clone()),
        ("Forwarded", format!("host={foreign}")),
        ("Origin", format!("https://{foreign}")),
        ("Referer", format!("https://{foreign}/")),
    ] {
        let user = user.with_header(name, &value);
        assert_eq!((on(&user, "api.test").await.status, on(&user, own).await.status), (200, 200), "{name}");
    }
    // An absolute target goes before the header (RFC 9112 §3.2.2).
    for (target, host, status) in [
        (foreign.clone(), own, 403),
        (format!("{foreign}:80"), own, 403),
        (format!("somebody@{foreign}"), own, 403),
        (own.clone(), foreign, 200),
    ] {
        let request = format!(
            "GET http://{target}{PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            user.token()
        );
        let answer = exchange(app.server.address(), request.as_bytes()).await.expect("an answer");
        assert_eq!(answer.status, status, "{target} {host}: {answer}");
    }
}

#[tokio::test]
async fn a_suspended_tenants_host_stays_its_own() {
    let app = TestApp::start().await;
    let mut command = binary::command(&["suspend-tenant", "--tenant", &app.b.slug]);
    command.envs(environment(&app.urls));
    assert_eq!(binary::run(command, "").code, Some(0));
    is_refused(&on(&app.user_of(&app.a).await, &app.b.host).await);
}

#[tokio::test]
async fn a_token_that_does_not_count_is_answered_alike_on_every_host() {
    let app = TestApp::start().await;
    for host in [&app.a.host, &app.b.host, "api.test", "nobody.test"] {
        for (client, code) in
            [(app.anonymous(), "not_authenticated"), (app.with_token("garbage", &app.a), "token_not_valid")]
        {
            let _ = on(&client, host).await.expect_problem(401, code);
        }
    }
}

#[tokio::test]
async fn verification_answers_for_the_host_that_it_is_asked_on_and_introspection_for_the_asking_client() {
    let world = Oauth::usual().await;
    let token = world.user_of(&world.a).await.token().to_owned();
    let body = json!({ "token": token });
    for host in [&world.a.host, "api.test"] {
        let _ = world.anonymous().with_header("Host", host).post(VERIFY, &body).await.expect(200);
    }
    let elsewhere = world.anonymous().with_header("Host", &world.b.host);
    is_refused(&elsewhere.post(VERIFY, &body).await);
    let _ = elsewhere.post(VERIFY, &json!({ "token": "garbage" })).await.expect(401);
    let asking = world.worker(&world.a).await;
    let form = [&asking.form()[..], &[("token", token.as_str())]].concat();
    let form = bulkhead_tests::oauth::encoded(&form);
    let kind = [("Content-Type", bulkhead_tests::oauth::FORM)];
    let answer = elsewhere.raw("POST", "/oauth/introspect", &kind, Some(form.as_bytes())).await.expect(200);
    assert_eq!(
        answer.json()["active"],
        true,
        "the client proved whose it is, and the token is of its tenant"
    );
}

/// How often the directory was asked whose a host is.
async fn asked(statements: &Statements) -> i64 {
    let counted = statements.counted().await;
    counted.iter().filter(|one| one.text.contains("tenant_domains")).map(|one| one.calls).sum()
}

#[tokio::test]
async fn whose_a_host_is_gets_asked_once_for_believed_tokens_and_never_for_strangers() {
    let folder = Scratch::new("hosts");
    let (cluster, statements) = Statements::cluster(folder.path()).await;
    let app = Options::default().cluster(cluster).start().await;
    let user = app.user_of(&app.a).await;
    let strangers = [
        app.anonymous(),
        app.with_token("garbage", &app.a),
        app.with_token(&format!("{}x", user.token()), &app.a),
        app.scoped(&app.a, &["read:nothing"]),
    ];
    statements.reset().await;
    for stranger in &strangers {
        for number in 0..5 {
            let answer = on(stranger, &format!("{number}.nobody.test")).await;
            assert!([401, 403].contains(&answer.status), "{answer}");
        }
    }
    let _ = app.anonymous().with_header("Host", "6.nobody.test").post(VERIFY, &json!({ "token": "x" })).await;
    for _ in 0..20 {
        let _ = on(&user, "api.test").await.expect(200);
    }
    assert_eq!(asked(&statements).await, 0, "nobody asks for strangers, or for the server's own host");
    for (host, status) in
        [(app.a.host.as_str(), 200), (app.b.host.as_str(), 403), ("nobody.test", 200), ("10.0.0.1", 200)]
    {
        statements.reset().await;
        // On all workers and connections at once, and then one after the other.
        let crowd = join_all((0..30).map(|_| on(&user, host))).await;
        assert!(crowd.iter().all(|answer| answer.status == status), "{host}: {}", crowd[0]);
        for _ in 0..30 {
            assert_eq!(on(&user, host).await.status, status);
        }
        assert_eq!(asked(&statements).await, 1, "{host}");
    }
}

#[tokio::test]
async fn while_the_database_is_away_an_unknown_host_lets_nobody_in_and_a_known_one_stays_known() {
    let app = Options::default().through_proxy().start().await;
    let token = app.user_of(&app.a).await.token().to_owned();
    let anonymous = app.anonymous().expecting_faults();
    // An operation that needs no database itself.
    let verify = async |host: &str| {
        anonymous.with_header("Host", host).post(VERIFY, &json!({ "token": token })).await.status
    };
    assert_eq!((verify(&app.a.host).await, verify(&app.b.host).await), (200, 403));
    app.proxy().set(Mode::Refuse);
    // After some seconds of silence nothing is believed at all, so this must be quick.
    let seen = [verify(&app.a.host).await, verify(&app.b.host).await, verify("unknown.test").await];
    assert_eq!(seen, [200, 403, 503]);
    app.proxy().set(Mode::Pass);
    until("the database to be back", Duration::from_secs(10), async || {
        (verify("unknown.test").await == 200).then_some(())
    })
    .await;
}
