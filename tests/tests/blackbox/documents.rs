//! Documents (2.081 to 2.083).

use bulkhead_tests::app::TestApp;
use bulkhead_tests::rows::id;
use serde_json::{Value, json};

use crate::projects::members;

const PATH: &str = "/api/v1/documents/";

#[tokio::test]
async fn a_document_is_created_read_changed_replaced_and_deleted() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let document = user.post(PATH, &json!({ "name": "D" })).await.expect(201).json();
    let mut names = members(&document);
    names.sort_unstable();
    let shape = [
        "content_type",
        "created_at",
        "file_path",
        "file_size",
        "id",
        "metadata",
        "name",
        "project",
        "project_name",
        "updated_at",
    ];
    assert_eq!(names, shape);
    assert_eq!(
        (&document["project"], &document["project_name"], &document["metadata"]),
        (&Value::Null, &Value::Null, &json!({}))
    );
    let path = format!("{PATH}{}/", id(&document));
    let project = user.post("/api/v1/projects/", &json!({ "name": "P" })).await.expect(201).json();
    let change = json!({ "project": project["id"], "file_path": "/a/b.pdf", "file_size": 9_007_199_254_740_991_i64,
        "content_type": "application/pdf", "metadata": { "a": [1, 2.5, null, true, { "b": "ü" }], "-0": -0.0 } });
    let patched = user.patch(&path, &change).await.expect(200).json();
    for (name, value) in change.as_object().expect("an object") {
        assert_eq!(patched[name], *value, "{name}");
    }
    assert_eq!(patched["project_name"], "P");
    assert_eq!(user.get(&path).await.expect(200).json(), patched);
    assert_eq!(user.put(&path, &patched).await.expect(200).json()["metadata"], patched["metadata"]);
    let replaced = user.put(&path, &json!({ "name": "E" })).await.expect(200).json();
    assert_eq!(
        (&replaced["project"], &replaced["file_size"], &replaced["metadata"]),
        (&Value::Null, &json!(0), &json!({}))
    );
    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(user.get(&path).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_document_is_said_by_field() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for (member, value) in [
        ("name", json!("")),
        ("project", json!("x")),
        ("file_path", json!("p".repeat(501))),
        ("content_type", json!("c".repeat(101))),
        ("file_size", json!(-1)),
        ("file_size", json!(1.5)),
        ("file_size", json!("1")),
        ("file_size", json!(9_007_199_254_740_992_i64)),
        ("file_size", json!(u64::MAX)),
        ("metadata", json!([])),
        ("metadata", json!("{}")),
        ("metadata", json!(null)),
        ("metadata", json!({ "a": "\u{0}" })),
        ("metadata", json!({ "a": "x".repeat(20_000) })),
    ] {
        let mut body = json!({ "name": "D" });
        body[member] = value;
        let problem = user.post(PATH, &body).await.expect_problem(400, "invalid").json();
        assert!(problem["errors"][member].is_array(), "{body}: {problem}");
    }
}

#[tokio::test]
async fn documents_are_filtered_by_project() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = bulkhead_tests::rows::Rows::create(&user, &app.a).await;
    assert_eq!(user.post(PATH, &json!({ "name": "loose" })).await.status, 201);
    let found = user.get(&format!("{PATH}?project={}", rows.id("projects"))).await.expect(200).json();
    assert_eq!(found["results"], json!([rows.row("documents")]));
    assert_eq!(user.get(PATH).await.json()["count"], 2);
}
