//! Projects (2.070 to 2.075), in the exact shapes that clients know.

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::TestApp;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::rows::id;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/projects/";

pub(crate) fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("not an object: {value}")).keys().map(String::as_str).collect()
}

/// What a timestamp looks like: UTC, with Z.
pub(crate) fn assert_instant(value: &Value) {
    let text = value.as_str().expect("a text");
    assert!(text.ends_with('Z') && text.len() >= 20 && text.as_bytes()[10] == b'T', "{text}");
}

#[tokio::test]
async fn a_project_is_created_read_changed_replaced_and_deleted() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let created = user.post(PATH, &json!({ "name": "  One  " })).await.expect(201);
    let project = created.json();
    let shape = ["id", "name", "description", "status", "owner", "tasks_count", "created_at", "updated_at"];
    let mut names = members(&project);
    names.sort_unstable();
    let mut expected = shape.to_vec();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(
        (&project["name"], &project["status"], &project["tasks_count"]),
        (&json!("One"), &json!("active"), &json!(0))
    );
    assert_instant(&project["created_at"]);
    assert_instant(&project["updated_at"]);
    let path = format!("{PATH}{}/", id(&project));
    assert!(created.header("location").expect("Location").ends_with(&path));

    let read = user.get(&path).await.expect(200);
    assert_eq!(read.json(), project);
    assert_eq!(read.header("etag"), created.header("etag"));
    let list = user.get(PATH).await.expect(200).json();
    assert_eq!((&list["count"], &list["results"]), (&json!(1), &json!([project])));
    assert_eq!((&list["next"], &list["previous"]), (&Value::Null, &Value::Null));

    let patched =
        user.patch(&path, &json!({ "description": "two", "status": "archived" })).await.expect(200).json();
    assert_eq!(
        (&patched["name"], &patched["description"], &patched["status"]),
        (&json!("One"), &json!("two"), &json!("archived"))
    );
    assert_eq!(patched["created_at"], project["created_at"]);
    let replaced = user.put(&path, &json!({ "name": "Three" })).await.expect(200).json();
    assert_eq!(
        (&replaced["name"], &replaced["description"], &replaced["status"]),
        (&json!("Three"), &json!(""), &json!("active"))
    );
    let again = user.put(&path, &user.get(&path).await.json()).await.expect(200).json();
    assert_eq!(again["name"], replaced["name"], "a fetched object can be put back");

    assert!(user.delete(&path).await.expect(204).body.is_empty());
    let _ = user.get(&path).await.expect_problem(404, "not_found");
    let _ = user.delete(&path).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn with_and_without_the_final_slash_is_the_same_and_nothing_is_redirected() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let project = user.post("/api/v1/projects", &json!({ "name": "x" })).await.expect(201).json();
    let bare = format!("/api/v1/projects/{}", id(&project));
    assert_eq!(
        user.get(&bare).await.expect(200).json(),
        user.get(&format!("{bare}/")).await.expect(200).json()
    );
    assert_eq!(
        user.get("/api/v1/projects").await.expect(200).json(),
        user.get(PATH).await.expect(200).json()
    );
    assert_eq!(user.get(&format!("{bare}/tasks")).await.expect(200).json(), json!([]));
    assert_eq!(user.get("/api/v1/projects/statistics").await.status, 200);
    assert_eq!(user.delete(&bare).await.status, 204);
}

#[tokio::test]
async fn what_is_wrong_with_a_project_is_said_by_field_and_nothing_is_created() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for (body, field) in [
        (json!({}), "name"),
        (json!({ "name": "" }), "name"),
        (json!({ "name": "   " }), "name"),
        (json!({ "name": null }), "name"),
        (json!({ "name": 7 }), "name"),
        (json!({ "name": "n".repeat(256) }), "name"),
        (json!({ "name": "a\u{0}b" }), "name"),
        (json!({ "name": "x", "status": "open" }), "status"),
        (json!({ "name": "x", "status": "Active" }), "status"),
        (json!({ "name": "x", "status": "active " }), "status"),
        (json!({ "name": "x", "description": "d".repeat(20_001) }), "description"),
    ] {
        let problem = user.post(PATH, &body).await.expect_problem(400, "invalid").json();
        assert!(problem["errors"][field].is_array(), "{body}: {problem}");
    }
    let both = user.post(PATH, &json!({ "name": "", "status": "x" })).await.json();
    assert_eq!(members(&both["errors"]).len(), 2, "every complaint at once: {both}");
    assert_eq!(user.get(PATH).await.json()["count"], 0);
    assert_eq!(user.post(PATH, &json!({ "name": "n".repeat(255) })).await.status, 201);
}

#[tokio::test]
async fn a_name_is_unique_within_its_tenant_only() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    let name = json!({ "name": new_id().to_string() });
    assert_eq!(of_b.post(PATH, &name).await.status, 201);
    assert_eq!(of_a.post(PATH, &name).await.status, 201, "used in B is free in A");
    let problem = of_a.post(PATH, &name).await.expect_problem(409, "duplicate").json();
    assert!(problem["errors"]["name"][0].as_str().expect("a sentence").contains("already exists"));
    let other = of_a.post(PATH, &json!({ "name": "other" })).await.expect(201).json();
    let _ = of_a.patch(&format!("{PATH}{}/", id(&other)), &name).await.expect_problem(409, "duplicate");
}

#[tokio::test]
async fn a_project_takes_its_tasks_and_documents_with_it() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = bulkhead_tests::rows::Rows::create(&user, &app.a).await;
    let path = format!("{PATH}{}/", rows.id("projects"));
    assert_eq!(user.get(&path).await.json()["tasks_count"], 1);
    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(user.get(&format!("/api/v1/tasks/{}/", rows.id("tasks"))).await.status, 404);
    assert_eq!(user.get(&format!("/api/v1/documents/{}/", rows.id("documents"))).await.status, 404);
}

#[tokio::test]
async fn statistics_count_by_state() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for (number, status) in ["active", "active", "completed", "archived"].into_iter().enumerate() {
        let body = json!({ "name": number.to_string(), "status": status });
        let project = user.post(PATH, &body).await.expect(201).json();
        if number == 0 {
            for _ in 0..2 {
                let task = json!({ "project": project["id"], "title": "t" });
                assert_eq!(user.post("/api/v1/tasks/", &task).await.status, 201);
            }
        }
    }
    let counts = json!({ "total_projects": 4, "active_projects": 2, "completed_projects": 1,
        "archived_projects": 1, "projects_with_tasks": 1 });
    assert_eq!(user.get("/api/v1/projects/statistics/").await.expect(200).json(), counts);
}

#[tokio::test]
async fn a_project_is_its_makers_unless_another_person_of_the_tenant_is_named() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let project = user.post(PATH, &json!({ "name": "one" })).await.expect(201).json();
    assert_eq!(project["owner"], json!(app.a.member.id));
    let path = format!("{PATH}{}/", id(&project));
    let owner = app.owner_of(&app.a).await;
    let replaced = owner.put(&path, &json!({ "name": "two" })).await.expect(200).json();
    assert_eq!(replaced["owner"], project["owner"], "whom the body does not name stays");
    let given = user.patch(&path, &json!({ "owner": app.a.viewer.id })).await.expect(200).json();
    assert_eq!(given["owner"], json!(app.a.viewer.id));
    let found = user.get(&format!("{PATH}?owner={}", app.a.viewer.id)).await.expect(200).json();
    assert_eq!(found["results"], json!([given]));
    for stranger in [json!(app.b.member.id), json!(new_id())] {
        let refused = user.patch(&path, &json!({ "owner": stranger })).await;
        let problem = refused.expect_problem(400, "invalid").json();
        assert_eq!(problem["errors"], json!({ "owner": ["Owner does not belong to your tenant."] }));
    }
    let machine = Machine::create(&owner, json!({ "roles": ["write"] })).await.at_work(&app, &app.a).await;
    let made = machine.post(PATH, &json!({ "name": "three" })).await.expect(201).json();
    assert_eq!(made["owner"], Value::Null);
}

#[tokio::test]
async fn the_analytics_of_a_project_tell_how_its_tasks_stand() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let project = user.post(PATH, &json!({ "name": "P" })).await.expect(201).json();
    let other = user.post(PATH, &json!({ "name": "Q" })).await.expect(201).json();
    let path = format!("{PATH}{}/analytics/", id(&project));
    let nothing = json!({ "total_tasks": 0, "completed_tasks": 0, "pending_tasks": 0, "overdue_tasks": 0,
        "average_completion_time": null });
    assert_eq!(user.get(&path).await.expect(200).json(), nothing);
    for (project, status, due) in [
        (&project, "todo", json!("2020-01-01")),
        (&project, "in_progress", json!("9999-12-31")),
        (&project, "todo", Value::Null),
        (&project, "done", json!("2020-01-01")),
        (&other, "todo", json!("2020-01-01")),
    ] {
        let task = json!({ "project": project["id"], "title": "t", "status": status, "due_date": due });
        assert_eq!(user.post("/api/v1/tasks/", &task).await.status, 201);
    }
    let late = json!({ "project": project["id"], "title": "late" });
    let late = user.post("/api/v1/tasks/", &late).await.expect(201).json();
    let _ = user.send("POST", &format!("/api/v1/tasks/{}/complete/", id(&late)), None).await.expect(200);
    // As if it had taken ten minutes.
    let slow = "update bulkhead.tasks set completed_at = created_at + interval '10 minutes' where id = $1::text::uuid";
    app.operator.execute(slow, &[&id(&late)]).await.expect("another time");
    let counts = user.get(&path).await.expect(200).json();
    let expected = json!({ "total_tasks": 5, "completed_tasks": 2, "pending_tasks": 3, "overdue_tasks": 1,
        "average_completion_time": 300.0 });
    assert_eq!(counts, expected, "one was done at once, one after ten minutes");
}

#[tokio::test]
async fn a_person_whom_rows_name_is_not_deleted_behind_their_back() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let _ = user.post(PATH, &json!({ "name": "P" })).await.expect(201);
    let delete = "delete from bulkhead.users where id = $1::text::uuid";
    let refused =
        app.operator.execute(delete, &[&app.a.member.id.to_string()]).await.expect_err("it owns one");
    assert_eq!(refused.as_db_error().and_then(|error| error.constraint()), Some("projects_owner_fk"));
    let gone = app.operator.execute(delete, &[&app.a.viewer.id.to_string()]).await;
    assert_eq!(gone.expect("nothing names it"), 1);
}
