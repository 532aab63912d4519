//! API clients as administrators make, see and change them: shapes, bad input, lists, and the secret that is shown once.

use aws_lc_rs::digest::{SHA256, digest};
use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{PUBLIC_URL, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::database;
use bulkhead_tests::machine::{CLIENTS, Machine};
use bulkhead_tests::rows::{everything_of, id};
use bulkhead_tests::tenants::Tenant;
use serde_json::{Value, json};

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every row of a tenant in every table, looked at as the superuser. Bytes stand there in hexadecimal.
async fn all_tables(app: &TestApp, tenant: &Tenant) -> String {
    let superuser = database::connect(&app.urls.superuser_inside()).await;
    let tables = "select a.attrelid::regclass::text from pg_attribute a join pg_class c on c.oid = a.attrelid
        where a.attname = 'tenant_id' and c.relkind in ('r', 'p') and c.relnamespace = 'bulkhead'::regnamespace";
    let mut all = String::new();
    for table in superuser.query(tables, &[]).await.expect("the catalogue") {
        let table: String = table.get(0);
        let select = format!("select to_jsonb(t)::text from {table} t where tenant_id = '{}'", tenant.id);
        for row in superuser.query(&select, &[]).await.expect("rows") {
            all.push_str(&row.get::<_, String>(0));
        }
    }
    all
}

#[tokio::test]
async fn cli_1_a_secret_is_in_one_answer_and_nowhere_else_but_for_its_digest() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let retried = owner.with_header("Idempotency-Key", &new_id().to_string());
    let body = json!({ "name": "once", "roles": ["read"] });
    let made = retried.post(CLIENTS, &body).await.expect(201).json();
    let machine = Machine {
        id: id(&made).to_owned(),
        client_id: made["client_id"].as_str().expect("an identifier").to_owned(),
        secret: made["client_secret"].as_str().expect("a secret").to_owned(),
        made,
    };
    let again = retried.post(CLIENTS, &body).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((&again.json()["id"], &again.json()["client_secret"]), (&machine.made["id"], &Value::Null));
    let rotating = owner.with_header("Idempotency-Key", &new_id().to_string());
    let (rotated, rotated_machine) = machine.rotate(&rotating, &json!({})).await;
    let replayed = rotating.post(&machine.path("secrets/"), &json!({})).await.expect(201).json();
    assert_eq!((&replayed["id"], &replayed["client_secret"]), (&rotated["id"], &Value::Null));

    let secrets = [machine.secret.as_str(), rotated_machine.secret.as_str()];
    let session = machine.session(&app).await;
    let mut answers = vec![again.text(), replayed.to_string(), session.to_string()];
    for scope in [None, Some("tenant:admin")] {
        answers.push(rotated_machine.ask(&app.anonymous(), scope).await.text());
    }
    for path in [CLIENTS.to_owned(), machine.path(""), machine.path("secrets/"), machine.path("usage/")] {
        answers.push(owner.get(&path).await.expect(200).text());
    }
    answers.push(owner.patch(&machine.path(""), &json!({ "name": "changed" })).await.expect(200).text());
    for deed in ["revoke-tokens/", "disable/", "enable/"] {
        answers.push(owner.send("POST", &machine.path(deed), None).await.expect(200).text());
    }
    answers.push(owner.get("/api/v1/audit/").await.expect(200).text());
    answers.push(owner.get("/api/v1/api-client-attempts/").await.expect(200).text());
    answers.push(app.server.output());
    let stored = all_tables(&app, &app.a).await;
    answers.push(stored.clone());
    for secret in secrets {
        // The last characters are kept, to tell one secret from another; the first forty tell whether it is whole.
        let (part, bytes) = (&secret[..40], hexadecimal(&secret.as_bytes()[..40]));
        assert!(answers.iter().all(|answer| !answer.contains(part) && !answer.contains(&bytes)));
        assert!(stored.contains(&hexadecimal(digest(&SHA256, secret.as_bytes()).as_ref())), "its SHA-256");
    }
    let refresh = session["refresh"].as_str().expect("a refresh token");
    assert!(!stored.contains(refresh) && !stored.contains(&hexadecimal(refresh.as_bytes())));
}

#[tokio::test]
async fn a_new_client_is_told_with_everything_that_it_needs() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let body = json!({ "name": "importer", "description": "Imports.", "roles": ["write"], "scopes": ["read:*"],
        "allowed_ips": ["127.0.0.0/8"], "rate_limit": 5000, "metadata": { "team": "data" } });
    let made = owner.post(CLIENTS, &body).await.expect(201);
    let location = made.header("location").expect("a location").to_owned();
    let made = made.json();
    for (name, value) in body.as_object().expect("an object") {
        assert_eq!(&made[name], value, "{name}");
    }
    let tenant = &made["tenant"];
    assert_eq!((&tenant["id"], &tenant["slug"]), (&json!(app.a.id), &json!(app.a.slug)));
    assert!(tenant["name"].as_str().expect("a name").contains(&app.a.marker));
    let client_id = made["client_id"].as_str().expect("an identifier");
    let digits = client_id.strip_prefix("client_").expect("a prefix");
    assert!(digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{client_id}");
    assert!(digits.starts_with(&app.a.id.simple().to_string()), "it names its tenant");
    let secret = made["client_secret"].as_str().expect("a secret");
    assert!(secret.starts_with("bhs_") && secret.len() == 53, "256 bits and a checksum");
    assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert_eq!((&made["is_active"], &made["status"]), (&json!(true), &json!("active")));
    assert_eq!((&made["last_used_at"], &made["warnings"]), (&Value::Null, &json!([])));
    let row = owner.get(&location).await.expect(200);
    assert!(row.header("etag").is_some());
    let row = row.json();
    for (name, value) in row.as_object().expect("an object") {
        assert_eq!(value, &made[name], "{name}");
    }
    for only_once in ["client_secret", "tenant", "warnings"] {
        assert!(row.get(only_once).is_none(), "{only_once}");
    }
}

/// Bodies with one bad member, and the member.
fn bad() -> Vec<(&'static str, Value)> {
    let many = |word: &str, number: usize| json!(vec![word; number]);
    vec![
        ("name", json!("")),
        ("name", json!("x".repeat(256))),
        ("name", json!("a\0b")),
        ("name", json!(null)),
        ("name", json!(7)),
        ("description", json!("a\0b")),
        ("description", json!("x".repeat(20_001))),
        ("roles", json!(["owner"])),
        ("roles", json!("read")),
        ("roles", json!([null])),
        ("roles", many("read", 11)),
        ("scopes", json!(["read"])),
        ("scopes", json!(["read:unicorns"])),
        ("scopes", json!(["read:projects", "everything"])),
        ("scopes", json!(["read:projects\0"])),
        ("scopes", many("read:*", 51)),
        ("allowed_ips", json!(["10.0.0.0/33"])),
        ("allowed_ips", json!(["localhost"])),
        ("allowed_ips", json!(["10.0.0.0/8, 11.0.0.0/8"])),
        ("allowed_ips", json!("10.0.0.0/8")),
        ("allowed_ips", many("10.0.0.1", 33)),
        ("rate_limit", json!(0)),
        ("rate_limit", json!(-5)),
        ("rate_limit", json!(1.5)),
        ("rate_limit", json!("many")),
        ("rate_limit", json!(i64::MAX)),
        ("expires_at", json!("2001-01-01T00:00:00Z")),
        ("expires_at", json!("tomorrow")),
        ("expires_at", json!(4_102_444_800_u64)),
        ("metadata", json!([])),
        ("metadata", json!({ "a\0": 1 })),
    ]
}

#[tokio::test]
async fn a_bad_member_is_named_and_changes_nothing() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let before = everything_of(&app.operator, &app.a).await;
    let _ = owner.post(CLIENTS, &json!({ "roles": ["read"] })).await.expect_problem(400, "invalid");
    for (member, value) in bad() {
        let mut body = json!({ "name": "fine" });
        body[member] = value.clone();
        let created = owner.post(CLIENTS, &body).await;
        let changed = owner.patch(&machine.path(""), &json!({ member: value })).await;
        for refused in [created, changed] {
            let problem = refused.expect_problem(400, "invalid").json();
            let named: Vec<&String> = problem["errors"].as_object().expect("errors").keys().collect();
            assert_eq!(named, [member], "{problem}");
        }
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
}

#[tokio::test]
async fn what_is_not_the_callers_to_write_is_never_written() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let forged = json!({ "id": new_id(), "client_id": "client_x", "client_secret": "x", "status": "disabled",
        "is_active": false, "token_epoch": 7, "version": 7, "tenant_id": app.b.id, "tenant": app.b.slug,
        "created_at": "2000-01-01T00:00:00Z", "last_used_at": "2000-01-01T00:00:00Z", "name_search": "x" });
    let row = owner.get(&machine.path("")).await.expect(200).json();
    let mut changed = owner.patch(&machine.path(""), &forged).await.expect(200).json();
    changed["updated_at"] = row["updated_at"].clone();
    assert_eq!(changed, row);
    let mut body = forged.clone();
    body["name"] = json!("forged");
    let made = owner.post(CLIENTS, &body).await.expect(201).json();
    for (name, value) in forged.as_object().expect("an object") {
        assert_ne!(made.get(name), Some(value), "{name}");
    }
    let theirs = app.owner_of(&app.b).await.get(CLIENTS).await.expect(200).json();
    assert_eq!(theirs["count"], 0);
}

#[tokio::test]
async fn a_name_is_taken_within_one_tenant_only() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.owner_of(&app.a).await, app.owner_of(&app.b).await);
    let body = json!({ "name": "importer" });
    assert_eq!(of_a.post(CLIENTS, &body).await.status, 201);
    let other = Machine::create(&of_a, json!({})).await;
    let before = everything_of(&app.operator, &app.a).await;
    for refused in [of_a.post(CLIENTS, &body).await, of_a.patch(&other.path(""), &body).await] {
        let problem = refused.expect_problem(409, "duplicate").json();
        assert!(problem["errors"]["name"].is_array(), "{problem}");
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
    assert_eq!(of_b.post(CLIENTS, &body).await.status, 201);
}

#[tokio::test]
async fn only_who_saw_the_latest_version_changes_or_deletes_it_when_asked_to_look() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({})).await;
    let tag = async || {
        let row = owner.get(&machine.path("")).await.expect(200);
        row.header("etag").expect("a tag").to_owned()
    };
    let first = tag().await;
    let change = json!({ "description": "changed" });
    let seen = owner.with_header("If-Match", &first);
    assert_eq!(seen.patch(&machine.path(""), &change).await.status, 200);
    let before = everything_of(&app.operator, &app.a).await;
    let _ = seen.patch(&machine.path(""), &change).await.expect_problem(412, "stale");
    let _ = seen.delete(&machine.path("")).await.expect_problem(412, "stale");
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
    let second = tag().await;
    assert_eq!(owner.with_header("If-None-Match", &second).get(&machine.path("")).await.status, 304);
    assert_eq!(owner.send("POST", &machine.path("disable/"), None).await.status, 200);
    let _ =
        owner.with_header("If-Match", &second).delete(&machine.path("")).await.expect_problem(412, "stale");
    assert_eq!(owner.with_header("If-Match", &tag().await).delete(&machine.path("")).await.status, 204);
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("{CLIENTS}?{query}")).await.expect(200).json();
    let rows = list["results"].as_array().expect("results").clone();
    rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn the_list_is_filtered_searched_ordered_and_paged() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let mut machines = Vec::new();
    for name in ["beta import", "alpha import", "gamma export"] {
        machines.push(Machine::create(&owner, json!({ "name": name, "roles": ["read"] })).await);
    }
    assert_eq!(owner.send("POST", &machines[1].path("disable/"), None).await.status, 200);
    assert_eq!(names(&owner, "").await, ["gamma export", "alpha import", "beta import"], "newest first");
    assert_eq!(names(&owner, "ordering=name").await, ["alpha import", "beta import", "gamma export"]);
    assert_eq!(names(&owner, "ordering=-name&status=active").await, ["gamma export", "beta import"]);
    assert_eq!(names(&owner, "status=disabled").await, ["alpha import"]);
    assert_eq!(names(&owner, "name=gamma%20export").await, ["gamma export"]);
    assert_eq!(names(&owner, &format!("client_id={}", machines[0].client_id)).await, ["beta import"]);
    assert_eq!(names(&owner, "search=ALPHA%20IM").await, ["alpha import"]);
    for unknown in ["role=read", "token_epoch=1", "ordering=token_epoch", "status=sleeping"] {
        let refused = owner.get(&format!("{CLIENTS}?{unknown}")).await;
        let _ = refused.expect_problem(400, "invalid_parameter");
    }
    for ordering in ["name", "-created_at", "last_used_at"] {
        let (mut seen, mut next) = (Vec::new(), Some(format!("{CLIENTS}?page_size=1&ordering={ordering}")));
        while let Some(target) = next {
            let page = owner.get(&target).await.expect(200).json();
            assert_eq!(page["count"], 3);
            seen.push(id(&page["results"][0]).to_owned());
            next = page["next"].as_str().map(|link| link.strip_prefix(PUBLIC_URL).expect("ours").to_owned());
        }
        seen.sort_unstable();
        let mut all: Vec<&str> = machines.iter().map(|machine| machine.id.as_str()).collect();
        all.sort_unstable();
        assert_eq!(seen, all, "{ordering}");
    }
}
