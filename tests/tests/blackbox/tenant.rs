//! Tenants over HTTP: one's own, and the little that anybody may know of any.

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::machine::Machine;
use bulkhead_tests::tenants::PASSWORD;
use serde_json::{Value, json};

use crate::matrix::comparable;

const OWN: &str = "/api/v1/tenant/";

fn of(slug: &str) -> String {
    format!("/api/v1/tenants/{slug}/")
}

#[tokio::test]
async fn an_administrator_sees_and_changes_what_the_tenant_decides_about_itself() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let seen = owner.get(OWN).await.expect(200).json();
    let expected = json!({
        "id": app.a.id, "slug": app.a.slug, "name": format!("Tenant {}", app.a.marker), "status": "active", "on_trial": true,
        "paid_until": null, "registration": "closed", "settings": {},
        "domains": [{ "domain": app.a.host, "is_primary": true }],
        "created_at": seen["created_at"], "updated_at": seen["updated_at"],
    });
    assert_eq!(seen, expected);
    let patch =
        json!({ "name": " Acme ", "registration": "invite", "settings": { "theme": { "dark": true } } });
    let changed = owner.patch(OWN, &patch).await.expect(200).json();
    assert_eq!((&changed["name"], &changed["registration"]), (&json!("Acme"), &json!("invite")));
    assert_eq!(changed["settings"], patch["settings"]);
    let replaced = owner.patch(OWN, &json!({ "settings": { "a": 1 } })).await.expect(200).json();
    assert_eq!((&replaced["settings"], &replaced["name"]), (&json!({ "a": 1 }), &json!("Acme")));
    let machine = Machine::create(&owner, json!({ "scopes": ["tenant:admin"] })).await;
    let by_machine = machine.at_work(&app, &app.a).await.get(OWN).await.expect(200).json();
    assert_eq!(by_machine, replaced);
}

#[tokio::test]
async fn what_is_the_operators_to_say_cannot_be_written_nor_anything_of_another_tenant() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.owner_of(&app.a).await, app.owner_of(&app.b).await);
    let of_b_before = of_b.get(OWN).await.expect(200).json();
    let before = of_a.get(OWN).await.expect(200).json();
    let forged = json!({
        "id": app.b.id, "tenant_id": app.b.id, "slug": "forged", "status": "deleting", "on_trial": false,
        "paid_until": "2099-12-31", "domains": [{ "domain": app.b.host, "is_primary": true }], "token_epoch": 7,
        "version": 99, "created_at": "2000-01-01T00:00:00Z", "updated_at": "2000-01-01T00:00:00Z",
    });
    let mut after = of_a.patch(OWN, &forged).await.expect(200).json();
    assert_ne!(after["updated_at"], forged["updated_at"]);
    after["updated_at"] = before["updated_at"].clone();
    assert_eq!(after, before);
    assert_eq!(of_b.get(OWN).await.expect(200).json(), of_b_before);
}

#[tokio::test]
async fn what_cannot_be_kept_of_a_tenant_is_refused_by_its_member() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    for (member, value) in [
        ("name", json!("")),
        ("name", json!("   ")),
        ("name", json!(null)),
        ("name", json!("x".repeat(201))),
        ("registration", json!("maybe")),
        ("registration", json!(null)),
        ("settings", json!([])),
        ("settings", json!(null)),
        ("settings", json!("{}")),
        ("settings", json!({ "a": "x".repeat(20_000) })),
        ("settings", json!({ "a": "\0" })),
    ] {
        let refused = owner.patch(OWN, &json!({ member: value })).await.expect_problem(400, "invalid");
        assert!(refused.json()["errors"][member].is_array(), "{refused}");
    }
    assert_eq!(owner.patch(OWN, &json!({ "name": "é".repeat(200) })).await.status, 200);
}

#[tokio::test]
async fn a_change_that_did_not_see_the_last_one_is_refused_and_an_unchanged_tenant_is_not_sent_again() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let tag = owner.get(OWN).await.expect(200).header("etag").expect("a tag").to_owned();
    let unchanged = owner.with_header("If-None-Match", &tag).get(OWN).await;
    assert_eq!(unchanged.status, 304);
    let seeing = owner.with_header("If-Match", &tag);
    let first = seeing.patch(OWN, &json!({ "name": "first" })).await.expect(200);
    let _ = seeing.patch(OWN, &json!({ "name": "second" })).await.expect_problem(412, "stale");
    let next = first.header("etag").expect("a tag");
    assert_eq!(owner.with_header("If-Match", next).patch(OWN, &json!({ "name": "third" })).await.status, 200);
    assert_eq!(owner.with_header("If-None-Match", &tag).get(OWN).await.status, 200);
    assert_eq!(owner.get(OWN).await.json()["name"], "third");
}

#[tokio::test]
async fn a_change_is_in_the_audit_trail_with_what_changed_and_not_with_the_settings() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let patch = json!({ "registration": "open", "settings": { "word": "unusual-word" } });
    assert_eq!(owner.patch(OWN, &patch).await.status, 200);
    let refused = owner.with_header("If-Match", "\"99.x\"").patch(OWN, &json!({ "name": "x" })).await;
    assert_eq!(refused.status, 412);
    let trail = owner.get("/api/v1/audit/?action=tenant.change").await.expect(200).json();
    assert_eq!(trail["count"], 1, "{trail}");
    let entry = &trail["results"][0];
    assert_eq!((&entry["actor_kind"], &entry["actor_id"]), (&json!("user"), &json!(app.a.owner.id)));
    assert_eq!(entry["target"]["changed"], json!(["settings", "registration"]));
    assert!(!trail.to_string().contains("unusual-word"));
}

#[tokio::test]
async fn anybody_finds_a_tenant_by_its_slug_and_learns_four_things() {
    let app = TestApp::start().await;
    let rename = async |name: &str, status: &str| {
        let update = "update bulkhead.tenants set name = $1, status = $2, settings = '{\"secret\": 1}' where id = $3::text::uuid";
        app.operator.execute(update, &[&name, &status, &app.a.id.to_string()]).await.expect("change it");
    };
    for (status, is_active) in [("active", true), ("suspended", false), ("deleting", false)] {
        rename("Acme", status).await;
        let expected = json!({ "id": app.a.id, "slug": app.a.slug, "name": "Acme", "is_active": is_active });
        for path in [of(&app.a.slug), of(&app.a.slug).trim_end_matches('/').to_owned()] {
            assert_eq!(app.anonymous().get(&path).await.expect(200).json(), expected);
        }
    }
}

#[tokio::test]
async fn a_slug_that_nobody_has_and_one_that_nobody_could_have_are_answered_alike() {
    let app = TestApp::start().await;
    let unknown = app.anonymous().get(&of("no-such-tenant")).await.expect_problem(404, "not_found");
    let long = "a".repeat(300);
    let (id, upper) = (app.a.id.to_string(), app.a.slug.to_uppercase());
    for slug in ["www", "x", "%20", "a_b", "a--b", "%00", "%27%20or%201=1", "%2e%2e", &long, &id, &upper] {
        let answer = app.anonymous().get(&of(slug)).await;
        assert_eq!(comparable(&answer), comparable(&unknown), "{slug}");
    }
    let random = app.anonymous().get(&of(&format!("t-{}", &new_id().simple().to_string()[16..]))).await;
    assert_eq!(comparable(&random), comparable(&unknown));
}

#[tokio::test]
async fn look_ups_are_limited_by_address_and_leave_log_ins_alone() {
    let app = Options::default().set("limits.credentials", "3/hour").start().await;
    let rename = "update bulkhead.tenants set name = 'Acme' where id = $1::text::uuid";
    app.operator.execute(rename, &[&app.a.id.to_string()]).await.expect("rename it");
    for status in [200, 404, 404] {
        let slug = if status == 200 { app.a.slug.as_str() } else { "x" };
        assert_eq!(app.anonymous().get(&of(slug)).await.status, status);
    }
    for slug in [app.a.slug.as_str(), "no-such-tenant", "x"] {
        let refused = app.anonymous().get(&of(slug)).await.expect_problem(429, "throttled");
        assert!(refused.header("ratelimit-policy").is_some_and(|policy| policy.starts_with("\"lookup\"")));
        assert!(refused.header("retry-after").is_some());
    }
    let body: Value =
        json!({ "tenant": app.a.slug, "username": app.a.member.username, "password": PASSWORD });
    for _ in 0..3 {
        assert_eq!(app.anonymous().post("/api/v1/auth/token/", &body).await.status, 200);
    }
    assert_eq!(
        app.anonymous().post("/api/v1/auth/token/", &body).await.status,
        429,
        "that is the log-ins' own"
    );
}
