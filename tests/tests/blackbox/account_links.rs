//! One person's accounts in two tenants: linked by proving both, switched between, and ended by either side. Nothing of it lets
//! a request read two tenants, and no administrator sees it.

use std::time::Duration;

use bulkhead_tests::app::TestApp;
use bulkhead_tests::binary;
use bulkhead_tests::client::Client;
use bulkhead_tests::database::environment;
use bulkhead_tests::keys::claims_of;
use bulkhead_tests::poll::until;
use serde_json::{Value, json};

const LINKS: &str = "/api/v1/auth/links/";
const MINE: &str = "/api/v1/auth/me/tenants/";
const SWITCH: &str = "/api/v1/auth/switch-tenant/";
const REFRESH: &str = "/api/v1/auth/token/refresh/";

/// A world in which the member of A is the viewer of B, and neither tenant's name may be told by its marker: the person sees
/// both names, and nobody else does.
async fn start() -> TestApp {
    let app = TestApp::start().await;
    for (tenant, name) in [(&app.a, "Alpha"), (&app.b, "Beta")] {
        let update = "update bulkhead.tenants set name = $2 where id = $1::text::uuid";
        app.operator.execute(update, &[&tenant.id.to_string(), &name]).await.expect("rename");
    }
    app
}

fn proof(app: &TestApp) -> Value {
    json!({ "current_password": app.a.member.password, "tenant": app.b.slug,
        "username": app.b.viewer.username, "password": app.b.viewer.password })
}

async fn linked(app: &TestApp) -> (Client, String) {
    let client = app.user_of(&app.a).await;
    let made = client.post(LINKS, &proof(app)).await.expect(201).json();
    (client, made["link"].as_str().expect("an id").to_owned())
}

/// Switches to B: a client of B and its refresh token.
async fn switched(app: &TestApp, client: &Client) -> (Client, String) {
    let tokens = client.post(SWITCH, &json!({ "tenant": app.b.slug })).await.expect(200).json();
    let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
    (app.with_token(&text("access"), &app.b), text("refresh"))
}

/// Nothing of the link is left: no switch, no session that it opened.
async fn is_over(app: &TestApp, client: Option<&Client>, there: &Client, refresh: &str) {
    if let Some(client) = client {
        let _ = client.post(SWITCH, &json!({ "tenant": app.b.slug })).await.expect_problem(404, "not_found");
        assert_eq!(client.get(MINE).await.expect(200).json().as_array().map(Vec::len), Some(1));
    }
    let reply = app.anonymous().post(REFRESH, &json!({ "refresh": refresh })).await;
    let _ = reply.expect_problem(401, "token_not_valid");
    until("the session beyond the link to end", Duration::from_secs(5), async || {
        (there.get("/api/v1/auth/me/").await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_proves_both_accounts_can_switch_to_exactly_the_other_with_the_role_that_it_has_there() {
    let app = start().await;
    let (client, link) = linked(&app).await;
    let tenants = client.get(MINE).await.expect(200).json();
    let seen: Vec<_> = tenants.as_array().expect("a list").iter().collect();
    assert_eq!((seen.len(), &seen[0]["slug"], &seen[0]["current"]), (2, &json!(app.a.slug), &json!(true)));
    assert_eq!(
        (&seen[1]["slug"], &seen[1]["role"], &seen[1]["link"]),
        (&json!(app.b.slug), &json!("viewer"), &json!(link))
    );
    let project =
        client.post("/api/v1/projects/", &json!({ "name": format!("{} of A", app.a.marker) })).await;
    let project = project.expect(201).json();

    let (there, _) = switched(&app, &client).await;
    let claims = claims_of(there.token());
    assert_eq!((&claims["tenant"], &claims["roles"]), (&json!(app.b.id), &json!(["viewer"])));
    assert_eq!(claims["sub"], json!(app.b.viewer.id));
    let path = format!("/api/v1/projects/{}/", project["id"].as_str().expect("an id"));
    let _ = there.get(&path).await.expect_problem(404, "not_found");
    let _ = there
        .post("/api/v1/projects/", &json!({ "name": "x" }))
        .await
        .expect_problem(403, "insufficient_scope");
    assert_eq!(client.get(&path).await.status, 200, "the session in A goes on, in A");
    // And back, from the other side.
    let back = there.post(SWITCH, &json!({ "tenant": app.a.id })).await.expect(200).json();
    assert_eq!(claims_of(back["access"].as_str().expect("a token"))["sub"], json!(app.a.member.id));
}

#[tokio::test]
async fn a_link_takes_the_proof_of_both_accounts_and_of_two_tenants() {
    let app = start().await;
    let client = app.user_of(&app.a).await;
    let with = |name: &str, value: &str| {
        let mut body = proof(&app);
        body[name] = json!(value);
        body
    };
    let _ = client
        .post(LINKS, &with("current_password", "wrong wrong wrong"))
        .await
        .expect_problem(400, "invalid");
    for (name, value) in
        [("password", "wrong wrong wrong"), ("username", "nobody"), ("tenant", "no-such-tenant")]
    {
        let _ = client.post(LINKS, &with(name, value)).await.expect_problem(401, "authentication_failed");
    }
    let mut own = with("tenant", &app.a.slug);
    own["username"] = json!(app.a.viewer.username);
    let _ = client.post(LINKS, &own).await.expect_problem(400, "invalid");
    let mut nameless = proof(&app);
    nameless.as_object_mut().expect("an object").remove("tenant");
    let _ =
        client.with_header("Host", &app.a.host).post(LINKS, &nameless).await.expect_problem(400, "invalid");
    assert_eq!(client.get(MINE).await.expect(200).json().as_array().map(Vec::len), Some(1));
    for target in [app.b.slug.as_str(), "no-such-tenant", &app.a.slug] {
        let _ = client.post(SWITCH, &json!({ "tenant": target })).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn unlinking_on_either_side_ends_the_link_and_what_it_opened() {
    let app = start().await;
    for from_the_other_side in [false, true] {
        let (client, link) = linked(&app).await;
        let (there, refresh) = switched(&app, &client).await;
        let path = format!("{LINKS}{link}/");
        let _ = app.owner_of(&app.a).await.delete(&path).await.expect_problem(404, "not_found");
        let _ = app.owner_of(&app.b).await.delete(&path).await.expect_problem(404, "not_found");
        let unlinker = if from_the_other_side { app.viewer_of(&app.b).await } else { client.clone() };
        assert_eq!(unlinker.delete(&path).await.status, 204);
        is_over(&app, Some(&client), &there, &refresh).await;
        let _ = client.delete(&path).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_new_password_on_either_side_ends_the_link() {
    let app = start().await;
    let (client, _) = linked(&app).await;
    let (there, refresh) = switched(&app, &client).await;
    let change =
        json!({ "current_password": app.a.member.password, "new_password": "quite another passphrase" });
    assert_eq!(client.post("/api/v1/auth/password/change/", &change).await.status, 200);
    is_over(&app, None, &there, &refresh).await;

    let app = start().await;
    let (client, _) = linked(&app).await;
    let (there, refresh) = switched(&app, &client).await;
    let other = app.viewer_of(&app.b).await;
    let change =
        json!({ "current_password": app.b.viewer.password, "new_password": "quite another passphrase" });
    assert_eq!(other.post("/api/v1/auth/password/change/", &change).await.status, 200);
    is_over(&app, Some(&client), &there, &refresh).await;
}

#[tokio::test]
async fn logging_out_everywhere_ends_the_links() {
    let app = start().await;
    let (client, _) = linked(&app).await;
    let (there, refresh) = switched(&app, &client).await;
    assert_eq!(client.send("POST", "/api/v1/auth/logout-everywhere/", None).await.status, 200);
    is_over(&app, None, &there, &refresh).await;
}

#[tokio::test]
async fn suspending_either_tenant_ends_the_link_for_good() {
    for suspend_own in [true, false] {
        let app = start().await;
        let (client, _) = linked(&app).await;
        let (there, refresh) = switched(&app, &client).await;
        let tenant = if suspend_own { &app.a } else { &app.b };
        for command in ["suspend-tenant", "resume-tenant"] {
            let mut command = binary::command(&[command, "--tenant", &tenant.slug]);
            command.envs(environment(&app.urls));
            assert_eq!(binary::run(command, "").code, Some(0));
        }
        let client = app.user_of(&app.a).await;
        let _ = client.post(SWITCH, &json!({ "tenant": app.b.slug })).await.expect_problem(404, "not_found");
        is_over(&app, None, &there, &refresh).await;
    }
}

#[tokio::test]
async fn deactivating_either_account_ends_the_link() {
    for own in [true, false] {
        let app = start().await;
        let (client, _) = linked(&app).await;
        let (there, refresh) = switched(&app, &client).await;
        let (tenant, user) = if own { (&app.a, &app.a.member) } else { (&app.b, &app.b.viewer) };
        let owner = app.owner_of(tenant).await;
        let path = format!("/api/v1/users/{}/deactivate/", user.id);
        assert_eq!(owner.send("POST", &path, None).await.status, 200);
        is_over(&app, (!own).then_some(&client), &there, &refresh).await;
    }
}

#[tokio::test]
async fn no_administrator_sees_a_link_and_no_other_role_of_the_database_reads_one() {
    let app = start().await;
    let (client, link) = linked(&app).await;
    let _ = switched(&app, &client).await;
    for tenant in [&app.a, &app.b] {
        let owner = app.owner_of(tenant).await;
        let (audit, users) = (owner.get("/api/v1/audit/").await, owner.get("/api/v1/users/").await);
        for seen in [audit.expect(200), users.expect(200), owner.get(MINE).await.expect(200)] {
            let other = if tenant.id == app.a.id { &app.b } else { &app.a };
            for word in [link.as_str(), &other.slug, &other.id.to_string()] {
                assert!(!seen.text().contains(word), "{seen}");
            }
        }
    }
    let request_role = bulkhead_tests::database::connect(&app.urls.url).await;
    let refused = request_role.query("select count(*) from bulkhead.account_links", &[]).await;
    assert!(
        refused.is_err_and(|error| error.to_string().contains("db error")),
        "requests cannot reach the table"
    );
}
