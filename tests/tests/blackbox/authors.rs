//! Authors and the books below them (0.08, 0.10).

use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::rows::id;
use bulkhead_tests::scratch::Scratch;
use bulkhead_tests::statements::{Counted, Statements};
use serde_json::{Value, json};

use crate::projects::members;

const PATH: &str = "/api/v1/authors/";

async fn book(user: &Client, author: &Value, title: &str) -> Value {
    let body = json!({ "author": id(author), "title": title, "published_date": "1968-10-01" });
    user.post("/api/v1/books/", &body).await.expect(201).json()
}

#[tokio::test]
async fn an_author_is_created_read_changed_replaced_and_deleted_and_its_books_go_with_it() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let author = user.post(PATH, &json!({ "name": "Ursula", "bio": "b" })).await.expect(201).json();
    let mut names = members(&author);
    names.sort_unstable();
    assert_eq!(names, ["bio", "books", "books_count", "created_at", "id", "name", "updated_at"]);
    assert_eq!((&author["books"], &author["books_count"]), (&json!([]), &json!(0)));
    let path = format!("{PATH}{}/", id(&author));
    let first = book(&user, &author, "A Wizard").await;
    let second = book(&user, &author, "The Tombs").await;
    let shown =
        |book: &Value| json!({ "id": book["id"], "title": book["title"], "published_date": "1968-10-01" });
    let read = user.get(&path).await.expect(200).json();
    assert_eq!(read["books"], json!([shown(&second), shown(&first)]), "the newest first");
    let list = user.get(PATH).await.expect(200).json();
    assert_eq!(list["results"], json!([read]), "a list shows them as well");
    let renamed = user.patch(&path, &json!({ "name": "Ursula K." })).await.expect(200).json();
    assert_eq!((&renamed["name"], &renamed["books"]), (&json!("Ursula K."), &read["books"]));
    let replaced = user.put(&path, &json!({ "name": "U", "books": [] })).await.expect(200).json();
    assert_eq!(
        (&replaced["bio"], &replaced["books"]),
        (&json!(""), &read["books"]),
        "books are not written here"
    );
    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(user.get(&format!("/api/v1/books/{}/", id(&first))).await.status, 404);
}

#[tokio::test]
async fn the_tag_of_an_author_changes_with_its_books() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let author = user.post(PATH, &json!({ "name": "x" })).await.expect(201);
    let path = format!("{PATH}{}/", id(&author.json()));
    let known = user.with_header("If-None-Match", author.header("etag").expect("a tag"));
    assert_eq!(known.get(&path).await.status, 304);
    let _ = book(&user, &author.json(), "b").await;
    assert_eq!(known.get(&path).await.status, 200);
}

#[tokio::test]
async fn of_more_than_a_hundred_books_the_newest_hundred_are_shown_and_all_are_counted() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let author = user.post(PATH, &json!({ "name": "x" })).await.expect(201).json();
    let rows: Vec<Value> =
        (0..103).map(|number| json!({ "author": id(&author), "title": number.to_string() })).collect();
    let _ = user.post("/api/v1/books/bulk/", &json!({ "rows": rows })).await.expect(201);
    let read = user.get(&format!("{PATH}{}/", id(&author))).await.expect(200).json();
    let books = read["books"].as_array().expect("books");
    assert_eq!((books.len(), &read["books_count"]), (100, &json!(103)));
    assert_eq!((&books[0]["title"], &books[99]["title"]), (&json!("102"), &json!("3")));
}

#[tokio::test]
async fn however_many_authors_and_books_there_are_a_list_of_either_takes_the_same_few_statements() {
    let folder = Scratch::new("statements");
    let (cluster, statements) = Statements::cluster(folder.path()).await;
    let app = Options::default().cluster(cluster).pool(1).start().await;
    let user = app.user_of(&app.a).await;
    let sent = async |target: &str| -> Vec<Counted> {
        statements.reset().await;
        let _ = user.get(target).await.expect(200);
        let mut counted = statements.counted().await;
        counted.retain(|one| one.role == "bulkhead_app" && one.text.contains("author"));
        counted
    };
    let author = user.post(PATH, &json!({ "name": "first" })).await.expect(201).json();
    let _ = book(&user, &author, "b").await;
    let single = format!("{PATH}{}/", id(&author));
    let few = [sent(PATH).await, sent("/api/v1/books/").await, sent(&single).await];
    for number in 0..10 {
        let author = user.post(PATH, &json!({ "name": number.to_string() })).await.expect(201).json();
        for title in ["b", "c"] {
            let _ = book(&user, &author, title).await;
        }
    }
    let many = [sent(PATH).await, sent("/api/v1/books/").await, sent(&single).await];
    assert_eq!(few, many);
    let calls = few.map(|counted| counted.iter().map(|one| one.calls).sum::<i64>());
    assert_eq!(calls, [2, 2, 1], "a page and its count; one row");
}

#[tokio::test]
async fn no_book_of_another_tenant_is_shown_below_an_author() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.user_of(&app.a).await, app.user_of(&app.b).await);
    let author = of_a.post(PATH, &json!({ "name": "x" })).await.expect(201).json();
    let foreign = json!({ "author": id(&author), "title": format!("{} book", app.b.marker) });
    let refused = of_b.post("/api/v1/books/", &foreign).await.expect_problem(400, "invalid").json();
    assert_eq!(refused["errors"]["author"], json!(["Author does not belong to your tenant."]));
    assert_eq!(of_a.get(PATH).await.json()["results"][0]["books"], json!([]));
}
