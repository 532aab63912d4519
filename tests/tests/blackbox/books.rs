//! Books and the authors above them (0.09, 0.10).

use bulkhead_tests::app::TestApp;
use bulkhead_tests::rows::id;
use serde_json::{Value, json};

use crate::projects::members;

const PATH: &str = "/api/v1/books/";

#[tokio::test]
async fn a_book_is_created_read_changed_replaced_and_deleted_and_tells_its_authors_name() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let author = user.post("/api/v1/authors/", &json!({ "name": "Ursula" })).await.expect(201).json();
    let other = user.post("/api/v1/authors/", &json!({ "name": "Octavia" })).await.expect(201).json();
    let book = user.post(PATH, &json!({ "author": author["id"], "title": "B" })).await.expect(201).json();
    let mut names = members(&book);
    names.sort_unstable();
    let shape = ["author", "author_name", "created_at", "id", "published_date", "title", "updated_at"];
    assert_eq!(names, shape);
    assert_eq!(
        (&book["author"], &book["author_name"], &book["published_date"]),
        (&author["id"], &json!("Ursula"), &Value::Null)
    );
    let path = format!("{PATH}{}/", id(&book));
    let moved = user.patch(&path, &json!({ "author": other["id"] })).await.expect(200).json();
    assert_eq!(moved["author_name"], "Octavia");
    assert_eq!(user.get(&path).await.expect(200).json(), moved);
    let body = json!({ "author": author["id"], "title": "C", "published_date": "2026-01-31" });
    let replaced = user.put(&path, &body).await.expect(200).json();
    assert_eq!(
        (&replaced["author_name"], &replaced["published_date"]),
        (&json!("Ursula"), &json!("2026-01-31"))
    );
    let list = user.get(&format!("{PATH}?author={}", id(&author))).await.expect(200).json();
    assert_eq!(list["results"], json!([replaced]));
    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(user.get(&path).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_book_is_said_by_field() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let author = user.post("/api/v1/authors/", &json!({ "name": "x" })).await.expect(201).json();
    for (member, value) in [
        ("title", json!("")),
        ("title", json!("t".repeat(256))),
        ("author", json!(null)),
        ("author", json!("x")),
        ("author", json!(bulkhead_domain::ids::new_id())),
        ("published_date", json!("1968")),
    ] {
        let mut body = json!({ "title": "x", "author": author["id"] });
        body[member] = value;
        let problem = user.post(PATH, &body).await.expect_problem(400, "invalid").json();
        assert!(problem["errors"][member].is_array(), "{body}: {problem}");
    }
}
