//! Round trips to PostgreSQL for each kind of request, counted by a proxy in between (PERFORMANCE.md, P4).

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::bodies::sound;
use bulkhead_tests::client::Client;
use bulkhead_tests::rows::{Rows, id, resources};
use serde_json::{Value, json};

struct Counted {
    app: TestApp,
    user: Client,
    rows: Rows,
}

async fn counted() -> Counted {
    let app = Options::default().pool(1).through_proxy().start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    Counted { app, user, rows }
}

impl Counted {
    /// Round trips of one request of a kind, once its statements are known to the connection.
    async fn cost(&self, status: u16, mut request: impl AsyncFnMut() -> u16) -> usize {
        for _ in 0..3 {
            assert_eq!(request().await, status, "while warming up");
        }
        let before = self.app.proxy().round_trips();
        let _ = self.app.proxy().take_statements();
        assert_eq!(request().await, status);
        self.app.proxy().round_trips() - before
    }
}

#[tokio::test]
async fn an_authenticated_read_takes_one_round_trip() {
    let world = counted().await;
    let project = world.rows.id("projects");
    for target in [
        "/api/v1/auth/me/".to_owned(),
        "/api/v1/projects/".to_owned(),
        "/api/v1/projects/?count=exact&page_size=20".to_owned(),
        "/api/v1/tasks/?priority=medium".to_owned(),
        "/api/v1/projects/statistics/".to_owned(),
        format!("/api/v1/projects/{project}/"),
        format!("/api/v1/projects/{project}/tasks/"),
        "/api/v1/tasks/by-status/?status=todo".to_owned(),
        "/api/v1/search/?q=zq&page_size=10".to_owned(),
        "/api/v1/search/?q=nothing-like-it&types=tasks".to_owned(),
        format!("/api/v1/tasks/{}/", world.rows.id("tasks")),
        format!("/api/v1/documents/?project={project}"),
        format!("/api/v1/documents/{}/", world.rows.id("documents")),
    ] {
        let cost = world.cost(200, async || world.user.get(&target).await.status).await;
        assert_eq!(cost, 1, "{target}: {}", world.app.proxy().take_statements());
    }
    for host in [&world.app.a.host, "nobody.test"] {
        let user = world.user.with_header("Host", host);
        let cost = world.cost(200, async || user.get("/api/v1/projects/").await.status).await;
        assert_eq!(cost, 1, "on {host}");
    }
    let owner = world.app.owner_of(&world.app.a).await;
    assert_eq!(
        world.cost(200, async || owner.get("/api/v1/tenant/").await.status).await,
        1,
        "with its hosts"
    );
    let unknown = format!("/api/v1/tasks/{}/", new_id());
    assert_eq!(world.cost(404, async || world.user.get(&unknown).await.status).await, 1);
}

#[tokio::test]
async fn a_list_of_an_uncommon_shape_takes_one_round_trip_too() {
    let world = counted().await;
    for target in [
        "/api/v1/projects/?search=zq&ordering=name&count=none",
        "/api/v1/projects/?search=zq&ordering=name",
        "/api/v1/tasks/?status=todo&priority=medium",
        "/api/v1/projects/?page=1&count=exact",
    ] {
        let cost = world.cost(200, async || world.user.get(target).await.status).await;
        assert_eq!(cost, 1, "{target}: {}", world.app.proxy().take_statements());
    }
}

/// ADR 6: beyond 250 statements a connection keeps no more uncommon ones.
#[tokio::test]
async fn whoever_sends_every_shape_of_a_list_is_answered_rightly_and_slows_nobody_else() {
    let world = counted().await;
    let (all, project) = (world.rows.id("tasks"), world.rows.id("projects"));
    let parameters =
        ["status=todo", "priority=medium", "created_after=2000-01-01", "updated_after=2000-01-01", "search="];
    for ordering in
        ["created_at", "-updated_at", "title", "-title", "status", "priority", "due_date", "-due_date"]
    {
        for chosen in 0_u32..32 {
            let filters = parameters.iter().enumerate().filter(|(at, _)| chosen & (1 << at) != 0);
            let query: String = filters.map(|(_, filter)| format!("&{filter}")).collect();
            let page =
                world.user.get(&format!("/api/v1/tasks/?ordering={ordering}&project={project}{query}")).await;
            assert_eq!(page.status, 200);
            assert_eq!(page.json()["results"][0]["id"], json!(all), "{ordering} {query}");
        }
    }
    let cost = world.cost(200, async || world.user.get("/api/v1/tasks/").await.status).await;
    assert_eq!(cost, 1, "the usual list is as it was");
    let cost =
        world.cost(200, async || world.user.get("/api/v1/documents/?ordering=-file_size").await.status).await;
    assert!(cost <= 3, "an uncommon one is prepared each time: {cost}");
}

#[tokio::test]
async fn a_write_takes_two_round_trips_at_most_with_or_without_a_retry_key() {
    let world = counted().await;
    let user = &world.user;
    let body = |list: &str| -> Value {
        let create = world.app.contract.operation("POST", list).expect("a way to make one");
        sound(&world.app.contract, create, &new_id().to_string(), &world.rows).expect("a body")
    };
    for resource in resources() {
        let list = format!("/api/v1/{resource}/");
        let row = format!("{list}{}/", world.rows.id(&resource));
        let cost = world.cost(201, async || user.post(&list, &body(&list)).await.status).await;
        assert!(cost <= 2, "POST {resource}: {cost} {}", world.app.proxy().take_statements());
        let keyed = async || {
            user.with_header("Idempotency-Key", &new_id().to_string()).post(&list, &body(&list)).await.status
        };
        // One write in 64, by chance, sweeps expired keys away as well; that is not the one to look at.
        let (cost, sent) = loop {
            let cost = world.cost(201, async || keyed().await).await;
            let sent = world.app.proxy().take_statements();
            if !sent.contains("DELETE FROM idempotency_keys") {
                break (cost, sent);
            }
        };
        assert!(cost <= 2, "POST {resource} with a key: {cost} {sent}");
        let cost = world
            .cost(200, async || user.patch(&row, &json!({ "description": "d", "file_size": 1 })).await.status)
            .await;
        assert!(cost <= 2, "PATCH {resource}: {cost} {}", world.app.proxy().take_statements());
        let cost = world.cost(200, async || user.put(&row, &body(&list)).await.status).await;
        assert!(cost <= 2, "PUT {resource}: {cost} {}", world.app.proxy().take_statements());
        let mut made = Vec::new();
        for _ in 0..4 {
            made.push(id(&user.post(&list, &body(&list)).await.expect(201).json()).to_owned());
        }
        let delete = async || user.delete(&format!("{list}{}/", made.pop().expect("one more"))).await.status;
        let cost = world.cost(204, delete).await;
        assert!(cost <= 2, "DELETE {resource}: {cost} {}", world.app.proxy().take_statements());
    }
    let complete = format!("/api/v1/tasks/{}/complete/", world.rows.id("tasks"));
    let cost = world.cost(200, async || user.send("POST", &complete, None).await.status).await;
    assert!(cost <= 2, "complete: {cost}");
}

#[tokio::test]
async fn a_refused_request_takes_none() {
    let world = counted().await;
    let (app, user) = (&world.app, &world.user);
    let garbage = app.with_token("garbage", &app.a);
    let scopeless = app.scoped(&app.a, &["read:nothing"]);
    let path = "/api/v1/projects/";
    for (what, client, method, target, status) in [
        ("no token", &app.anonymous(), "GET", path, 401),
        ("garbage", &garbage, "GET", path, 401),
        ("no scope", &scopeless, "GET", path, 403),
        ("unknown path", user, "GET", "/api/v1/nothing/", 404),
        ("unknown method", user, "DELETE", path, 405),
        ("options", user, "OPTIONS", path, 204),
        ("no id", user, "GET", "/api/v1/projects/x/", 404),
        ("bad parameter", user, "GET", "/api/v1/projects/?ordering=x", 400),
        ("life", user, "GET", "/health/live", 200),
    ] {
        let cost = world.cost(status, async || client.send(method, target, None).await.status).await;
        assert_eq!(cost, 0, "{what}");
    }
    assert_eq!(world.cost(400, async || user.post(path, &json!({ "name": "" })).await.status).await, 0);
}
