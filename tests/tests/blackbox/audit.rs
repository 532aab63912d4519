//! The audit trail: one entry for each privileged deed, written with the deed, and never changed.

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::database;
use bulkhead_tests::http::Response;
use bulkhead_tests::machine::{CLIENTS, Machine};
use bulkhead_tests::rows::{everything_of, id};
use serde_json::{Value, json};

const AUDIT: &str = "/api/v1/audit/";

/// The whole trail, newest first.
async fn trail(owner: &Client) -> Vec<Value> {
    let list = owner.get(&format!("{AUDIT}?page_size=200")).await.expect(200).json();
    list["results"].as_array().expect("results").clone()
}

#[tokio::test]
async fn every_privileged_deed_leaves_one_entry_that_names_who_did_it() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let manager = Machine::create(&owner, json!({ "roles": ["admin"] })).await;
    let of_manager = manager.at_work(&app, &app.a).await;
    let actors = [(&owner, "user", app.a.owner.id.to_string()), (&of_manager, "client", manager.id.clone())];
    for (actor, kind, actor_id) in actors {
        let before = trail(&owner).await.len();
        let machine = Machine::create(actor, json!({ "roles": ["read"] })).await;
        let (_, _) = machine.rotate(actor, &json!({})).await;
        let secrets = actor.get(&machine.path("secrets/")).await.expect(200).json();
        let retired = json!({ "secret": id(&secrets[1]), "force": true });
        assert_eq!(actor.post(&machine.path("retire-secret/"), &retired).await.status, 200);
        assert_eq!(actor.patch(&machine.path(""), &json!({ "description": "x" })).await.status, 200);
        assert_eq!(actor.patch(&machine.path(""), &json!({ "roles": ["write"] })).await.status, 200);
        for deed in ["revoke-tokens/", "disable/", "disable/", "enable/", "enable/"] {
            assert_eq!(actor.send("POST", &machine.path(deed), None).await.status, 200);
        }
        assert_eq!(actor.delete(&machine.path("")).await.status, 204);
        let mut entries = trail(&owner).await;
        entries.truncate(entries.len() - before);
        entries.reverse();
        let actions: Vec<&str> = entries.iter().map(|row| row["action"].as_str().expect("a word")).collect();
        let deeds = [
            "create",
            "rotate_secret",
            "retire_secret",
            "change",
            "change",
            "revoke_tokens",
            "disable",
            "enable",
            "delete",
        ];
        assert_eq!(
            actions,
            deeds.map(|deed| format!("api_client.{deed}")),
            "what changed nothing is no deed"
        );
        for entry in &entries {
            assert_eq!((&entry["actor_kind"], &entry["actor_id"]), (&json!(kind), &json!(actor_id)));
            assert_eq!(entry["target"]["api_client"], machine.id, "{entry}");
        }
    }
    let of_person = format!("{AUDIT}?actor_kind=user&action=api_client.create");
    assert_eq!(owner.get(&of_person).await.expect(200).json()["count"], 2);
}

#[tokio::test]
async fn a_deed_that_was_retried_is_in_the_trail_once_and_a_refused_one_not_at_all() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "name": "taken" })).await;
    let before = trail(&owner).await.len();
    for (path, body) in
        [(CLIENTS.to_owned(), json!({ "name": "twice" })), (machine.path("secrets/"), json!({}))]
    {
        let retried = owner.with_header("Idempotency-Key", &new_id().to_string());
        for _ in 0..3 {
            assert_eq!(retried.post(&path, &body).await.status, 201);
        }
    }
    assert_eq!(trail(&owner).await.len(), before + 2);
    let stored = everything_of(&app.operator, &app.a).await;
    let stale = owner.with_header("If-Match", "\"99.AAAAAAAAAAA\"");
    let foreign = Machine::create(&app.owner_of(&app.b).await, json!({})).await;
    let refused = [
        owner.post(CLIENTS, &json!({ "name": "taken" })).await,
        owner.post(CLIENTS, &json!({ "name": "new", "rate_limit": 0 })).await,
        stale.patch(&machine.path(""), &json!({ "name": "new" })).await,
        stale.delete(&machine.path("")).await,
        owner.post(&machine.path("retire-secret/"), &json!({ "secret": new_id(), "force": true })).await,
        owner.send("POST", &foreign.path("disable/"), None).await,
        app.user_of(&app.a).await.delete(&machine.path("")).await,
    ];
    assert_eq!(refused.map(|answer| answer.status), [409, 400, 412, 412, 404, 404, 403]);
    assert_eq!(everything_of(&app.operator, &app.a).await, stored);
}

/// On a database of its own, where the trail can be made to refuse.
#[tokio::test]
async fn what_cannot_be_written_into_the_trail_is_not_done() {
    let app = Options::default().own_database().start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let at_work = machine.at_work(&app, &app.a).await;
    let superuser = database::connect(&app.urls.superuser_inside()).await;
    let full = "alter table bulkhead.audit_log add constraint audit_log_full check (false) not valid";
    superuser.batch_execute(full).await.expect("a full trail");
    let before = everything_of(&app.operator, &app.a).await;
    let owner = owner.expecting_faults();
    let refused = [
        owner.post(CLIENTS, &json!({ "name": "new" })).await,
        owner.patch(&machine.path(""), &json!({ "roles": ["write"] })).await,
        owner.post(&machine.path("secrets/"), &json!({ "overlap_seconds": 0 })).await,
        owner.send("POST", &machine.path("disable/"), None).await,
        owner.send("POST", &machine.path("revoke-tokens/"), None).await,
        owner.delete(&machine.path("")).await,
    ];
    assert!(refused.iter().all(|answer: &Response| answer.status >= 400), "{refused:?}");
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
    assert_eq!(at_work.get("/api/v1/projects/").await.status, 200, "and its tokens live");
    assert!(machine.gets_token(&app).await);
}

#[tokio::test]
async fn nobody_changes_the_trail() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let _ = Machine::create(&owner, json!({})).await;
    let before = trail(&owner).await;
    let entry = format!("{AUDIT}{}/", id(&before[0]));
    let body = json!({ "action": "nothing", "actor_id": "nobody" });
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for path in [AUDIT, &entry] {
            let refused = owner.send(method, path, (method != "DELETE").then_some(&body)).await;
            assert!([404, 405].contains(&refused.status), "{method} {path}: {refused}");
        }
    }
    assert_eq!(trail(&owner).await, before);
    for url in [&app.urls.url, &app.urls.auth_url] {
        let role = database::connect(url).await;
        role.batch_execute(&format!("set app.tenant_id = '{}'", app.a.id)).await.expect("set");
        for sql in ["update bulkhead.audit_log set action = 'nothing'", "delete from bulkhead.audit_log"] {
            let error = role.execute(sql, &[]).await.expect_err("the trail was changed");
            assert_eq!(error.code().map(|code| code.code()), Some("42501"), "{error}");
        }
    }
}
