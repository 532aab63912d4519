//! Registering oneself (2.031, 0.04, 1.02): as far as the tenant allows it, and without telling who is a member.

use std::time::Duration;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{Options, TestApp};
use bulkhead_tests::http::Response;
use bulkhead_tests::people::{CHOSEN, Post, REGISTER, token_in};
use bulkhead_tests::rows::everything_of;
use bulkhead_tests::tenants::{self, Tenant};
use serde_json::{Value, json};

use crate::matrix::comparable;

fn fresh() -> String {
    format!("r-{}@example.test", new_id().simple())
}

fn body(tenant: &Tenant, email: &str) -> Value {
    json!({ "tenant": tenant.slug, "email": email, "password": CHOSEN, "first_name": "Ada", "last_name": "L" })
}

async fn register(app: &TestApp, body: &Value) -> Response {
    app.anonymous().post(REGISTER, body).await
}

#[tokio::test]
async fn fault_4_4_nobody_registers_where_the_tenant_does_not_say_so_and_the_answer_does_not_say_why() {
    let post = Post::start().await;
    let app = &post.app;
    let email = fresh();
    let mut answers =
        vec![("closed, as every tenant is at first", register(app, &body(&app.a, &email)).await)];
    post.set_registration(&app.b, "invite").await;
    answers.push(("by invitation", register(app, &body(&app.b, &email)).await));
    let suspended = tenants::create(&app.operator).await;
    post.set_registration(&suspended, "open").await;
    let update = "update bulkhead.tenants set status = 'suspended' where id = $1::text::uuid";
    app.operator.execute(update, &[&suspended.id.to_string()]).await.expect("suspend");
    answers.push(("suspended", register(app, &body(&suspended, &email)).await));
    for tenant in ["no-such-tenant".to_owned(), new_id().to_string(), "'; drop table users; --".to_owned()] {
        let mut unknown = body(&app.a, &email);
        unknown["tenant"] = json!(tenant);
        answers.push(("unknown", register(app, &unknown).await));
    }
    answers.push(("a member", register(app, &body(&app.a, &app.a.member.email)).await));
    let weak = json!({ "tenant_slug": app.a.slug, "email": email, "password": "1" });
    answers.push(("a weak password", register(app, &weak).await));
    let first = comparable(&answers[0].1);
    for (what, answer) in answers {
        assert_eq!(comparable(&answer.expect_problem(403, "registration_closed")), first, "{what}");
    }
}

#[tokio::test]
async fn in_an_open_tenant_whoever_reads_the_mail_chooses_the_password_and_is_a_member() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    post.set_registration(tenant, "open").await;
    for names in [json!({ "tenant": tenant.slug }), json!({ "tenant_slug": tenant.slug }), json!({})] {
        let email = fresh();
        let mut body = json!({ "email": email, "password": CHOSEN, "first_name": "Ada", "last_name": "L" });
        for (name, value) in names.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let client = app.anonymous().with_header("Host", &tenant.host);
        assert_eq!(
            client.post(REGISTER, &body).await.expect(202).json(),
            json!({ "message": "Check your e-mail to go on." })
        );
        let mail = post.inbox.next_to(&email).await;
        assert!(
            mail.text.contains(&tenant.marker) && !mail.text.contains("Ada"),
            "nothing that a stranger wrote: {mail:?}"
        );
        let _ = post.log_in(tenant, &email, CHOSEN).await.expect_problem(401, "authentication_failed");
        let token = token_in(&mail);
        let accept = json!({ "invitation": token, "password": "another passphrase altogether" });
        let reply = app.anonymous().post(REGISTER, &accept).await.expect(201).json();
        assert_eq!((&reply["user"]["first_name"], &reply["user"]["last_name"]), (&json!("Ada"), &json!("L")));
        let person = app.with_token(reply["access"].as_str().expect("a token"), tenant);
        assert_eq!(person.get("/api/v1/auth/me/").await.expect(200).json()["role"], "member");
        let _ = post.log_in(tenant, &email, CHOSEN).await.expect_problem(401, "authentication_failed");
        assert_eq!(post.log_in(tenant, &email, "another passphrase altogether").await.status, 200);
    }
}

#[tokio::test]
async fn fault_4_13_auth_15_a_members_address_and_a_strangers_get_one_answer_and_the_mail_tells_them_apart() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    post.set_registration(tenant, "open").await;
    let before = everything_of(&app.operator, &app.b).await;
    let email = fresh();
    let unknown = register(app, &body(tenant, &email)).await;
    let disabled = &tenant.viewer;
    let update = "update bulkhead.users set status = 'disabled' where id = $1::text::uuid";
    app.operator.execute(update, &[&disabled.id.to_string()]).await.expect("disable");
    for known in [&tenant.member.email, &tenant.owner.email.to_uppercase(), &disabled.email] {
        let answer = register(app, &body(tenant, known)).await;
        assert_eq!((comparable(&answer), answer.status), (comparable(&unknown), 202), "{known}");
        let mail = post.inbox.next_to(&known.to_lowercase()).await;
        assert!(mail.text.contains("an account") && !mail.text.contains("#token="), "{mail:?}");
    }
    let mail = post.inbox.next_to(&email).await;
    assert!(mail.text.contains("#token="), "{mail:?}");
    // A member of another tenant is a stranger here.
    assert_eq!(comparable(&register(app, &body(tenant, &app.b.member.email)).await), comparable(&unknown));
    assert!(post.inbox.next_to(&app.b.member.email).await.text.contains("#token="));
    assert_eq!(everything_of(&app.operator, &app.b).await, before);
}

#[tokio::test]
async fn whoever_asked_while_a_tenant_was_open_gets_in_only_while_it_is() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    post.set_registration(tenant, "open").await;
    let email = fresh();
    assert_eq!(register(app, &body(tenant, &email)).await.status, 202);
    let token = token_in(&post.inbox.next_to(&email).await);
    for policy in ["closed", "invite"] {
        post.set_registration(tenant, policy).await;
        let _ = post.accept(&token).await.expect_problem(400, "invalid");
    }
    post.set_registration(tenant, "open").await;
    assert_eq!(post.accept(&token).await.status, 201);
}

/// As `auth_5`: samples are interleaved, and the bound is one that work which only one of them needs cannot meet.
#[tokio::test]
async fn auth_15_a_members_address_and_a_strangers_take_the_same_time() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    post.set_registration(tenant, "open").await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for n in 0..40 {
        // Each address once, because the fourth mail within the hour is not sent.
        let email = format!("k{n}-{}@example.test", new_id().simple());
        tenants::add_user(&app.operator, tenant.id, &email, &email, "member", tenants::PASSWORD).await;
        known.push(register(app, &body(tenant, &email)).await.expect(202).took);
        unknown.push(register(app, &body(tenant, &fresh())).await.expect(202).took);
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let (known, unknown) = (median(&mut known), median(&mut unknown));
    let ratio = known.as_secs_f64() / unknown.as_secs_f64();
    assert!((0.5..2.0).contains(&ratio), "known {known:?}, unknown {unknown:?}");
}

#[tokio::test]
async fn nobodys_mailbox_is_filled_and_the_answer_does_not_say_when_it_would_be() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    post.set_registration(tenant, "open").await;
    for email in [fresh(), tenant.member.email.clone()] {
        let first = register(app, &body(tenant, &email)).await;
        let upper = email.to_uppercase();
        for spelling in [email.clone(), format!(" {email}"), upper.clone(), email.clone(), upper] {
            let answer = register(app, &body(tenant, &spelling)).await;
            assert_eq!((comparable(&answer), answer.status), (comparable(&first), 202));
        }
        let mut tokens = Vec::new();
        for _ in 0..3 {
            let mail = post.inbox.next_to(&email).await;
            tokens.extend(mail.text.contains("#token=").then(|| token_in(&mail)));
        }
        // Sent later than any fourth one would have been.
        let last = fresh();
        assert_eq!(register(app, &body(tenant, &last)).await.status, 202);
        let _ = post.inbox.next_to(&last).await;
        assert!(post.inbox.is_empty(), "{:?}", post.inbox);
        // Of three invitations of one address, one can be accepted.
        let mut accepted = 0;
        for token in tokens {
            accepted += usize::from(post.accept(&token).await.status == 201);
        }
        assert_eq!(accepted, usize::from(email != tenant.member.email));
    }
}

#[tokio::test]
async fn what_is_missing_or_unsound_is_named_and_a_weak_password_is_told_at_once() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    post.set_registration(tenant, "open").await;
    for (field, value) in [
        ("email", Value::Null),
        ("email", json!("nobody")),
        ("email", json!(7)),
        ("password", json!("1")),
        ("password", json!("bulkheadbulkhead")),
        ("first_name", json!("x".repeat(151))),
        ("last_name", json!("a\nb")),
    ] {
        let mut body = body(tenant, &fresh());
        body[field] = value.clone();
        let problem = register(app, &body).await.expect_problem(400, "invalid").json();
        assert!(problem["errors"][field].is_array(), "{field} {value}: {problem}");
    }
    let without = json!({ "tenant": tenant.slug, "email": fresh() });
    assert_eq!(register(app, &without).await.status, 202, "the password is chosen later");
    assert!(!app.server.output().contains(CHOSEN));
}

#[tokio::test]
async fn where_no_mail_is_sent_an_open_tenant_says_so() {
    let app = Options::default().without_mail().start().await;
    let update = "update bulkhead.tenants set registration = 'open' where id = $1::text::uuid";
    app.operator.execute(update, &[&app.a.id.to_string()]).await.expect("open it");
    let _ = register(&app, &body(&app.a, &fresh())).await.expect_problem(403, "not_offered");
}

#[tokio::test]
async fn attempts_to_register_and_to_accept_are_counted_by_address_like_log_ins() {
    let app = Options::default().set("limits.credentials", "3/hour").start().await;
    for _ in 0..3 {
        let _ = register(&app, &body(&app.a, &fresh())).await.expect_problem(403, "registration_closed");
    }
    let _ = register(&app, &body(&app.a, &fresh())).await.expect_problem(429, "throttled");
    let accept = app.anonymous().post("/api/v1/auth/invitations/accept/", &json!({ "token": "x" })).await;
    let _ = accept.expect_problem(429, "throttled");
}

#[tokio::test]
async fn what_was_asked_for_and_never_accepted_is_gone_when_the_next_one_asks() {
    let post = Post::start().await;
    let (app, tenant) = (&post.app, &post.app.a);
    post.set_registration(tenant, "open").await;
    let owner = app.owner_of(tenant).await;
    let (invited, _) = post.invite(&owner, &json!({ "email": fresh() })).await;
    let asked = fresh();
    for _ in 0..2 {
        assert_eq!(register(app, &body(tenant, &asked)).await.status, 202);
        let _ = post.inbox.next_to(&asked).await;
    }
    for _ in 0..5 {
        assert_eq!(register(app, &body(tenant, &fresh())).await.status, 202);
    }
    let listed = async || owner.get("/api/v1/invitations/?page_size=100").await.expect(200).json();
    assert_eq!(listed().await["count"], 7, "one for each address");
    let id = tenant.id.to_string();
    let age = "update bulkhead.invitations set expires_at = now() - interval '1 minute' where tenant_id = $1::text::uuid";
    app.operator.execute(age, &[&id]).await.expect("age them");
    let last = fresh();
    assert_eq!(register(app, &body(tenant, &last)).await.status, 202);
    let kept = listed().await;
    let mut addresses: Vec<_> =
        kept["results"].as_array().expect("rows").iter().map(|row| &row["email"]).collect();
    addresses.sort_by_key(|address| *address != &json!(last));
    assert_eq!(addresses, [&json!(last), &invited["email"]], "an administrator's stays in the list");
}
