//! Tasks (2.074, 2.076 to 2.080).

use bulkhead_tests::app::TestApp;
use bulkhead_tests::rows::{Rows, id};
use serde_json::{Value, json};

use crate::projects::members;

const PATH: &str = "/api/v1/tasks/";

#[tokio::test]
async fn a_task_is_created_read_changed_replaced_and_deleted() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let project = user.post("/api/v1/projects/", &json!({ "name": "P" })).await.expect(201).json();
    let task = user.post(PATH, &json!({ "project": project["id"], "title": "T" })).await.expect(201).json();
    let mut names = members(&task);
    names.sort_unstable();
    let shape = [
        "assigned_user",
        "completed_at",
        "created_at",
        "description",
        "due_date",
        "id",
        "priority",
        "project",
        "project_name",
        "status",
        "title",
        "todo",
        "updated_at",
    ];
    assert_eq!(names, shape);
    assert_eq!(
        (&task["project_name"], &task["status"], &task["priority"], &task["due_date"]),
        (&json!("P"), &json!("todo"), &json!("medium"), &Value::Null)
    );

    let path = format!("{PATH}{}/", id(&task));
    let mut detail = user.get(&path).await.expect(200).json();
    let project_details =
        detail.as_object_mut().expect("an object").remove("project_details").expect("the project");
    assert_eq!(
        (detail, &project_details["id"], &project_details["name"]),
        (task.clone(), &project["id"], &json!("P"))
    );

    let patched = user
        .patch(&path, &json!({ "due_date": "2026-12-24", "priority": "critical" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&patched["due_date"], &patched["priority"], &patched["title"]),
        (&json!("2026-12-24"), &json!("critical"), &json!("T"))
    );
    let cleared = user.patch(&path, &json!({ "due_date": null })).await.expect(200).json();
    assert_eq!(cleared["due_date"], Value::Null, "absent is not null");
    let fetched = user.get(&path).await.json();
    assert_eq!(
        user.put(&path, &fetched).await.expect(200).json()["priority"],
        "critical",
        "put back as fetched"
    );
    let replaced =
        user.put(&path, &json!({ "project": project["id"], "title": "U" })).await.expect(200).json();
    assert_eq!((&replaced["title"], &replaced["priority"]), (&json!("U"), &json!("medium")));
    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(user.get(&path).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_task_is_said_by_field() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let project =
        user.post("/api/v1/projects/", &json!({ "name": "P" })).await.expect(201).json()["id"].clone();
    for (body, field) in [
        (json!({ "title": "x" }), "project"),
        (json!({ "project": project }), "title"),
        (json!({ "project": null, "title": "x" }), "project"),
        (json!({ "project": "x", "title": "x" }), "project"),
        (json!({ "project": 7, "title": "x" }), "project"),
        (json!({ "project": project, "title": "t".repeat(256) }), "title"),
        (json!({ "project": project, "title": "x", "status": "blocked" }), "status"),
        (json!({ "project": project, "title": "x", "priority": "urgent" }), "priority"),
        (json!({ "project": project, "title": "x", "due_date": "2026-02-30" }), "due_date"),
        (json!({ "project": project, "title": "x", "due_date": "24.12.2026" }), "due_date"),
        (json!({ "project": project, "title": "x", "due_date": "infinity" }), "due_date"),
    ] {
        let problem = user.post(PATH, &body).await.expect_problem(400, "invalid").json();
        assert!(problem["errors"][field].is_array(), "{body}: {problem}");
    }
}

#[tokio::test]
async fn completing_a_task_is_idempotent() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    let path = format!("{PATH}{}/complete/", rows.id("tasks"));
    for _ in 0..2 {
        assert_eq!(user.send("POST", &path, None).await.expect(200).json()["status"], "done");
    }
    let with_body = user.post(&path, &json!({ "status": "todo" })).await.expect(200).json();
    assert_eq!(with_body["status"], "done", "a body changes nothing");
}

#[tokio::test]
async fn tasks_by_state_are_a_bare_array_under_both_spellings() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    let second = json!({ "project": rows.id("projects"), "title": "second", "status": "done" });
    let second = user.post(PATH, &second).await.expect(201).json();
    for spelling in ["by-status", "by_status"] {
        for slash in ["", "/"] {
            let path = format!("{PATH}{spelling}{slash}");
            assert_eq!(
                user.get(&format!("{path}?status=todo")).await.expect(200).json(),
                json!([rows.row("tasks")])
            );
            assert_eq!(user.get(&format!("{path}?status=done")).await.expect(200).json(), json!([second]));
            assert_eq!(user.get(&format!("{path}?status=in_progress")).await.expect(200).json(), json!([]));
            let missing = user.get(&path).await.expect_problem(400, "invalid_parameter").json();
            assert!(missing["detail"].as_str().expect("a sentence").contains("status parameter is required"));
            let _ = user.get(&format!("{path}?status=open")).await.expect_problem(400, "invalid_parameter");
        }
    }
}

#[tokio::test]
async fn the_tasks_of_a_project_are_a_bare_array_that_a_link_continues() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    let path = format!("/api/v1/projects/{}/tasks/", rows.id("projects"));
    assert_eq!(user.get(&path).await.expect(200).json(), json!([rows.row("tasks")]));
    for number in 0..4 {
        let task = json!({ "project": rows.id("projects"), "title": number.to_string() });
        assert_eq!(user.post(PATH, &task).await.status, 201);
    }
    let other = user.post("/api/v1/projects/", &json!({ "name": "other" })).await.expect(201).json();
    assert_eq!(
        user.get(&format!("/api/v1/projects/{}/tasks/", id(&other))).await.expect(200).json(),
        json!([])
    );
    let mut target = format!("{path}?page_size=2");
    let mut seen = Vec::new();
    loop {
        let page = user.get(&target).await.expect(200);
        seen.extend(page.json().as_array().expect("an array").iter().map(|task| id(task).to_owned()));
        let Some(link) = page.header("link") else { break };
        let (url, rest) = link.strip_prefix('<').and_then(|link| link.split_once('>')).expect("RFC 8288");
        assert_eq!(rest, "; rel=\"next\"");
        target = url.strip_prefix(bulkhead_tests::app::PUBLIC_URL).expect("our own URL").to_owned();
    }
    let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (5, 5));
}

#[tokio::test]
async fn a_task_says_since_when_it_is_done_by_whatever_verb_and_only_while_it_is() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    let (project, path) = (rows.id("projects"), format!("{PATH}{}/", rows.id("tasks")));
    assert_eq!(rows.row("tasks")["completed_at"], Value::Null);
    let done = user.send("POST", &format!("{path}complete/"), None).await.expect(200).json();
    assert_eq!(done["completed_at"], done["updated_at"]);
    let again = user.send("POST", &format!("{path}complete/"), None).await.expect(200).json();
    assert_eq!(again["completed_at"], done["completed_at"], "the first time counts");
    let reopened = user.patch(&path, &json!({ "status": "in_progress" })).await.expect(200).json();
    assert_eq!(reopened["completed_at"], Value::Null);
    let patched = user.patch(&path, &json!({ "status": "done" })).await.expect(200).json();
    assert_eq!(patched["completed_at"], patched["updated_at"]);
    let forged = json!({ "completed_at": "2020-01-01T00:00:00Z", "title": "x" });
    assert_eq!(user.patch(&path, &forged).await.json()["completed_at"], patched["completed_at"]);
    let body = |status: &str| json!({ "project": project, "title": "x", "status": status });
    assert_eq!(user.put(&path, &body("done")).await.json()["completed_at"], patched["completed_at"]);
    assert_eq!(user.put(&path, &body("todo")).await.json()["completed_at"], Value::Null);
    let born_done = user.post(PATH, &body("done")).await.expect(201).json();
    assert_eq!(born_done["completed_at"], born_done["created_at"]);
}

#[tokio::test]
async fn a_task_serves_a_todo_and_is_somebodys_of_the_same_tenant_only() {
    let app = TestApp::start().await;
    let (user, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    let (rows, foreign) = (Rows::create(&user, &app.a).await, Rows::create(&of_b, &app.b).await);
    let path = format!("{PATH}{}/", rows.id("tasks"));
    let change = json!({ "todo": rows.id("todos"), "assigned_user": app.a.viewer.id });
    let task = user.patch(&path, &change).await.expect(200).json();
    assert_eq!((&task["todo"], &task["assigned_user"]), (&change["todo"], &change["assigned_user"]));
    for query in [format!("todo={}", rows.id("todos")), format!("assigned_user={}", app.a.viewer.id)] {
        assert_eq!(user.get(&format!("{PATH}?{query}")).await.expect(200).json()["results"], json!([task]));
    }
    let strangers = [
        ("todo", foreign.id("todos").to_owned(), "Todo does not belong to your tenant."),
        ("assigned_user", app.b.member.id.to_string(), "Assigned user does not belong to your tenant."),
    ];
    for (member, theirs, sentence) in strangers {
        for stranger in [theirs, bulkhead_domain::ids::new_id().to_string()] {
            let refused = user.patch(&path, &json!({ (member): stranger })).await;
            let problem = refused.expect_problem(400, "invalid").json();
            assert_eq!(problem["errors"], json!({ (member): [sentence] }));
        }
    }
    let todo = format!("/api/v1/todos/{}/", rows.id("todos"));
    let kept = user.delete(&todo).await.expect_problem(409, "in_use").json();
    assert!(kept["detail"].as_str().expect("a sentence").starts_with("Some tasks refer to this todo."));
    let cleared = user.patch(&path, &json!({ "todo": null, "assigned_user": null })).await.expect(200).json();
    assert_eq!((&cleared["todo"], &cleared["assigned_user"]), (&Value::Null, &Value::Null));
    assert_eq!(user.delete(&todo).await.status, 204);
}
