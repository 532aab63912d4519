//! Members (3.18 to 3.20, 4.12) as a tenant's administrators add, find and change them; and profiles (3.08).
use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::machine::Machine;
use bulkhead_tests::people::{CHOSEN, Post, USERS, token_in};
use bulkhead_tests::rows::{everything_of, id};
use bulkhead_tests::tenants::User;
use serde_json::{Value, json};

fn path(user: &User) -> String {
    format!("{USERS}{}/", user.id)
}

fn fresh() -> (String, String) {
    let name = format!("n-{}", new_id().simple());
    (name.clone(), format!("{name}@example.test"))
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
    assert_eq!(names("role=owner").await, std::slice::from_ref(&app.a.owner.username));
    assert!(names("status=disabled").await.is_empty());
    for spelling in [app.a.member.email.clone(), app.a.member.email.to_uppercase()] {
        assert_eq!(names(&format!("email={spelling}")).await, std::slice::from_ref(&app.a.member.username));
    }
    let upper = app.a.viewer.username.to_uppercase();
    assert_eq!(names(&format!("username={upper}")).await, std::slice::from_ref(&app.a.viewer.username));
    assert_eq!(names("search=ADMIN").await, std::slice::from_ref(&app.a.admin.username));
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
/// Two owners who act on each other at the same moment, in every pair of ways: one of them stays.
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
