//! Blogs (4.06): authors who are people of the tenant, and since when they are published.

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::TestApp;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::rows::id;
use serde_json::{Value, json};

use crate::projects::members;

const PATH: &str = "/api/v1/blogs/";

#[tokio::test]
async fn a_blog_is_created_read_changed_replaced_and_deleted() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let blog = user.post(PATH, &json!({ "title": "T" })).await.expect(201).json();
    let mut names = members(&blog);
    names.sort_unstable();
    let shape = [
        "author",
        "body",
        "created_at",
        "description",
        "id",
        "published_at",
        "status",
        "title",
        "updated_at",
    ];
    assert_eq!(names, shape);
    assert_eq!(
        (&blog["status"], &blog["published_at"], &blog["body"]),
        (&json!("draft"), &Value::Null, &json!(""))
    );
    let path = format!("{PATH}{}/", id(&blog));
    let long = "ü".repeat(200_000);
    let changed = user.patch(&path, &json!({ "body": long })).await.expect(200).json();
    assert_eq!(changed["body"], json!(long));
    assert_eq!(user.get(&path).await.expect(200).json(), changed);
    for (member, value) in [
        ("title", json!("")),
        ("body", json!(format!("{long}x"))),
        ("status", json!("gone")),
        ("author", json!("me")),
    ] {
        let mut body = json!({ "title": "x" });
        body[member] = value;
        let problem = user.post(PATH, &body).await.expect_problem(400, "invalid").json();
        assert!(problem["errors"][member].is_array(), "{problem}");
    }
    assert_eq!(user.put(&path, &json!({ "title": "U" })).await.expect(200).json()["body"], "");
    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(user.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_blog_says_since_when_it_is_published_while_it_is() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let blog = user.post(PATH, &json!({ "title": "T" })).await.expect(201).json();
    let path = format!("{PATH}{}/", id(&blog));
    let published = user.patch(&path, &json!({ "status": "published" })).await.expect(200).json();
    assert_eq!(published["published_at"], published["updated_at"]);
    let forged = json!({ "title": "U", "status": "published", "published_at": "2020-01-01T00:00:00Z" });
    let edited = user.put(&path, &forged).await.expect(200).json();
    assert_eq!((&edited["title"], &edited["published_at"]), (&json!("U"), &published["published_at"]));
    let archived = user.patch(&path, &json!({ "status": "archived" })).await.expect(200).json();
    assert_eq!(archived["published_at"], Value::Null);
    let at_once = user.post(PATH, &json!({ "title": "V", "status": "published" })).await.expect(201).json();
    assert_eq!(at_once["published_at"], at_once["created_at"]);
    let list = user.get(&format!("{PATH}?published_after=2026-01-01&ordering=-published_at")).await;
    assert_eq!(list.expect(200).json()["results"], json!([at_once]));
}

#[tokio::test]
async fn the_author_is_whoever_makes_it_unless_given_and_stays_unless_changed() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let blog = user.post(PATH, &json!({ "title": "T" })).await.expect(201).json();
    assert_eq!(blog["author"], json!(app.a.member.id));
    let path = format!("{PATH}{}/", id(&blog));
    let owner = app.owner_of(&app.a).await;
    assert_eq!(owner.put(&path, &json!({ "title": "U" })).await.expect(200).json()["author"], blog["author"]);
    let given = json!({ "title": "V", "author": app.a.viewer.id });
    assert_eq!(user.post(PATH, &given).await.expect(201).json()["author"], json!(app.a.viewer.id));
    let nobody = user.patch(&path, &json!({ "author": null })).await.expect(200).json();
    assert_eq!(nobody["author"], Value::Null);
    let machine = Machine::create(&owner, json!({ "roles": ["write"] })).await;
    let machine = machine.at_work(&app, &app.a).await;
    assert_eq!(machine.post(PATH, &json!({ "title": "W" })).await.expect(201).json()["author"], Value::Null);
    assert_eq!(machine.post(PATH, &given).await.expect(201).json()["author"], json!(app.a.viewer.id));
    for stranger in [json!(app.b.member.id), json!(new_id())] {
        let refused = user.post(PATH, &json!({ "title": "X", "author": stranger })).await;
        let problem = refused.expect_problem(400, "invalid").json();
        assert_eq!(problem["errors"], json!({ "author": ["Author does not belong to your tenant."] }));
    }
}
