//! Items, and who made them (3.07).

use bulkhead_tests::app::TestApp;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::rows::id;
use serde_json::{Value, json};

use crate::projects::members;

const PATH: &str = "/api/v1/items/";

#[tokio::test]
async fn an_item_is_created_read_changed_replaced_and_deleted() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let item = user.post(PATH, &json!({ "name": "I" })).await.expect(201).json();
    let mut names = members(&item);
    names.sort_unstable();
    let shape =
        ["created_at", "created_by", "created_by_username", "description", "id", "name", "updated_at"];
    assert_eq!(names, shape);
    let path = format!("{PATH}{}/", id(&item));
    let changed = user.patch(&path, &json!({ "description": "d" })).await.expect(200).json();
    assert_eq!((&changed["name"], &changed["description"]), (&json!("I"), &json!("d")));
    assert_eq!(user.get(&path).await.expect(200).json(), changed);
    assert_eq!(user.put(&path, &json!({ "name": "J" })).await.expect(200).json()["description"], "");
    let problem = user.post(PATH, &json!({ "name": "" })).await.expect_problem(400, "invalid").json();
    assert!(problem["errors"]["name"].is_array());
    assert_eq!(user.delete(&path).await.status, 204);
    assert_eq!(user.get(&path).await.status, 404);
}

#[tokio::test]
async fn whoever_makes_an_item_is_noted_and_stays_its_maker() {
    let app = TestApp::start().await;
    let (user, owner) = (app.user_of(&app.a).await, app.owner_of(&app.a).await);
    let forged = json!({ "name": "I", "created_by": app.a.owner.id, "created_by_username": "x" });
    let item = user.post(PATH, &forged).await.expect(201).json();
    assert_eq!(
        (&item["created_by"], &item["created_by_username"]),
        (&json!(app.a.member.id), &json!(app.a.member.username))
    );
    let path = format!("{PATH}{}/", id(&item));
    for method in ["PATCH", "PUT"] {
        let changed = owner.send(method, &path, Some(&forged)).await.expect(200).json();
        assert_eq!(changed["created_by"], item["created_by"], "{method}");
    }
    let mine = user.get(&format!("{PATH}?created_by={}", app.a.member.id)).await.expect(200).json();
    assert_eq!(mine["count"], 1);
    let theirs = user.get(&format!("{PATH}?created_by={}", app.b.member.id)).await.expect(200).json();
    assert_eq!(theirs["count"], 0);
}

#[tokio::test]
async fn what_a_machine_makes_has_no_person_as_its_maker() {
    let app = TestApp::start().await;
    let machine = Machine::create(&app.owner_of(&app.a).await, json!({ "roles": ["write"] })).await;
    let item =
        machine.at_work(&app, &app.a).await.post(PATH, &json!({ "name": "I" })).await.expect(201).json();
    assert_eq!((&item["created_by"], &item["created_by_username"]), (&Value::Null, &Value::Null));
}
