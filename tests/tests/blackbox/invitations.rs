//! Invitations (3.21): how somebody becomes a member by one, and everything that must not make a member of anybody.

use aws_lc_rs::digest::{SHA256, digest};
use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::http::Response;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::people::{ACCEPT, CHOSEN, INVITATIONS, Post, REGISTER, token_in};
use bulkhead_tests::rows::{everything_of, id};
use bulkhead_tests::tenants::Tenant;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::matrix::comparable;

fn fresh() -> String {
    format!("i-{}@example.test", new_id().simple())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn members_of(app: &TestApp, tenant: &Tenant) -> i64 {
    let query = "select count(*) from bulkhead.users where tenant_id = $1::text::uuid";
    app.operator.query_one(query, &[&tenant.id.to_string()]).await.expect("count").get(0)
}

async fn status_of(app: &TestApp, invitation: &Value) -> String {
    let query = "select status from bulkhead.invitations where id = $1::text::uuid";
    app.operator.query_one(query, &[&id(invitation)]).await.expect("look").get(0)
}

/// The one answer to every token that makes nobody a member.
fn refused(answer: Response) -> Response {
    let answer = answer.expect_problem(400, "invalid");
    let problem = answer.json();
    assert!(problem["errors"]["token"].is_array(), "{problem}");
    answer
}

#[tokio::test]
async fn whoever_is_invited_chooses_a_password_and_is_a_member_logged_in() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    let admin = app.log_in(tenant, &tenant.admin).await;
    for (path, field) in [(ACCEPT, "token"), (REGISTER, "invitation")] {
        let email = fresh();
        let body = json!({ "email": email, "role": "viewer", "first_name": "Grace", "last_name": "Hopper" });
        let made = admin.post(INVITATIONS, &body).await.expect(201);
        let location = made.header("location").expect("a location").to_owned();
        let made = made.json();
        for (name, value) in body.as_object().expect("an object") {
            assert_eq!(&made[name], value, "{name}");
        }
        assert_eq!((&made["status"], &made["invited_by"]), (&json!("open"), &json!(tenant.admin.id)));
        assert_eq!(admin.get(&location).await.expect(200).json(), made);
        let mail = post.inbox.next_to(&email).await;
        assert!(mail.text.contains(&tenant.marker) && mail.subject.contains(&tenant.marker), "{mail:?}");
        let token = token_in(&mail);
        assert_eq!(mail.text.matches(&token).count(), 2, "in the link, and plain");

        let accept = json!({ field: token, "password": CHOSEN, "last_name": "Murray" });
        let reply = app.anonymous().post(path, &accept).await.expect(201);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let reply = reply.json();
        let user = &reply["user"];
        assert_eq!(
            (&user["email"], &user["first_name"], &user["last_name"]),
            (&json!(email), &json!("Grace"), &json!("Murray"))
        );
        let person = app.with_token(reply["access"].as_str().expect("a token"), tenant);
        let me = person.get("/api/v1/auth/me/").await.expect(200).json();
        assert_eq!(
            (&me["id"], &me["role"], &me["username"]),
            (&user["id"], &json!("viewer"), &json!(email)),
            "the role is the inviter's choice, the name the address"
        );
        let refresh = json!({ "refresh": reply["refresh"] });
        assert_eq!(app.anonymous().post("/api/v1/auth/token/refresh/", &refresh).await.status, 200);
        assert_eq!(post.log_in(tenant, &email, CHOSEN).await.status, 200);
        let _ = post.log_in(&app.b, &email, CHOSEN).await.expect_problem(401, "authentication_failed");
        assert_eq!(admin.get(&location).await.expect(200).json()["status"], "accepted");
    }
}

#[tokio::test]
async fn a_token_is_in_one_mail_and_nowhere_else_but_for_its_digest() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    let admin = app.log_in(tenant, &tenant.admin).await;
    let (made, token) = post.invite(&admin, &json!({ "email": fresh() })).await;
    let list = admin.get(INVITATIONS).await.expect(200).text();
    let trail = admin.get("/api/v1/audit/").await.expect(200).text();
    let stored = everything_of(&app.operator, tenant).await;
    for text in [made.to_string(), list, trail, stored.clone(), app.server.output()] {
        assert!(!text.contains(&token[..40]));
    }
    assert!(stored.contains(&hexadecimal(digest(&SHA256, token.as_bytes()).as_ref())));
}

#[tokio::test]
async fn every_token_that_is_used_revoked_replaced_expired_or_made_up_gets_the_same_answer() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    let admin = app.log_in(tenant, &tenant.admin).await;
    let mut dead = Vec::new();

    let (_, used) = post.invite(&admin, &json!({ "email": fresh() })).await;
    assert_eq!(post.accept(&used).await.status, 201);
    dead.push(("used", used));

    let (made, revoked) = post.invite(&admin, &json!({ "email": fresh() })).await;
    for _ in 0..2 {
        assert_eq!(admin.delete(&format!("{INVITATIONS}{}/", id(&made))).await.status, 204);
    }
    dead.push(("revoked", revoked));

    let email = fresh();
    let (older, replaced) = post.invite(&admin, &json!({ "email": email })).await;
    let (_, newer) = post.invite(&admin, &json!({ "email": email })).await;
    assert_eq!(status_of(app, &older).await, "revoked");
    dead.push(("replaced by a newer one", replaced));

    let (made, resent) = post.invite(&admin, &json!({ "email": fresh() })).await;
    let again = admin.send("POST", &format!("{INVITATIONS}{}/resend/", id(&made)), None).await.expect(200);
    let latest = token_in(&post.inbox.next_to(again.json()["email"].as_str().expect("an address")).await);
    dead.push(("sent again", resent));

    let (made, expired) = post.invite(&admin, &json!({ "email": fresh() })).await;
    let update = "update bulkhead.invitations set expires_at = now() where id = $1::text::uuid";
    app.operator.execute(update, &[&id(&made)]).await.expect("let it expire");
    dead.push(("expired", expired.clone()));

    let of_b = app.log_in(&app.b, &app.b.admin).await;
    let (_, suspended) = post.invite(&of_b, &json!({ "email": fresh() })).await;
    let update = "update bulkhead.tenants set status = 'suspended' where id = $1::text::uuid";
    app.operator.execute(update, &[&app.b.id.to_string()]).await.expect("suspend");
    dead.push(("of a suspended tenant", suspended));

    dead.push(("cut off", newer[..newer.len() - 1].to_owned()));
    dead.push(("another purpose's", newer.replacen("bhi_", "bhp_", 1)));
    dead.push(("rubbish", "x".to_owned()));

    let before = (members_of(app, tenant).await, members_of(app, &app.b).await);
    let answers: Vec<_> = join_all(dead.iter().map(|(_, token)| post.accept(token))).await;
    let first = comparable(&answers[0]);
    for (answer, (what, _)) in answers.into_iter().zip(&dead) {
        assert_eq!(comparable(&refused(answer)), first, "{what}");
    }
    assert_eq!((members_of(app, tenant).await, members_of(app, &app.b).await), before);
    for (what, token) in [("the newer one", newer), ("the one that was sent again", latest)] {
        assert_eq!(post.accept(&token).await.status, 201, "{what}");
    }
}

#[tokio::test]
async fn of_many_who_accept_one_invitation_at_once_one_becomes_a_member() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    let admin = app.log_in(tenant, &tenant.admin).await;
    for _ in 0..3 {
        let (_, token) = post.invite(&admin, &json!({ "email": fresh() })).await;
        let before = members_of(app, tenant).await;
        // Different names, so that no other constraint than the token's single use stops the second.
        let attempts = (0..6).map(|n| {
            let name = format!("{n}-{}", new_id().simple());
            let body = json!({ "token": token, "password": CHOSEN, "username": name });
            async move { app.anonymous().post(ACCEPT, &body).await }
        });
        let answers = join_all(attempts).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!((won.len(), members_of(app, tenant).await), (1, before + 1));
        lost.into_iter().for_each(|answer| drop(refused(answer)));
    }
}

#[tokio::test]
async fn rbac_3_nobody_invites_above_the_own_role_or_takes_such_an_invitation_away() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    let owner = app.owner_of(tenant).await;
    let machine = Machine::create(&owner, json!({ "roles": ["admin"] })).await;
    let of_machine = machine.id.clone();
    let (admin, machine) = (app.log_in(tenant, &tenant.admin).await, machine.at_work(app, tenant).await);
    let email = fresh();
    let (of_owner, token) = post.invite(&owner, &json!({ "email": email, "role": "owner" })).await;
    let target = format!("{INVITATIONS}{}/", id(&of_owner));
    let before = everything_of(&app.operator, tenant).await;
    for client in [&admin, &machine] {
        for body in
            [json!({ "email": fresh(), "role": "owner" }), json!({ "email": email, "role": "viewer" })]
        {
            let _ = client.post(INVITATIONS, &body).await.expect_problem(403, "permission_denied");
        }
        let _ = client.delete(&target).await.expect_problem(403, "permission_denied");
        let again = client.send("POST", &format!("{target}resend/"), None).await;
        let _ = again.expect_problem(403, "permission_denied");
    }
    let claims = app.claims(tenant, tenant.member.id, &["tenant:admin"]);
    let pretender = app.with_token(&app.key.token(&claims), tenant);
    let refused = pretender.post(INVITATIONS, &json!({ "email": fresh(), "role": "viewer" })).await;
    let _ = refused.expect_problem(403, "permission_denied");
    assert_eq!(everything_of(&app.operator, tenant).await, before);
    for (client, inviter) in [(&admin, tenant.admin.id.to_string()), (&machine, of_machine)] {
        let (made, _) = post.invite(client, &json!({ "email": fresh(), "role": "admin" })).await;
        assert_eq!((&made["role"], &made["invited_by"]), (&json!("admin"), &json!(inviter)));
    }
    assert_eq!(post.accept(&token).await.status, 201);
}

#[tokio::test]
async fn a_password_that_is_refused_and_a_name_that_is_taken_leave_the_invitation_open() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    let admin = app.log_in(tenant, &tenant.admin).await;
    let email = fresh();
    let (made, token) = post.invite(&admin, &json!({ "email": email })).await;
    let accept = async |password: &str, username: &str| {
        app.anonymous()
            .post(ACCEPT, &json!({ "token": token, "password": password, "username": username }))
            .await
    };
    let local = email.split('@').next().expect("a local part");
    for weak in
        ["1", "elevenchars", "bulkheadbulkhead", &email, local, &tenant.slug.repeat(2), &"x".repeat(2000)]
    {
        let problem = accept(weak, "someone-new").await.expect_problem(400, "invalid").json();
        assert!(problem["errors"]["password"].is_array(), "{weak}: {problem}");
    }
    let problem = accept(CHOSEN, "a b").await.expect_problem(400, "invalid").json();
    assert!(problem["errors"]["username"].is_array(), "{problem}");
    let taken = accept(CHOSEN, &tenant.member.username.to_uppercase()).await;
    let problem = taken.expect_problem(409, "duplicate").json();
    assert!(problem["errors"]["username"].is_array(), "{problem}");
    let missing = app.anonymous().post(ACCEPT, &json!({ "token": token })).await;
    let _ = missing.expect_problem(400, "invalid");
    assert_eq!(status_of(app, &made).await, "open");
    assert_eq!(accept(CHOSEN, &format!("n-{}", new_id().simple())).await.status, 201);
}

#[tokio::test]
async fn a_members_address_is_not_invited_and_what_is_over_is_not_sent_again() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    let admin = app.log_in(tenant, &tenant.admin).await;
    for spelling in [tenant.member.email.clone(), tenant.member.email.to_uppercase()] {
        let problem = admin.post(INVITATIONS, &json!({ "email": spelling })).await;
        let problem = problem.expect_problem(409, "duplicate").json();
        assert!(problem["errors"]["email"].is_array(), "{problem}");
    }
    // Another tenant's member is nobody here.
    let _ = post.invite(&admin, &json!({ "email": app.b.member.email })).await;
    let (made, token) = post.invite(&admin, &json!({ "email": fresh() })).await;
    assert_eq!(post.accept(&token).await.status, 201);
    let target = format!("{INVITATIONS}{}/", id(&made));
    let _ = admin.send("POST", &format!("{target}resend/"), None).await.expect_problem(409, "conflict");
    let _ = admin.delete(&target).await.expect_problem(409, "conflict");
    for bad in [json!({}), json!({ "email": "x" }), json!({ "email": fresh(), "role": "root" })] {
        let _ = admin.post(INVITATIONS, &bad).await.expect_problem(400, "invalid");
    }
}

#[tokio::test]
async fn accepting_one_invitation_ends_the_others_of_the_address_and_lists_tell_what_became_of_each() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    post.set_registration(tenant, "open").await;
    let admin = app.log_in(tenant, &tenant.admin).await;
    let email = fresh();
    let (invited, token) = post.invite(&admin, &json!({ "email": email, "role": "admin" })).await;
    // Whoever knows the address cannot take the invitation away by registering it.
    let body = json!({ "tenant": tenant.slug, "email": email });
    assert_eq!(app.anonymous().post(REGISTER, &body).await.status, 202);
    let registered = token_in(&post.inbox.next_to(&email).await);
    assert_eq!(status_of(app, &invited).await, "open");
    assert_eq!(post.accept(&token).await.status, 201);
    drop(refused(post.accept(&registered).await));
    let count = async |query: &str| {
        admin.get(&format!("{INVITATIONS}?{query}")).await.expect(200).json()["count"].clone()
    };
    let upper = email.to_uppercase();
    assert_eq!(count(&format!("email={upper}")).await, 2);
    assert_eq!(count(&format!("email={email}&status=accepted")).await, 1);
    assert_eq!(count(&format!("email={email}&status=revoked")).await, 1);
    assert_eq!(count("status=open").await, 0);
}

#[tokio::test]
async fn where_no_mail_is_sent_nobody_is_invited() {
    let app = Options::default().without_mail().start().await;
    let admin = app.log_in(&app.a, &app.a.admin).await;
    let before = everything_of(&app.operator, &app.a).await;
    let _ = admin.post(INVITATIONS, &json!({ "email": fresh() })).await.expect_problem(403, "not_offered");
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
}

#[tokio::test]
async fn one_retry_key_invites_once() {
    let post = Post::start().await;
    let admin = post.app.log_in(&post.app.a, &post.app.a.admin).await;
    let keyed = admin.with_header("Idempotency-Key", &new_id().to_string());
    let body = json!({ "email": fresh() });
    let (first, token) = post.invite(&keyed, &body).await;
    let again = keyed.post(INVITATIONS, &body).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), again.json()), (Some("true"), first));
    assert_eq!(post.accept(&token).await.status, 201, "the only mail's token still works");
}
