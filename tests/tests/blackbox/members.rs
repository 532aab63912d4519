//! Members (3.18 to 3.20, 4.12): what a tenant's administrators see, write, and cannot do (RBAC-1 to RBAC-4).

use std::time::Duration;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::database;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::people::{CHOSEN, Post, USERS, token_in};
use bulkhead_tests::poll::until;
use bulkhead_tests::rows::{everything_of, id};
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
async fn a_person_is_added_without_a_password_and_sets_it_with_what_is_mailed() {
    let post = Post::start().await;
    let (app, admin) = (&post.app, post.app.log_in(&post.app.a, &post.app.a.admin).await);
    let (name, email) = fresh();
    let body =
        json!({ "username": name, "email": email, "first_name": "Ada", "last_name": "L", "role": "viewer" });
    let made = admin.post(USERS, &body).await.expect(201);
    let location = made.header("location").expect("a location").to_owned();
    assert!(made.header("etag").is_some());
    let made = made.json();
    for (member, value) in body.as_object().expect("an object") {
        assert_eq!(&made[member], value, "{member}");
    }
    assert_eq!((&made["status"], &made["is_active"]), (&json!("active"), &json!(true)));
    assert_eq!(made["last_login_at"], Value::Null);
    assert_eq!(admin.get(&location).await.expect(200).json(), made);
    let mail = post.inbox.next_to(&email).await;
    assert!(mail.text.contains(&name) && mail.text.contains("/reset-password#token="), "{mail:?}");
    let token = token_in(&mail);
    assert!(!made.to_string().contains(&token));
    let _ = post.log_in(&app.a, &name, CHOSEN).await.expect_problem(401, "authentication_failed");
    let kept = "select count(*) from bulkhead.password_resets where user_id = $1::text::uuid
        and expires_at between now() + interval '6 days 23 hours' and now() + interval '7 days 1 hour'";
    let kept: i64 = app.operator.query_one(kept, &[&id(&made)]).await.expect("count").get(0);
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn people_are_listed_filtered_by_any_spelling_ordered_and_found_by_the_start_of_their_name() {
    let app = TestApp::start().await;
    let admin = app.log_in(&app.a, &app.a.admin).await;
    let names = async |query: &str| -> Vec<String> {
        let page = admin.get(&format!("{USERS}?{query}")).await.expect(200).json();
        let rows = page["results"].as_array().expect("results").clone();
        rows.iter().map(|row| row["username"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names("").await.len(), 4, "of this tenant alone");
    assert_eq!(names("role=owner").await, [app.a.owner.username.clone()]);
    assert_eq!(names("status=disabled").await, [String::new(); 0]);
    for spelling in [app.a.member.email.clone(), app.a.member.email.to_uppercase()] {
        assert_eq!(names(&format!("email={spelling}")).await, [app.a.member.username.clone()]);
    }
    let upper = app.a.viewer.username.to_uppercase();
    assert_eq!(names(&format!("username={upper}")).await, [app.a.viewer.username.clone()]);
    assert_eq!(names("search=ADMIN").await, [app.a.admin.username.clone()]);
    let mut sorted = names("ordering=username").await;
    let mut reversed = names("ordering=-username").await;
    reversed.reverse();
    assert_eq!(sorted, reversed);
    sorted.sort();
    assert_eq!(sorted, reversed);
    // The one who logged in is the only one with a time; the others come last.
    assert_eq!(names("ordering=last_login_at").await[0], app.a.admin.username);
    assert_eq!(names("ordering=-last_login_at").await[0], app.a.admin.username);
}

#[tokio::test]
async fn a_name_that_is_taken_in_any_spelling_is_a_duplicate_and_what_is_unsound_is_named() {
    let post = Post::start().await;
    let (app, admin) = (&post.app, post.app.log_in(&post.app.a, &post.app.a.admin).await);
    let (name, email) = fresh();
    let body = |member: &str, value: Value| {
        let mut body = json!({ "username": name, "email": email });
        body[member] = value;
        body
    };
    let before = everything_of(&app.operator, &app.a).await;
    for (field, taken) in [("username", &app.a.member.username), ("email", &app.a.member.email)] {
        for spelling in [taken.clone(), taken.to_uppercase(), format!(" {taken} ")] {
            let refused = admin.post(USERS, &body(field, json!(spelling))).await;
            let refused = refused.expect_problem(409, "duplicate").json();
            assert!(refused["errors"][field].is_array(), "{refused}");
            let refused = admin.patch(&path(&app.a.viewer), &json!({ field: spelling })).await;
            let _ = refused.expect_problem(409, "duplicate");
        }
    }
    for (field, bad) in [
        ("username", json!("")),
        ("username", json!("a b")),
        ("username", json!(null)),
        ("username", json!("x".repeat(151))),
        ("email", json!("nobody")),
        ("email", json!("a@b@c")),
        ("email", json!(7)),
        ("first_name", json!("x".repeat(151))),
        ("first_name", json!("a\nb")),
        ("last_name", json!("a\0b")),
        ("role", json!("superuser")),
        ("role", json!(null)),
        ("status", json!("gone")),
    ] {
        for answer in [
            admin.post(USERS, &body(field, bad.clone())).await,
            admin.patch(&path(&app.a.viewer), &json!({ field: bad })).await,
        ] {
            let refused = answer.expect_problem(400, "invalid").json();
            assert!(refused["errors"][field].is_array(), "{field} {bad}: {refused}");
        }
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
}

/// Everything that anybody might do to somebody, with what it must not do to whom.
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

/// Two owners who act on each other at the same moment, in every pair of ways: one of them stays.
#[tokio::test]
async fn rbac_3_two_owners_who_remove_each_other_at_once_leave_one() {
    let app = TestApp::start().await;
    let ways: [fn(&User) -> (&'static str, String, Option<Value>); 4] = [
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
async fn whoever_is_deactivated_or_deleted_is_out_at_once_on_every_server() {
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
    let refused = owner.delete(&path(&app.a.member)).await.expect_problem(409, "conflict").json();
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

#[tokio::test]
async fn one_retry_key_adds_one_person_and_sends_one_mail() {
    let post = Post::start().await;
    let admin = post.app.log_in(&post.app.a, &post.app.a.admin).await;
    let keyed = admin.with_header("Idempotency-Key", &new_id().to_string());
    let (name, email) = fresh();
    let body = json!({ "username": name, "email": email });
    let first = keyed.post(USERS, &body).await.expect(201);
    let again = keyed.post(USERS, &body).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), again.json()), (Some("true"), first.json()));
    let _ = post.inbox.next_to(&email).await;
    // Mails are taken in order: when the next one is there, a second one to the first person would be too.
    let (name, other) = fresh();
    let _ = admin.post(USERS, &json!({ "username": name, "email": other })).await.expect(201);
    let _ = post.inbox.next_to(&other).await;
    assert!(post.inbox.is_empty());
}

#[tokio::test]
async fn a_change_of_an_older_version_is_refused_and_one_that_changes_nothing_makes_none() {
    let app = TestApp::start().await;
    let admin = app.log_in(&app.a, &app.a.admin).await;
    let target = path(&app.a.member);
    let first = admin.get(&target).await.expect(200);
    let tag = first.header("etag").expect("a tag").to_owned();
    assert_eq!(admin.with_header("If-None-Match", &tag).get(&target).await.status, 304);
    let same = admin.patch(&target, &json!({ "role": "member" })).await.expect(200);
    assert_eq!(same.header("etag"), Some(tag.as_str()));
    let expecting = admin.with_header("If-Match", &tag);
    assert_eq!(expecting.patch(&target, &json!({ "last_name": "x" })).await.status, 200);
    let _ = expecting.patch(&target, &json!({ "last_name": "y" })).await.expect_problem(412, "stale");
    let _ = expecting.delete(&target).await.expect_problem(412, "stale");
}

#[tokio::test]
async fn another_address_ends_what_was_mailed_to_the_one_before() {
    let post = Post::start().await;
    let (app, admin) = (&post.app, post.app.log_in(&post.app.a, &post.app.a.admin).await);
    let (name, email) = fresh();
    let made = admin.post(USERS, &json!({ "username": name, "email": email })).await.expect(201).json();
    let _ = post.inbox.next_to(&email).await;
    let kept = async || -> i64 {
        let query = "select count(*) from bulkhead.password_resets where user_id = $1::text::uuid";
        app.operator.query_one(query, &[&id(&made)]).await.expect("count").get(0)
    };
    let target = format!("{USERS}{}/", id(&made));
    assert_eq!(admin.patch(&target, &json!({ "first_name": "x" })).await.status, 200);
    assert_eq!(kept().await, 1);
    assert_eq!(admin.patch(&target, &json!({ "email": fresh().1 })).await.status, 200);
    assert_eq!(kept().await, 0);
}

#[tokio::test]
async fn where_no_mail_is_sent_nobody_is_added_who_could_not_be_told() {
    let app = Options::default().without_mail().start().await;
    let admin = app.log_in(&app.a, &app.a.admin).await;
    let before = everything_of(&app.operator, &app.a).await;
    let (name, email) = fresh();
    let refused = admin.post(USERS, &json!({ "username": name, "email": email })).await;
    let _ = refused.expect_problem(403, "not_offered");
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
}

#[tokio::test]
async fn what_is_done_to_people_is_in_the_audit_trail() {
    let post = Post::start().await;
    let admin = post.app.log_in(&post.app.a, &post.app.a.admin).await;
    let (name, email) = fresh();
    let made = admin.post(USERS, &json!({ "username": name, "email": email })).await.expect(201).json();
    let target = format!("{USERS}{}/", id(&made));
    assert_eq!(admin.patch(&target, &json!({ "role": "viewer" })).await.status, 200);
    for deed in ["deactivate/", "deactivate/", "activate/"] {
        assert_eq!(admin.send("POST", &format!("{target}{deed}"), None).await.status, 200);
    }
    assert_eq!(admin.delete(&target).await.status, 204);
    let trail = admin.get("/api/v1/audit/?page_size=200").await.expect(200).json();
    let mine = trail["results"].as_array().expect("results").iter().rev();
    let mine = mine.filter(|entry| entry["target"]["user"] == made["id"]);
    let actions: Vec<_> = mine
        .inspect(|entry| assert_eq!(entry["actor_id"], json!(post.app.a.admin.id), "{entry}"))
        .map(|entry| entry["action"].as_str().expect("a word").to_owned())
        .collect();
    assert_eq!(
        actions,
        ["create", "change", "deactivate", "activate", "delete"].map(|deed| format!("user.{deed}"))
    );
}

#[tokio::test]
async fn a_profile_is_a_persons_own_and_no_machines() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    for (user, role, is_staff) in
        [(&app.a.owner, "owner", true), (&app.a.admin, "admin", true), (&app.a.viewer, "viewer", false)]
    {
        let client = app.log_in(&app.a, user).await;
        let profile = client.get("/api/v1/profile/").await.expect(200).json();
        for (name, value) in [
            ("id", json!(user.id)),
            ("username", json!(user.username)),
            ("email", json!(user.email)),
            ("role", json!(role)),
            ("is_staff", json!(is_staff)),
            ("tenant_id", json!(app.a.id)),
            ("tenant_slug", json!(app.a.slug)),
            ("tenant_schema", json!(app.a.slug)),
        ] {
            assert_eq!(profile[name], value, "{name}");
        }
        assert!(profile["date_joined"].is_string());
        let changed = client.patch("/api/v1/profile/", &json!({ "last_name": "Lovelace" })).await.expect(200);
        assert_eq!(changed.json()["last_name"], "Lovelace");
        let refused = client.patch("/api/v1/profile/", &json!({ "last_name": "x".repeat(151) })).await;
        let _ = refused.expect_problem(400, "invalid");
    }
    let machine = Machine::create(&owner, json!({ "roles": ["admin"] })).await.at_work(&app, &app.a).await;
    let _ = machine.get("/api/v1/profile/").await.expect_problem(403, "permission_denied");
    let refused = machine.patch("/api/v1/profile/", &json!({ "last_name": "x" })).await;
    let _ = refused.expect_problem(403, "permission_denied");
}
