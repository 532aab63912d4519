//! Many at once: entity tags, unique names, retry keys (CON-1, CON-3, IDM-1 to IDM-5).

use std::collections::BTreeSet;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::TestApp;
use bulkhead_tests::rows::{Rows, id, resources};
use futures_util::future::join_all;
use serde_json::json;

const PATH: &str = "/api/v1/projects/";

#[tokio::test]
async fn con_1_of_fifty_changes_to_one_version_one_wins_and_the_others_are_told() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let created = user.post(PATH, &json!({ "name": "x" })).await.expect(201);
    let path = format!("{PATH}{}/", id(&created.json()));
    let conditional = user.with_header("If-Match", created.header("etag").expect("a tag"));
    let changes = (0..50).map(|number| {
        let (conditional, path) = (conditional.clone(), path.clone());
        async move { conditional.patch(&path, &json!({ "description": number.to_string() })).await.status }
    });
    let mut statuses = join_all(changes).await;
    statuses.sort_unstable();
    let mut expected = vec![412; 49];
    expected.insert(0, 200);
    assert_eq!(statuses, expected);
}

#[tokio::test]
async fn entity_tags_make_reads_and_changes_conditional() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    for resource in resources() {
        let path = format!("/api/v1/{resource}/{}/", rows.id(&resource));
        let read = user.get(&path).await.expect(200);
        let tag = read.header("etag").expect("a tag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = user.with_header("If-None-Match", &known).get(&path).await.expect(304);
            assert_eq!((again.header("etag"), again.body.len()), (Some(tag.as_str()), 0));
        }
        assert_eq!(user.with_header("If-None-Match", "\"other\"").get(&path).await.status, 200);
        let changed = user.with_header("If-Match", &tag).patch(&path, &json!({})).await.expect(200);
        let newer = changed.header("etag").expect("a tag").to_owned();
        for (method, body) in [("PATCH", Some(json!({}))), ("DELETE", None)] {
            if newer == tag {
                // A patch that changes nothing may keep the version.
                continue;
            }
            let stale = user.with_header("If-Match", &tag).send(method, &path, body.as_ref()).await;
            let _ = stale.expect_problem(412, "stale");
        }
        let _ = user.with_header("If-Match", "\"999.x\"").delete(&path).await.expect_problem(412, "stale");
        for malformed in ["x", "7", "\"a\", \"b\"x", "W/7"] {
            let refused = user.with_header("If-Match", malformed).delete(&path).await;
            assert!([400, 412].contains(&refused.status), "{malformed}: {refused}");
        }
        assert_eq!(user.with_header("If-Match", "*").patch(&path, &json!({})).await.status, 200);
        let now = user.get(&path).await.expect(200).header("etag").expect("a tag").to_owned();
        let weakened = user.with_header("If-Match", &format!("W/{now}"));
        assert_eq!(
            weakened.patch(&path, &json!({})).await.status,
            200,
            "a proxy that compresses weakens tags"
        );
    }
}

#[tokio::test]
async fn con_3_of_twenty_projects_with_one_name_one_is_created() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let body = json!({ "name": "the only one" });
    let mut statuses: Vec<u16> =
        join_all((0..20).map(|_| user.post(PATH, &body))).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    let mut expected = vec![409; 19];
    expected.insert(0, 201);
    assert_eq!(statuses, expected);
}

#[tokio::test]
async fn idm_1_twenty_attempts_with_one_key_have_one_effect_and_one_answer() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let key = user.with_header("Idempotency-Key", &new_id().to_string());
    let body = json!({ "name": "once" });
    let answers = join_all((0..20).map(|_| key.post(PATH, &body))).await;
    let created: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!created.is_empty() && answers.iter().all(|answer| [201, 409].contains(&answer.status)));
    let ids: BTreeSet<String> = created.iter().map(|answer| id(&answer.json()).to_owned()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(user.get(PATH).await.json()["count"], 1);
    let again = key.post(PATH, &body).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(
        (again.json(), again.header("location"), again.header("etag")),
        (created[0].json(), created[0].header("location"), created[0].header("etag"))
    );
}

#[tokio::test]
async fn idm_2_3_a_key_belongs_to_one_request_of_one_principal() {
    let app = TestApp::start().await;
    let (user, other) = (app.user_of(&app.a).await, app.owner_of(&app.a).await);
    let key = new_id().to_string();
    let keyed = user.with_header("Idempotency-Key", &key);
    let task = json!({ "name": "first" });
    assert_eq!(keyed.post(PATH, &task).await.status, 201);
    let reused = keyed.post(PATH, &json!({ "name": "second" })).await;
    let _ = reused.expect_problem(422, "idempotency_key_reused");
    let reused = keyed.post("/api/v1/documents/", &task).await;
    let _ = reused.expect_problem(422, "idempotency_key_reused");
    assert_eq!(keyed.post("/api/v1/projects", &task).await.status, 201, "the slash makes no other request");
    let independent =
        other.with_header("Idempotency-Key", &key).post(PATH, &json!({ "name": "third" })).await;
    assert!(independent.expect(201).header("idempotency-replayed").is_none());
}

#[tokio::test]
async fn a_refused_attempt_does_not_use_its_key_up() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let keyed = user.with_header("Idempotency-Key", &new_id().to_string());
    assert_eq!(keyed.post(PATH, &json!({ "name": "" })).await.status, 400);
    assert_eq!(user.post(PATH, &json!({ "name": "taken" })).await.status, 201);
    assert_eq!(keyed.post(PATH, &json!({ "name": "taken" })).await.status, 409);
    assert_eq!(keyed.post(PATH, &json!({ "name": "free" })).await.status, 201);
}

#[tokio::test]
async fn idm_5_a_key_is_printable_and_bounded() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    for bad in ["", "\"\"", "k\u{e9}y", "a\"b", &"k".repeat(256), "a\tb"] {
        let refused = user.with_header("Idempotency-Key", bad).post(PATH, &json!({ "name": "x" })).await;
        let _ = refused.expect_problem(400, "invalid_header");
    }
    assert_eq!(user.get(PATH).await.json()["count"], 0);
    let long = user.with_header("Idempotency-Key", &"k".repeat(255));
    assert_eq!(long.post(PATH, &json!({ "name": "x" })).await.status, 201);
}

#[tokio::test]
async fn completing_with_a_key_answers_the_same_again() {
    let app = TestApp::start().await;
    let user = app.user_of(&app.a).await;
    let rows = Rows::create(&user, &app.a).await;
    let path = format!("/api/v1/tasks/{}/complete/", rows.id("tasks"));
    let keyed = user.with_header("Idempotency-Key", &new_id().to_string());
    let first = keyed.send("POST", &path, None).await.expect(200);
    let again = keyed.send("POST", &path, None).await.expect(200);
    assert_eq!((again.header("idempotency-replayed"), again.json()), (Some("true"), first.json()));
}
