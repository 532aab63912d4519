//! Todos (1.03, 1.14): completing, and the next occurrence of what comes back.

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::TestApp;
use bulkhead_tests::client::Client;
use bulkhead_tests::rows::id;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::projects::members;

const PATH: &str = "/api/v1/todos/";

async fn make(user: &Client, body: Value) -> (Value, String) {
    let todo = user.post(PATH, &body).await.expect(201).json();
    let path = format!("{PATH}{}/", id(&todo));
    (todo, path)
}

/// The todos that are not done, the newest first.
async fn open(user: &Client) -> Vec<Value> {
    let list = user.get(&format!("{PATH}?completed=false")).await.expect(200).json();
    list["results"].as_array().expect("rows").clone()
}

#[tokio::test]
async fn a_todo_is_created_read_changed_replaced_and_deleted() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let (todo, path) = make(&user, json!({ "title": " Water the plants " })).await;
    let mut names = members(&todo);
    names.sort_unstable();
    let shape = [
        "completed",
        "completion_time",
        "created_at",
        "description",
        "due_date",
        "id",
        "recurrence_interval",
        "title",
        "updated_at",
    ];
    assert_eq!(names, shape);
    assert_eq!(
        (&todo["title"], &todo["completed"], &todo["completion_time"], &todo["recurrence_interval"]),
        (&json!("Water the plants"), &json!(false), &Value::Null, &Value::Null)
    );
    let change = json!({ "due_date": "2026-12-24", "recurrence_interval": 7, "description": "d" });
    let changed = user.patch(&path, &change).await.expect(200).json();
    assert_eq!((&changed["due_date"], &changed["recurrence_interval"]), (&json!("2026-12-24"), &json!(7)));
    assert_eq!(user.get(&path).await.expect(200).json(), changed);
    let replaced = user.put(&path, &json!({ "title": "x" })).await.expect(200).json();
    assert_eq!((&replaced["due_date"], &replaced["recurrence_interval"]), (&Value::Null, &Value::Null));
    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(user.get(&path).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_todo_is_said_by_field() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for (member, value) in [
        ("title", json!("")),
        ("completed", json!("yes")),
        ("completed", json!(null)),
        ("recurrence_interval", json!(0)),
        ("recurrence_interval", json!(-7)),
        ("recurrence_interval", json!(3651)),
        ("recurrence_interval", json!(1.5)),
        ("recurrence_interval", json!("7")),
        ("due_date", json!("tomorrow")),
    ] {
        let mut body = json!({ "title": "x" });
        body[member] = value;
        let problem = user.post(PATH, &body).await.expect_problem(400, "invalid").json();
        assert!(problem["errors"][member].is_array(), "{body}: {problem}");
    }
    assert_eq!(user.get(PATH).await.json()["count"], 0);
}

#[tokio::test]
async fn the_time_of_completion_is_there_while_a_todo_is_completed_by_whatever_verb() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let (_, path) = make(&user, json!({ "title": "x" })).await;
    let complete = format!("{path}complete/");
    let done = user.send("POST", &complete, None).await.expect(200).json();
    assert_eq!((&done["completed"], &done["completion_time"]), (&json!(true), &done["updated_at"]));
    let again = user.send("POST", &complete, None).await.expect(200).json();
    assert_eq!(again["completion_time"], done["completion_time"], "the first time counts");
    let renamed = user.patch(&path, &json!({ "title": "y" })).await.expect(200).json();
    assert_eq!(renamed["completion_time"], done["completion_time"]);
    let put_back = user.put(&path, &renamed).await.expect(200).json();
    assert_eq!(put_back["completion_time"], done["completion_time"]);
    let forged = json!({ "completed": false, "completion_time": "2020-01-01T00:00:00Z" });
    assert_eq!(user.patch(&path, &forged).await.expect(200).json()["completion_time"], Value::Null);
    assert!(
        user.put(&path, &json!({ "title": "z", "completed": true })).await.json()["completion_time"]
            .is_string()
    );
    assert_eq!(user.put(&path, &json!({ "title": "z" })).await.json()["completion_time"], Value::Null);
    let (born_done, _) = make(&user, json!({ "title": "x", "completed": true })).await;
    assert_eq!(born_done["completion_time"], born_done["created_at"]);
}

#[tokio::test]
async fn completing_a_recurring_todo_makes_its_next_occurrence() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let body = json!({ "title": "Pay the rent", "description": "d", "recurrence_interval": 30, "due_date": "2026-01-31" });
    let (_, path) = make(&user, body).await;
    let _ = user.send("POST", &format!("{path}complete/"), None).await.expect(200);
    let [next] = open(&user).await.try_into().expect("one next");
    assert_eq!(
        (&next["title"], &next["description"], &next["recurrence_interval"], &next["due_date"]),
        (&json!("Pay the rent"), &json!("d"), &json!(30), &json!("2026-03-02"))
    );
    // The next one recurs as well, this time by a change.
    let path = format!("{PATH}{}/", id(&next));
    let _ = user.patch(&path, &json!({ "completed": true })).await.expect(200);
    let [third] = open(&user).await.try_into().expect("one next");
    assert_eq!(third["due_date"], "2026-04-01");
}

#[tokio::test]
async fn a_todo_without_a_day_comes_back_so_many_days_after_it_was_done() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let (_, path) = make(&user, json!({ "title": "x", "recurrence_interval": 1 })).await;
    let done = user.send("POST", &format!("{path}complete/"), None).await.expect(200).json();
    let [next] = open(&user).await.try_into().expect("one next");
    let (day, due) =
        (done["completion_time"].as_str().expect("a time"), next["due_date"].as_str().expect("a day"));
    assert!(due > &day[..10], "{due} is after {day}");
}

#[tokio::test]
async fn a_todo_has_one_next_occurrence_at_the_most_however_often_it_is_completed() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let (_, path) = make(&user, json!({ "title": "x", "recurrence_interval": 7 })).await;
    for _ in 0..3 {
        let _ = user.send("POST", &format!("{path}complete/"), None).await.expect(200);
    }
    assert_eq!(open(&user).await.len(), 1);
    let fetched = user.get(&path).await.expect(200).json();
    let _ = user.put(&path, &fetched).await.expect(200);
    let _ = user.patch(&path, &json!({ "title": "y" })).await.expect(200);
    let _ = user.patch(&path, &json!({ "completed": false })).await.expect(200);
    let _ = user.patch(&path, &json!({ "completed": true })).await.expect(200);
    assert_eq!(open(&user).await.len(), 1);
    // Nothing comes of one that was written down when it was over, or of one that does not recur.
    let (_, over) =
        make(&user, json!({ "title": "over", "completed": true, "recurrence_interval": 7 })).await;
    let _ = user.patch(&over, &json!({ "title": "still over" })).await.expect(200);
    let (_, single) = make(&user, json!({ "title": "single" })).await;
    let _ = user.send("POST", &format!("{single}complete/"), None).await.expect(200);
    assert_eq!(open(&user).await.len(), 1);
}

#[tokio::test]
async fn of_twenty_who_complete_a_todo_at_once_one_makes_the_next_occurrence() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let (_, path) = make(&user, json!({ "title": "x", "recurrence_interval": 7 })).await;
    let complete = format!("{path}complete/");
    let keys: Vec<_> = (0..20).map(|_| user.with_header("Idempotency-Key", &new_id().to_string())).collect();
    let attempts = keys.iter().enumerate().map(|(number, keyed)| {
        let (path, complete, user) = (&path, &complete, &user);
        async move {
            match number % 3 {
                0 => keyed.send("POST", complete, None).await.status,
                1 => user.send("POST", complete, None).await.status,
                _ => user.patch(path, &json!({ "completed": true })).await.status,
            }
        }
    });
    assert_eq!(join_all(attempts).await, [200; 20]);
    assert_eq!(open(&user).await.len(), 1);
    assert_eq!(user.get(PATH).await.json()["count"], 2);
}

#[tokio::test]
async fn a_refused_completion_makes_nothing() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let (_, path) = make(&user, json!({ "title": "x", "recurrence_interval": 7 })).await;
    let stale = user.with_header("If-Match", "\"99.x\"");
    let _ = stale.patch(&path, &json!({ "completed": true })).await.expect_problem(412, "stale");
    let viewer = app.viewer_of(&app.a).await;
    assert_eq!(viewer.send("POST", &format!("{path}complete/"), None).await.status, 403);
    let of_b = app.user_of(&app.b).await;
    assert_eq!(of_b.send("POST", &format!("{path}complete/"), None).await.status, 404);
    assert_eq!(user.get(PATH).await.json()["count"], 1);
}

#[tokio::test]
async fn todos_are_filtered_by_completion_and_day_and_ordered_by_either() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for (title, completed, due) in
        [("a", false, json!("2026-01-10")), ("b", true, json!("2026-01-20")), ("c", true, Value::Null)]
    {
        let _ = make(&user, json!({ "title": title, "completed": completed, "due_date": due })).await;
    }
    let titles = async |query: &str| {
        let page = user.get(&format!("{PATH}?{query}")).await.expect(200).json();
        let rows = page["results"].as_array().expect("rows").clone();
        rows.iter().map(|row| row["title"].as_str().expect("a title")).collect::<String>()
    };
    assert_eq!(titles("completed=true&ordering=title").await, "bc");
    assert_eq!(titles("completed=false").await, "a");
    assert_eq!(titles("due_after=2026-01-15").await, "b");
    assert_eq!(titles("ordering=due_date").await, "abc");
    assert_eq!(titles("ordering=-completion_time").await, "cba");
    assert_eq!(titles("search=B").await, "b");
    for wrong in ["completed=1", "completed=True", "completed=", "recurrence_interval=7"] {
        let _ = user.get(&format!("{PATH}?{wrong}")).await.expect_problem(400, "invalid_parameter");
    }
}
