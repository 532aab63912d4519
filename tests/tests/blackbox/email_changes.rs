//! Another e-mail address for oneself: the password is proved first, then the mailbox.

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::client::Client;
use bulkhead_tests::http::Response;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::people::{CHOSEN, Post, token_in};
use bulkhead_tests::tenants::PASSWORD;
use serde_json::json;

const ASK: &str = "/api/v1/profile/email/";
const CONFIRM: &str = "/api/v1/profile/email/confirm/";

fn fresh() -> String {
    format!("N-{}@Example.test", new_id().simple())
}

async fn ask(me: &Client, email: &str) -> Response {
    me.post(ASK, &json!({ "email": email, "current_password": PASSWORD })).await
}

async fn confirm(me: &Client, token: &str) -> Response {
    me.post(CONFIRM, &json!({ "token": token })).await
}

#[tokio::test]
async fn a_person_changes_its_address_with_the_password_and_what_is_mailed_to_the_new_one() {
    let post = Post::start().await;
    let (app, user) = (&post.app, &post.app.a.member);
    let me = app.log_in(&app.a, user).await;
    let email = fresh();
    let wrong = json!({ "email": email, "current_password": "wrong wrong wrong" });
    let _ = me.post(ASK, &wrong).await.expect_problem(400, "invalid");
    assert_eq!(ask(&me, &email).await.status, 202);
    let mail = post.inbox.next_to(&email).await;
    assert!(mail.text.contains("/confirm-email#token="), "{mail:?}");
    let token = token_in(&mail);
    assert_eq!(me.get("/api/v1/profile/").await.expect(200).json()["email"], json!(user.email), "not yet");

    let profile = confirm(&me, &token).await.expect(200).json();
    assert_eq!(profile["email"], json!(email));
    assert_eq!(me.get("/api/v1/profile/").await.expect(200).json(), profile, "the session goes on");
    let told = post.inbox.next_to(&user.email).await;
    assert!(!told.text.contains("token="), "the address before is told, and can do nothing: {told:?}");
    let _ = confirm(&me, &token).await.expect_problem(400, "invalid");
    assert_eq!(post.log_in(&app.a, &email.to_lowercase(), PASSWORD).await.status, 200);
    assert_eq!(post.log_in(&app.a, &user.email, PASSWORD).await.status, 401);
}

#[tokio::test]
async fn the_token_is_of_no_use_to_anybody_else_and_the_newest_counts_alone() {
    let post = Post::start().await;
    let app = &post.app;
    let (me, other) = (app.log_in(&app.a, &app.a.member).await, app.log_in(&app.a, &app.a.viewer).await);
    let stranger = app.log_in(&app.b, &app.b.member).await;
    let (first, second) = (fresh(), fresh());
    assert_eq!(ask(&me, &first).await.status, 202);
    let old = token_in(&post.inbox.next_to(&first).await);
    assert_eq!(ask(&me, &second).await.status, 202);
    let token = token_in(&post.inbox.next_to(&second).await);
    for (client, token) in [(&other, &token), (&stranger, &token), (&me, &old)] {
        let _ = confirm(client, token).await.expect_problem(400, "invalid");
    }
    for token in ["", "bhe_", "bhp_x", &token[..token.len() - 1], &token.replacen("bhe_", "bhp_", 1)] {
        let _ = confirm(&me, token).await.expect_problem(400, "invalid");
    }
    let _ = app
        .anonymous()
        .post(CONFIRM, &json!({ "token": token }))
        .await
        .expect_problem(401, "not_authenticated");
    assert_eq!(confirm(&me, &token).await.expect(200).json()["email"], json!(second));
}

#[tokio::test]
async fn an_address_that_another_member_has_is_told_only_to_whoever_reads_its_mail() {
    let post = Post::start().await;
    let (app, taken) = (&post.app, post.app.a.viewer.email.to_uppercase());
    let me = app.log_in(&app.a, &app.a.member).await;
    let (of_member, of_nobody) = (ask(&me, &taken).await, ask(&me, &fresh()).await);
    assert_eq!((of_member.status, of_member.json()), (of_nobody.status, of_nobody.json()));
    assert_eq!(ask(&me, &taken).await.status, 202);
    let _ = post.inbox.next_to(&taken).await;
    let token = token_in(&post.inbox.next_to(&taken).await);
    let refused = confirm(&me, &token).await.expect_problem(409, "duplicate").json();
    assert!(refused["errors"]["email"].is_array(), "{refused}");
    assert_eq!(me.get("/api/v1/profile/").await.expect(200).json()["email"], json!(app.a.member.email));
    let admin = app.log_in(&app.a, &app.a.admin).await;
    let other = format!("/api/v1/users/{}/", app.a.viewer.id);
    assert_eq!(admin.patch(&other, &json!({ "email": fresh() })).await.status, 200);
    assert_eq!(confirm(&me, &token).await.status, 200, "a change that fails uses no token up");
    // The same address in another tenant is another person's.
    let elsewhere = app.b.viewer.email.clone();
    assert_eq!(ask(&me, &elsewhere).await.status, 202);
    let token = token_in(&post.inbox.next_to(&elsewhere).await);
    assert_eq!(confirm(&me, &token).await.status, 200);
}

#[tokio::test]
async fn a_new_password_and_an_administrator_end_a_change_that_was_asked_for() {
    let post = Post::start().await;
    let (app, user) = (&post.app, &post.app.a.member);
    let me = app.log_in(&app.a, user).await;
    let email = fresh();
    assert_eq!(ask(&me, &email).await.status, 202);
    let token = token_in(&post.inbox.next_to(&email).await);
    let admin = app.log_in(&app.a, &app.a.admin).await;
    let moved = fresh();
    let path = format!("/api/v1/users/{}/", user.id);
    assert_eq!(admin.patch(&path, &json!({ "email": moved })).await.status, 200);
    let _ = confirm(&me, &token).await.expect_problem(400, "invalid");

    assert_eq!(ask(&me, &email).await.status, 202);
    let token = token_in(&post.inbox.next_to(&email).await);
    let change = json!({ "current_password": PASSWORD, "new_password": CHOSEN });
    assert_eq!(me.post("/api/v1/auth/password/change/", &change).await.status, 200);
    let again = post.log_in(&app.a, &user.username, CHOSEN).await.expect(200).json();
    let me = app.with_token(again["access"].as_str().expect("a token"), &app.a);
    let _ = confirm(&me, &token).await.expect_problem(400, "invalid");
    assert_eq!(me.get("/api/v1/profile/").await.expect(200).json()["email"], json!(moved));
}

#[tokio::test]
async fn without_mail_no_other_address_is_offered_and_what_is_none_is_refused() {
    let app = Options::default().without_mail().start().await;
    let me = app.log_in(&app.a, &app.a.member).await;
    let _ = ask(&me, &fresh()).await.expect_problem(403, "not_offered");
    let with_mail = TestApp::start().await;
    let me = with_mail.log_in(&with_mail.a, &with_mail.a.member).await;
    for email in ["", "nobody", "a b@example.test", "a@example.test\r\nBcc: x@example.test"] {
        let refused = ask(&me, email).await.expect_problem(400, "invalid").json();
        assert!(refused["errors"]["email"].is_array(), "{email}: {refused}");
    }
    let owner = with_mail.owner_of(&with_mail.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["admin"] })).await;
    let machine = machine.at_work(&with_mail, &with_mail.a).await;
    let _ = ask(&machine, &fresh()).await.expect_problem(403, "permission_denied");
}

#[tokio::test]
async fn no_token_alone_moves_the_own_account_to_another_mailbox_and_who_is_moved_is_told() {
    let post = Post::start().await;
    let app = &post.app;
    for user in [&app.a.owner, &app.a.admin] {
        let me = app.log_in(&app.a, user).await;
        let path = format!("/api/v1/users/{}/", user.id);
        let moved = me.patch(&path, &json!({ "email": fresh() })).await;
        let _ = moved.expect_problem(403, "permission_denied");
        assert_eq!(me.patch(&path, &json!({ "email": user.email, "first_name": "x" })).await.status, 200);
    }
    let admin = app.log_in(&app.a, &app.a.admin).await;
    let other = format!("/api/v1/users/{}/", app.a.viewer.id);
    assert_eq!(admin.patch(&other, &json!({ "email": fresh() })).await.status, 200);
    let told = post.inbox.next_to(&app.a.viewer.email).await;
    assert!(told.text.contains("another e-mail address") && !told.text.contains("token="), "{told:?}");
}

#[tokio::test]
async fn an_address_is_its_owners_whoever_took_it_for_a_user_name() {
    let post = Post::start().await;
    let app = &post.app;
    let victim = &app.a.viewer;
    let owner = app.owner_of(&app.a).await;
    let (_, token) = post.invite(&owner, &json!({ "email": fresh() })).await;
    let accept = json!({ "token": token, "password": CHOSEN, "username": victim.email });
    let _ = app.anonymous().post("/api/v1/auth/invitations/accept/", &accept).await.expect(201);
    let tokens = post.log_in(&app.a, &victim.email, PASSWORD).await.expect(200).json();
    let me = app.with_token(tokens["access"].as_str().expect("a token"), &app.a);
    assert_eq!(me.get("/api/v1/profile/").await.expect(200).json()["id"], json!(victim.id));
    let reset = json!({ "tenant": app.a.slug, "email": victim.email });
    assert_eq!(app.anonymous().post("/api/v1/auth/password/reset/", &reset).await.status, 202);
    assert!(post.inbox.next_to(&victim.email).await.text.contains(&victim.username));
}
