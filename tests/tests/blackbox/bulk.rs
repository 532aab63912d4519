//! Making many rows at once: all or nothing, and what is wrong is said by row.

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::bodies::sound;
use bulkhead_tests::rows::{Rows, everything_of, id};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// The resources that offer it.
const RESOURCES: [&str; 4] = ["tasks", "todos", "items", "books"];

fn path(resource: &str) -> String {
    format!("/api/v1/{resource}/bulk/")
}

/// A sound body for one row.
fn row(app: &TestApp, resource: &str, rows: &Rows) -> Value {
    let create = app.contract.operation("POST", &format!("/api/v1/{resource}/")).expect("a way to make one");
    sound(&app.contract, create, "row", rows).expect("a body")
}

#[tokio::test]
async fn rows_are_made_together_and_answered_in_their_order() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    for resource in RESOURCES {
        let bodies: Vec<Value> = (0..500)
            .map(|number| {
                let mut body = row(&app, resource, &rows);
                let member = if body["title"].is_null() { "name" } else { "title" };
                body[member] = json!(number.to_string());
                body
            })
            .collect();
        let made = user.post(&path(resource), &json!({ "rows": bodies })).await.expect(201);
        assert!(made.header("location").is_none());
        let made = made.json();
        let results = made["results"].as_array().expect("rows");
        assert_eq!(results.len(), 500, "{resource}");
        for (number, made) in results.iter().enumerate() {
            let text = if made["title"].is_null() { &made["name"] } else { &made["title"] };
            assert_eq!(*text, json!(number.to_string()));
        }
        let member = format!("/api/v1/{resource}/{}/", id(&results[499]));
        assert_eq!(user.get(&member).await.expect(200).json()["id"], results[499]["id"]);
        let list = user.get(&format!("/api/v1/{resource}/?page_size=1")).await.expect(200).json();
        assert_eq!((&list["count"], &list["results"][0]["id"]), (&json!(501), &results[499]["id"]));
    }
}

#[tokio::test]
async fn one_wrong_row_refuses_all_and_every_complaint_names_its_row() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    let before = everything_of(&app.operator, &app.a).await;
    for resource in RESOURCES {
        let good = row(&app, resource, &rows);
        let member = if good["title"].is_null() { "name" } else { "title" };
        let mut blank = good.clone();
        blank[member] = json!("");
        let body = json!({ "rows": [good, blank, 7, good, {}] });
        let problem = user.post(&path(resource), &body).await.expect_problem(400, "invalid").json();
        let errors = problem["errors"].as_object().expect("errors");
        assert!(errors.contains_key(&format!("rows.1.{member}")), "{problem}");
        assert_eq!(errors["rows.2"], json!(["Invalid data. Expected an object."]));
        assert!(errors.contains_key(&format!("rows.4.{member}")), "{problem}");
        assert!(
            errors.keys().all(|key| !key.starts_with("rows.0") && !key.starts_with("rows.3")),
            "{problem}"
        );
        for whole in
            [json!({}), json!({ "rows": [] }), json!({ "rows": {} }), json!({ "rows": vec![&good; 501] })]
        {
            let problem = user.post(&path(resource), &whole).await.expect_problem(400, "invalid").json();
            assert!(problem["errors"]["rows"].is_array(), "{problem}");
        }
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before, "nothing was made");
}

#[tokio::test]
async fn ten_7_a_foreign_reference_in_one_row_is_said_of_that_row_and_is_answered_like_an_unknown_one() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    let own = Rows::create(&of_a, &app.a).await;
    let foreign = Rows::create(&of_b, &app.b).await;
    let before = everything_of(&app.operator, &app.a).await;
    for (resource, member, theirs, sentence) in [
        ("tasks", "project", foreign.id("projects").to_owned(), "Project does not belong to your tenant."),
        ("tasks", "todo", foreign.id("todos").to_owned(), "Todo does not belong to your tenant."),
        (
            "tasks",
            "assigned_user",
            app.b.member.id.to_string(),
            "Assigned user does not belong to your tenant.",
        ),
        ("books", "author", foreign.id("authors").to_owned(), "Author does not belong to your tenant."),
    ] {
        for stranger in [theirs, new_id().to_string()] {
            let mut rows = vec![row(&app, resource, &own); 40];
            rows[33][member] = json!(stranger);
            rows[37][member] = json!(stranger);
            let refused = of_a.post(&path(resource), &json!({ "rows": rows })).await;
            let problem = refused.expect_problem(400, "invalid").json();
            let mut expected = json!({});
            expected[format!("rows.33.{member}")] = json!([sentence]);
            assert_eq!(problem["errors"], expected, "the first one that the database refused");
        }
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before, "nothing was made");
}

#[tokio::test]
async fn with_one_key_the_rows_are_made_once() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let keyed = user.with_header("Idempotency-Key", &new_id().to_string());
    let body = json!({ "rows": [{ "name": "a" }, { "name": "b" }] });
    let items = path("items");
    let answers = join_all((0..10).map(|_| keyed.post(&items, &body))).await;
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status)));
    let again = keyed.post(&path("items"), &body).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert!(answers.iter().filter(|answer| answer.status == 201).all(|answer| answer.json() == again.json()));
    assert_eq!(user.get("/api/v1/items/").await.json()["count"], 2);
    let other = keyed.post(&path("items"), &json!({ "rows": [{ "name": "a" }] })).await;
    let _ = other.expect_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn many_rows_take_three_round_trips_however_many_they_are() {
    let app = Options::default().pool(1).through_proxy().start().await;
    let user = app.user_of(&app.a).await;
    let cost = async |count: usize| {
        let body = json!({ "rows": vec![json!({ "name": "x" }); count] });
        let _ = user.post(&path("items"), &body).await.expect(201);
        let before = app.proxy().round_trips();
        let _ = user.post(&path("items"), &body).await.expect(201);
        app.proxy().round_trips() - before
    };
    let (few, many) = (cost(2).await, cost(100).await);
    assert!(few <= 2 && many <= 3, "{few} {many}");
}

#[tokio::test]
async fn what_the_server_fills_in_is_filled_in_for_each_row() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let items = json!({ "rows": [{ "name": "a", "created_by": app.a.owner.id }] });
    let made = user.post(&path("items"), &items).await.expect(201).json();
    assert_eq!(made["results"][0]["created_by"], json!(app.a.member.id));
    let todos =
        json!({ "rows": [{ "title": "a", "completed": true, "recurrence_interval": 1 }, { "title": "b" }] });
    let made = user.post(&path("todos"), &todos).await.expect(201).json();
    assert!(made["results"][0]["completion_time"].is_string(), "{made}");
    assert_eq!(made["results"][1]["completion_time"], Value::Null);
    assert_eq!(
        user.get("/api/v1/todos/").await.json()["count"],
        2,
        "what was over before has no next occurrence"
    );
}
