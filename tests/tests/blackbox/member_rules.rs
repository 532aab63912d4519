//! Who may do what to whom among a tenant's people (RBAC-1 to RBAC-4), and what ends with it.

use std::time::Duration;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::database;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::people::{Post, USERS};
use bulkhead_tests::poll::until;
use bulkhead_tests::rows::everything_of;
use bulkhead_tests::tenants::{self, PASSWORD, Tenant, User};
use serde_json::{Value, json};

fn path(user: &User) -> String {
    format!("{USERS}{}/", user.id)
}

fn fresh() -> (String, String) {
    let name = format!("n-{}", new_id().simple());
    (name.clone(), format!("{name}@example.test"))
}

/// Somebody with this role, beside those that every tenant has.
async fn somebody(app: &TestApp, tenant: &Tenant, role: &str) -> User {
    let (name, email) = fresh();
    tenants::add_user(&app.operator, tenant.id, &name, &email, role, PASSWORD).await
}

async fn active_owners(app: &TestApp, tenant: &Tenant) -> i64 {
    let query = "select count(*) from bulkhead.users
        where tenant_id = $1::text::uuid and role = 'owner' and status = 'active'";
    app.operator.query_one(query, &[&tenant.id.to_string()]).await.expect("count").get(0)
}

#[tokio::test]
async fn rbac_3_nobody_gives_changes_or_removes_a_role_above_the_own() {
    let post = Post::start().await;
    let app = &post.app;
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["admin"] })).await;
    let admin = app.log_in(&app.a, &app.a.admin).await;
    let actors = [("owner", owner), ("admin", admin), ("machine", machine.at_work(app, &app.a).await)];
    for (actor, client) in &actors {
        for role in ["owner", "admin", "member", "viewer"] {
            let is_above = role == "owner" && *actor != "owner";
            let expected = |well: u16| if is_above { 403 } else { well };
            let (name, email) = fresh();
            let made = client.post(USERS, &json!({ "username": name, "email": email, "role": role })).await;
            assert_eq!(made.status, expected(201), "{actor} makes {role}: {made}");
            let raised = somebody(app, &app.a, "viewer").await;
            let given = client.patch(&path(&raised), &json!({ "role": role })).await;
            assert_eq!(given.status, expected(200), "{actor} gives {role}: {given}");
            let target = somebody(app, &app.a, role).await;
            for body in
                [json!({ "role": "viewer" }), json!({ "email": fresh().1 }), json!({ "first_name": "x" })]
            {
                let target = somebody(app, &app.a, role).await;
                let changed = client.patch(&path(&target), &body).await;
                assert_eq!(changed.status, expected(200), "{actor} changes {role}: {changed}");
            }
            for deed in ["deactivate/", "activate/"] {
                let done = client.send("POST", &format!("{}{deed}", path(&target)), None).await;
                assert_eq!(done.status, expected(200), "{actor} {deed} {role}: {done}");
            }
            let removed = client.delete(&path(&target)).await;
            assert_eq!(removed.status, expected(204), "{actor} removes {role}: {removed}");
            if is_above {
                for refused in [made, given, removed] {
                    let _ = refused.expect_problem(403, "permission_denied");
                }
            }
        }
    }
}

#[tokio::test]
async fn nobody_changes_the_own_role_or_status_and_anybody_who_manages_people_the_own_name() {
    let app = TestApp::start().await;
    let _ = somebody(&app, &app.a, "owner").await;
    for user in [&app.a.owner, &app.a.admin] {
        let client = app.log_in(&app.a, user).await;
        let before = everything_of(&app.operator, &app.a).await;
        for body in [json!({ "role": "member" }), json!({ "status": "disabled" })] {
            let _ = client.patch(&path(user), &body).await.expect_problem(403, "permission_denied");
        }
        let deactivate = format!("{}deactivate/", path(user));
        let _ = client.send("POST", &deactivate, None).await.expect_problem(403, "permission_denied");
        let _ = client.delete(&path(user)).await.expect_problem(403, "permission_denied");
        assert_eq!(everything_of(&app.operator, &app.a).await, before);
        // A fetched row can be sent back, and what is one's own to write is written.
        let mut row = client.get(&path(user)).await.expect(200).json();
        assert_eq!(client.patch(&path(user), &row).await.expect(200).json(), row, "nothing has changed");
        row["first_name"] = json!("Another");
        assert_eq!(client.patch(&path(user), &row).await.expect(200).json()["first_name"], "Another");
    }
}

#[tokio::test]
async fn rbac_3_the_last_active_owner_is_neither_demoted_nor_deactivated_nor_deleted() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let mine = path(&app.a.owner);
    let second = somebody(&app, &app.a, "owner").await;
    assert_eq!(owner.patch(&path(&second), &json!({ "status": "disabled" })).await.status, 200);
    let before = everything_of(&app.operator, &app.a).await;
    for body in [json!({ "role": "admin" }), json!({ "status": "disabled" })] {
        let _ = owner.patch(&mine, &body).await.expect_problem(409, "last_owner");
    }
    let deactivate = owner.send("POST", &format!("{mine}deactivate/"), None).await;
    let _ = deactivate.expect_problem(409, "last_owner");
    let _ = owner.delete(&mine).await.expect_problem(409, "last_owner");
    assert_eq!(everything_of(&app.operator, &app.a).await, before, "a disabled owner is none");
    assert_eq!(owner.send("POST", &format!("{}activate/", path(&second)), None).await.status, 200);
    let second = app.log_in(&app.a, &second).await;
    assert_eq!(second.patch(&mine, &json!({ "role": "member" })).await.expect(200).json()["role"], "member");
    assert_eq!(active_owners(&app, &app.a).await, 1);
}

/// A request by which a person is no active owner any more.
type Removal = fn(&User) -> (&'static str, String, Option<Value>);

#[tokio::test]
async fn rbac_3_two_owners_who_remove_each_other_at_once_leave_one() {
    let app = TestApp::start().await;
    let ways: [Removal; 4] = [
        |user| ("PATCH", path(user), Some(json!({ "role": "viewer" }))),
        |user| ("PATCH", path(user), Some(json!({ "status": "disabled" }))),
        |user| ("POST", format!("{}deactivate/", path(user)), None),
        |user| ("DELETE", path(user), None),
    ];
    for first in ways {
        for second in ways {
            let tenant = tenants::create(&app.operator).await;
            let other = somebody(&app, &tenant, "owner").await;
            let (one, two) = (app.owner_of(&tenant).await, app.log_in(&tenant, &other).await);
            let act = async |client: &Client, (method, path, body): (&str, String, Option<Value>)| {
                client.send(method, &path, body.as_ref()).await
            };
            let (a, b) = tokio::join!(act(&one, first(&other)), act(&two, second(&tenant.owner)));
            assert_eq!(active_owners(&app, &tenant).await, 1, "{a} {b}");
            let (won, lost) = if a.status < 300 { (a, b) } else { (b, a) };
            assert!(won.status < 300, "{won} {lost}");
            assert!([401, 403, 409].contains(&lost.status), "{lost}");
        }
    }
}

#[tokio::test]
async fn what_counts_is_the_role_in_the_database_and_not_the_one_in_the_token() {
    let post = Post::start().await;
    let app = &post.app;
    let (name, email) = fresh();
    let body = json!({ "username": name, "email": email });
    for user in [&app.a.member, &app.a.viewer] {
        let claims = app.claims(&app.a, user.id, &["tenant:admin"]);
        let client = app.with_token(&app.key.token(&claims), &app.a);
        let _ = client.post(USERS, &body).await.expect_problem(403, "permission_denied");
        let patched = client.patch(&path(&app.a.viewer), &json!({ "first_name": "x" })).await;
        let _ = patched.expect_problem(403, "permission_denied");
        let raised = client.patch(&path(user), &json!({ "role": "owner" })).await;
        let _ = raised.expect_problem(403, "permission_denied");
        let _ = client.delete(&path(&app.a.viewer)).await.expect_problem(403, "permission_denied");
    }
    // A machine whose rights were taken, before its token has ended.
    let owner = app.owner_of(&app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["admin"] })).await;
    let at_work = machine.at_work(app, &app.a).await;
    let update = "update bulkhead.api_clients set roles = '{read}' where id = $1::text::uuid";
    app.operator.execute(update, &[&machine.id]).await.expect("take its rights");
    let _ = at_work.post(USERS, &body).await.expect_problem(403, "permission_denied");
}

#[tokio::test]
async fn another_role_ends_the_access_tokens_and_the_session_goes_on_with_it() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let tokens = app.tokens_of(&app.a, &app.a.member).await;
    let member = app.with_token(tokens["access"].as_str().expect("a token"), &app.a);
    assert_eq!(member.get("/api/v1/auth/me/").await.expect(200).json()["role"], "member");
    assert_eq!(owner.patch(&path(&app.a.member), &json!({ "first_name": "x" })).await.status, 200);
    assert_eq!(member.get("/api/v1/auth/me/").await.status, 200, "what the token says is still so");
    assert_eq!(owner.patch(&path(&app.a.member), &json!({ "role": "admin" })).await.status, 200);
    let _ = member.get("/api/v1/auth/me/").await.expect_problem(401, "token_not_valid");
    let refresh = json!({ "refresh": tokens["refresh"] });
    let refreshed = app.anonymous().post("/api/v1/auth/token/refresh/", &refresh).await.expect(200).json();
    let admin = app.with_token(refreshed["access"].as_str().expect("a token"), &app.a);
    assert_eq!(admin.get(USERS).await.status, 200);
}

#[tokio::test]
async fn ref_5_fault_4_9_whoever_is_deactivated_or_deleted_is_out_at_once_on_every_server() {
    let app = TestApp::start().await;
    let other = app.launch.start().expect("another server");
    let owner = app.owner_of(&app.a).await;
    for deed in ["deactivate", "status", "delete"] {
        let user = somebody(&app, &app.a, "member").await;
        let tokens = app.tokens_of(&app.a, &user).await;
        let token = tokens["access"].as_str().expect("a token");
        let (here, there) = (app.with_token(token, &app.a), app.anonymous_at(&other).with_token(token, None));
        assert_eq!(
            (here.get("/api/v1/projects/").await.status, there.get("/api/v1/projects/").await.status),
            (200, 200)
        );
        let done = match deed {
            "deactivate" => owner.send("POST", &format!("{}deactivate/", path(&user)), None).await,
            "status" => owner.patch(&path(&user), &json!({ "status": "disabled" })).await,
            _ => owner.delete(&path(&user)).await,
        };
        assert!(done.status < 300, "{done}");
        let _ = here.get("/api/v1/projects/").await.expect_problem(401, "token_not_valid");
        until("the other server to hear of it", Duration::from_secs(5), async || {
            (there.get("/api/v1/projects/").await.status == 401).then_some(())
        })
        .await;
        let refresh = json!({ "refresh": tokens["refresh"] });
        let refused = async || app.anonymous().post("/api/v1/auth/token/refresh/", &refresh).await;
        let _ = refused().await.expect_problem(401, "token_not_valid");
        let body = json!({ "tenant": app.a.slug, "username": user.username, "password": PASSWORD });
        let log_in = async || app.anonymous().post("/api/v1/auth/token/", &body).await;
        let _ = log_in().await.expect_problem(401, "authentication_failed");
        if deed != "delete" {
            assert_eq!(owner.send("POST", &format!("{}activate/", path(&user)), None).await.status, 200);
            let _ = refused().await.expect_problem(401, "token_not_valid");
            assert_eq!(log_in().await.status, 200, "and can log in again");
        }
    }
}

#[tokio::test]
async fn a_person_whom_other_rows_name_is_not_deleted_and_can_be_deactivated() {
    let app = Options::default().own_database().start().await;
    let superuser = database::connect(&app.urls.superuser_inside()).await;
    let table = "create table bulkhead.favours (tenant_id uuid not null, id uuid not null, owner_id uuid not null,
        constraint favours_pkey primary key (tenant_id, id),
        constraint favours_owner_fk foreign key (tenant_id, owner_id) references bulkhead.users (tenant_id, id))";
    superuser.batch_execute(table).await.expect("a table");
    let (tenant, user) = (app.a.id, app.a.member.id);
    let insert = format!("insert into bulkhead.favours values ('{tenant}', gen_random_uuid(), '{user}')");
    superuser.batch_execute(&insert).await.expect("a row");
    let owner = app.owner_of(&app.a).await;
    let refused = owner.delete(&path(&app.a.member)).await.expect_problem(409, "in_use").json();
    assert!(refused["detail"].as_str().expect("a sentence").contains("Deactivate"), "{refused}");
    assert_eq!(owner.send("POST", &format!("{}deactivate/", path(&app.a.member)), None).await.status, 200);
}

#[tokio::test]
async fn fault_4_34_no_body_makes_anybody_an_administrator_or_moves_it_to_another_tenant() {
    let app = TestApp::start().await;
    let forged = json!({ "id": new_id(), "tenant": app.b.slug, "tenant_id": app.b.id, "is_tenant_admin": true,
        "is_staff": true, "is_superuser": true, "role": "owner", "status": "active", "token_epoch": 9, "version": 9,
        "username": "root", "email": "root@example.test", "tenant_schema": app.b.slug, "password": "x",
        "date_joined": "2000-01-01T00:00:00Z", "created_at": "2000-01-01T00:00:00Z", "first_name": "Mallory" });
    let b_before = everything_of(&app.operator, &app.b).await;
    for user in [&app.a.member, &app.a.viewer] {
        let client = app.log_in(&app.a, user).await;
        let before = client.get("/api/v1/profile/").await.expect(200).json();
        let mut after = client.patch("/api/v1/profile/", &forged).await.expect(200).json();
        assert_eq!(after["first_name"], "Mallory");
        after["first_name"] = before["first_name"].clone();
        assert_eq!(after, before, "and nothing else");
        for method in ["GET", "PATCH", "DELETE"] {
            let body = (method == "PATCH").then_some(&forged);
            let _ = client.send(method, &path(user), body).await.expect_problem(403, "insufficient_scope");
        }
    }
    // Who may write people writes what is there to be written, and no more.
    let admin = app.log_in(&app.a, &app.a.admin).await;
    let before = admin.get(&path(&app.a.member)).await.expect(200).json();
    let mut body = forged.clone();
    body.as_object_mut().expect("an object").remove("role");
    let after = admin.patch(&path(&app.a.member), &body).await.expect(200).json();
    for (name, value) in before.as_object().expect("an object") {
        let written = ["username", "email", "first_name", "updated_at"].contains(&name.as_str());
        assert!(written || &after[name] == value, "{name}");
    }
    assert_eq!(everything_of(&app.operator, &app.b).await, b_before);
}
