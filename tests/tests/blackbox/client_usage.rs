//! What is kept of clients at work: each attempt to get a token, and how much they call (CLI-7, TEN-19).

use std::time::Duration;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::database;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::poll::until;
use serde_json::{Value, json};

const ATTEMPTS: &str = "/api/v1/api-client-attempts/";
const PATIENCE: Duration = Duration::from_secs(20);

/// The attempts under an identifier, newest first, once there are as many as that.
async fn attempts(owner: &Client, machine: &Machine, number: usize) -> Vec<Value> {
    let target = format!("{ATTEMPTS}?client_id={}", machine.client_id);
    until("attempts to be written down", PATIENCE, async || {
        let list = owner.get(&target).await.expect(200).json();
        let rows = list["results"].as_array().expect("results").clone();
        (rows.len() >= number).then_some(rows)
    })
    .await
}

/// What an identifier's usage adds up to, once there are that many requests.
async fn usage(owner: &Client, machine: &Machine, requests: i64) -> Value {
    until("requests to be written down", PATIENCE, async || {
        let usage = owner.get(&machine.path("usage/")).await.expect(200).json();
        (usage["requests"].as_i64() >= Some(requests)).then_some(usage)
    })
    .await
}

async fn change(app: &TestApp, sql: &str, id: &str) {
    assert!(app.operator.execute(sql, &[&id]).await.expect("change a row") > 0, "{sql}");
}

const PAST_SECRET: &str = "update bulkhead.api_client_secrets set expires_at = now() - interval '1 second'
    where api_client_id = $1::text::uuid";
const PAST_CLIENT: &str = "update bulkhead.api_clients set expires_at = now() - interval '1 second'
    where id = $1::text::uuid";

/// One machine for each way to be refused, and the word for it.
async fn refused_machines(app: &TestApp, owner: &Client) -> Vec<(Machine, &'static str)> {
    let make = async |fields: Value| Machine::create(owner, fields).await;
    let good = make(json!({})).await;
    let unknown =
        Machine { client_id: format!("{}{}", &good.client_id[..39], "0".repeat(24)), ..good.clone() };
    let (wrong, past_secret) = (make(json!({})).await.with_secret("bhs_wrong"), make(json!({})).await);
    let (disabled, past) = (make(json!({})).await, make(json!({})).await);
    change(app, PAST_SECRET, &past_secret.id).await;
    change(app, PAST_CLIENT, &past.id).await;
    assert_eq!(owner.send("POST", &disabled.path("disable/"), None).await.status, 200);
    vec![
        (unknown, "client_not_found"),
        (wrong, "invalid_secret"),
        (past_secret, "secret_expired"),
        (disabled, "client_disabled"),
        (past, "client_expired"),
        (make(json!({ "allowed_ips": ["192.0.2.0/24"] })).await, "ip_not_allowed"),
    ]
}

#[tokio::test]
async fn cli_7_every_attempt_is_recorded_once_with_what_became_of_it() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let refused = refused_machines(&app, &owner).await;
    let good = Machine::create(&owner, json!({})).await;
    let (short, long) = ("importer/1.0", "é".repeat(20) + &"x".repeat(300));
    for (machine, _) in &refused {
        let answer = machine.ask(&app.anonymous().with_header("User-Agent", short), None).await;
        assert_eq!(answer.status, 401);
    }
    assert_eq!(
        good.ask(&app.anonymous().with_header("User-Agent", &"x".repeat(300)), None).await.status,
        200
    );
    let _ = good.session(&app).await;
    assert_eq!(good.ask(&app.anonymous().with_header("User-Agent", &long), None).await.status, 200);
    let suspend = "update bulkhead.tenants set status = 'suspended' where id = $1::text::uuid";
    change(&app, suspend, &app.a.id.to_string()).await;
    assert_eq!(good.ask(&app.anonymous(), None).await.status, 401);

    let recorded = attempts(&owner, &good, 4).await;
    let outcomes: Vec<&str> = recorded.iter().map(|row| row["outcome"].as_str().expect("a word")).collect();
    assert_eq!(outcomes, ["tenant_inactive", "granted", "granted", "granted"]);
    assert_eq!(recorded[3]["user_agent"], "x".repeat(255), "cut off");
    assert_eq!(recorded[1]["user_agent"], "é".repeat(20) + &"x".repeat(235), "in characters");
    for row in &recorded {
        assert_eq!((&row["api_client"], &row["ip_address"]), (&json!(good.id), &json!("127.0.0.1")));
        assert_eq!(row["success"], row["outcome"] == "granted");
        assert!(row["secret"].is_string(), "which of its secrets it was");
    }
    for (machine, word) in &refused {
        let rows = attempts(&owner, machine, 1).await;
        assert_eq!((rows.len(), &rows[0]["outcome"]), (1, &json!(word)));
        assert_eq!((&rows[0]["success"], &rows[0]["user_agent"]), (&json!(false), &json!(short)));
        let is_known = *word != "client_not_found";
        assert_eq!(rows[0]["api_client"], if is_known { json!(machine.id) } else { Value::Null });
        let of_secret = !["client_not_found", "invalid_secret"].contains(word);
        assert_eq!(rows[0]["secret"].is_string(), of_secret, "{word}");
        let by_word = owner.get(&format!("{ATTEMPTS}?outcome={word}")).await.expect(200).json();
        assert_eq!(by_word["count"], 1, "{word}");
    }
}

#[tokio::test]
async fn an_attempt_under_a_name_without_a_tenant_is_recorded_nowhere() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let good = Machine::create(&owner, json!({})).await;
    let nowhere = format!("client_{}{}", new_id().simple(), "0".repeat(24));
    for client_id in [nowhere.as_str(), "client_x", "nobody", "\u{1f511}"] {
        let machine = Machine { client_id: client_id.to_owned(), ..good.clone() };
        assert_eq!(machine.ask(&app.anonymous(), None).await.status, 401, "{client_id}");
    }
    // What comes later is written no earlier.
    assert!(good.gets_token(&app).await);
    let _ = attempts(&owner, &good, 1).await;
    let count = "select count(*) from bulkhead.api_client_attempts where client_id = $1 or tenant_id = $2::text::uuid";
    let row = app.operator.query_one(count, &[&nowhere, &app.a.id.to_string()]).await.expect("count");
    assert_eq!(row.get::<_, i64>(0), 1, "the good one alone");
}

#[tokio::test]
async fn requests_are_counted_by_operation_with_those_that_were_refused() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "scopes": ["read:projects"] })).await;
    let at_work = machine.at_work(&app, &app.a).await;
    for _ in 0..3 {
        assert_eq!(at_work.get("/api/v1/projects/").await.status, 200);
    }
    assert_eq!(at_work.get("/api/v1/projects/?x=1").await.status, 400);
    assert_eq!(at_work.post("/api/v1/projects/", &json!({ "name": "x" })).await.status, 403);
    assert_eq!(at_work.get(&format!("/api/v1/projects/{}/", new_id())).await.status, 404);
    let told = usage(&owner, &machine, 6).await;
    assert_eq!((&told["requests"], &told["refused"]), (&json!(6), &json!(3)));
    let mut counts = std::collections::BTreeMap::<String, (i64, i64)>::new();
    for hour in told["hours"].as_array().expect("hours") {
        let number = |name: &str| hour[name].as_i64().expect("a number");
        let count = counts.entry(hour["operation"].as_str().expect("an operation").to_owned()).or_default();
        *count = (count.0 + number("requests"), count.1 + number("refused"));
    }
    let expected = [("projects_create", (1, 1)), ("projects_list", (4, 1)), ("projects_retrieve", (1, 1))];
    assert_eq!(counts, expected.map(|(operation, count)| (operation.to_owned(), count)).into());
    let row = owner.get(&machine.path("")).await.expect(200).json();
    assert!(row["last_used_at"].is_string());
    let future = owner.get(&machine.path("usage/?since=2999-01-01T00:00:00Z")).await.expect(200).json();
    assert_eq!((&future["requests"], &future["hours"]), (&json!(0), &json!([])));
    for bad in ["since=yesterday", "until=2026-01-01T00:00:00Z"] {
        let refused = owner.get(&machine.path(&format!("usage/?{bad}"))).await;
        let _ = refused.expect_problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_writes_down_what_it_gathered() {
    let mut app = Options::default().set("server.drain_seconds", 0).start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let at_work = machine.at_work(&app, &app.a).await;
    for _ in 0..20 {
        assert_eq!(at_work.get("/api/v1/projects/").await.status, 200);
    }
    app.server.signal("TERM");
    assert!(app.server.wait(PATIENCE).success());
    let sum = "select coalesce(sum(requests), 0)::bigint from bulkhead.api_client_usage where api_client = $1::text::uuid";
    let row = app.operator.query_one(sum, &[&machine.id]).await.expect("count");
    assert_eq!(row.get::<_, i64>(0), 20);
    let sum = "select count(*) from bulkhead.api_client_attempts where api_client = $1::text::uuid";
    let row = app.operator.query_one(sum, &[&machine.id]).await.expect("count");
    assert_eq!(row.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn while_nothing_can_be_written_down_requests_go_on_and_nothing_is_lost() {
    let app = Options::default().own_database().start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let superuser = database::connect(&app.urls.superuser_inside()).await;
    let lock =
        "begin; lock table bulkhead.api_client_usage, bulkhead.api_client_attempts in access exclusive mode";
    superuser.batch_execute(lock).await.expect("lock");
    let at_work = machine.at_work(&app, &app.a).await;
    let work = async |number: usize| {
        for _ in 0..number {
            assert_eq!(at_work.get("/api/v1/projects/").await.status, 200);
        }
        assert!(machine.gets_token(&app).await);
    };
    work(10).await;
    until("the server to give up writing for now", PATIENCE, async || {
        app.server.output().contains("could not be written down; it is kept").then_some(())
    })
    .await;
    work(10).await;
    superuser.batch_execute("commit").await.expect("unlock");
    let told = usage(&owner, &machine, 20).await;
    assert_eq!((&told["requests"], &told["refused"]), (&json!(20), &json!(0)));
    assert_eq!(attempts(&owner, &machine, 3).await.len(), 3);
}

#[tokio::test]
async fn ten_19_each_tenant_sees_only_its_own_attempts_usage_and_audit_trail() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.owner_of(&app.a).await, app.owner_of(&app.b).await);
    let own = Machine::create(&of_a, json!({ "name": app.a.marker, "roles": ["read"] })).await;
    let foreign = Machine::create(&of_b, json!({ "name": app.b.marker, "roles": ["read"] })).await;
    for (machine, tenant, owner) in [(&own, &app.a, &of_a), (&foreign, &app.b, &of_b)] {
        let at_work = machine.at_work(&app, tenant).await.with_header("User-Agent", &tenant.marker);
        assert_eq!(at_work.get("/api/v1/projects/").await.status, 200);
        let _ = (attempts(owner, machine, 1).await, usage(owner, machine, 1).await);
    }
    for list in [ATTEMPTS, "/api/v1/audit/"] {
        let seen = of_a.get(list).await.expect(200).json();
        assert_eq!(seen["count"], 1, "{seen}");
        assert!(!seen.to_string().contains(&foreign.id), "{seen}");
    }
    for query in ["client_id", "api_client"] {
        let name = if query == "client_id" { &foreign.client_id } else { &foreign.id };
        let seen = of_a.get(&format!("{ATTEMPTS}?{query}={name}")).await.expect(200).json();
        assert_eq!((&seen["count"], &seen["results"]), (&json!(0), &json!([])));
    }
    let seen = of_a.get(&format!("/api/v1/audit/?actor_id={}", app.b.owner.id)).await.expect(200).json();
    assert_eq!(seen["count"], 0);
    let _ = of_a.get(&foreign.path("usage/")).await.expect_problem(404, "not_found");
}
