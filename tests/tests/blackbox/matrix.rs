//! The access matrix, generated from the served document: every operation by whoever must not use it. What an operation
//! must ask for follows from its path and method, so that nobody can add one that asks for less without its failing here.

use std::collections::BTreeSet;
use std::time::Duration;

use bulkhead_domain::ids::new_id;
use bulkhead_tests::app::{TestApp, challenge};
use bulkhead_tests::binary;
use bulkhead_tests::bodies::sound;
use bulkhead_tests::client::Client;
use bulkhead_tests::contract::Operation;
use bulkhead_tests::database::environment;
use bulkhead_tests::http::Response;
use bulkhead_tests::keys::Key;
use bulkhead_tests::machine::Machine;
use bulkhead_tests::poll::until;
use bulkhead_tests::rows::{Rows, everything_of, resources};
use bulkhead_tests::tenants::Tenant;
use serde_json::{Value, json};

/// Resources that only administrators see.
const ADMINISTRATORS: [&str; 6] =
    ["api-clients", "api-client-attempts", "audit", "tenant", "users", "invitations"];

/// Operations about whoever calls, or about whatever it may read: any token may use them. Most refuse machines.
const OWN: [&str; 3] = ["/api/v1/auth/", "/api/v1/profile/", "/api/v1/search/"];

/// Where operations may be public: they hand out tokens or say whether one is good, describe the server, say how it is, or
/// say of a tenant what a log-in page must know.
const PUBLIC: [&str; 5] =
    ["/health/", "/api/v1/auth/", "/oauth/", "/.well-known/", "/api/v1/tenants/{slug}/"];

/// The root of the API, which only says where everything is.
const ROOT: &str = "/api/v1/";

/// The operations that ask for a token.
pub(crate) fn protected(app: &TestApp) -> Vec<Operation> {
    app.contract.operations().iter().filter(|known| known.scopes().is_some()).cloned().collect()
}

/// The same without those that any token may use.
fn scoped(app: &TestApp) -> Vec<Operation> {
    protected(app).into_iter().filter(|known| !is_own(known)).collect()
}

fn is_own(operation: &Operation) -> bool {
    OWN.iter().any(|prefix| operation.path.starts_with(prefix))
}

/// The resource of the tenant whose id the path takes, if it takes one.
fn names(operation: &Operation) -> Option<&str> {
    (operation.path.contains("{id}") && !is_own(operation))
        .then(|| operation.path.split('/').nth(3).expect("a resource"))
}

/// The scope that an operation must ask for: what its method does, to the resource that its path is about.
fn scope_of(operation: &Operation) -> String {
    let segments: Vec<&str> = operation.path.split('/').collect();
    if ADMINISTRATORS.contains(&segments[3]) {
        return "tenant:admin".to_owned();
    }
    let resource = if operation.path.ends_with("/{id}/tasks/") { "tasks" } else { segments[3] };
    let action = match operation.method.as_str() {
        "GET" => "read",
        "DELETE" => "delete",
        _ => "write",
    };
    format!("{action}:{resource}")
}

/// A path of an operation, with this id where it takes one.
fn path(operation: &Operation, id: &str) -> String {
    let query = match operation.id.as_str() {
        id if id.starts_with("tasks_by_status_list") => "?status=todo",
        "search_list" => "?q=zq",
        _ => "",
    };
    format!("{}{query}", operation.path.replace("{id}", id))
}

/// What requests of the matrix speak of.
pub(crate) struct World {
    rows: Rows,
    /// The secret of the rows' API client.
    secret: String,
    /// An id that nothing has, for what only whoever calls has a row of.
    nothing: String,
}

impl World {
    pub(crate) async fn create(administrator: &Client, tenant: &Tenant) -> Self {
        let rows = Rows::create_all(administrator, tenant).await;
        let secret = rows.secret(administrator).await;
        Self { rows, secret, nothing: new_id().to_string() }
    }

    /// The id of the row that the operation is about.
    fn id(&self, operation: &Operation) -> &str {
        names(operation).map_or(&self.nothing, |resource| self.rows.id(resource))
    }

    /// A sound body, where the operation takes one.
    fn body(&self, client: &Client, operation: &Operation) -> Option<Value> {
        operation.body()?;
        match operation.path.rsplit('/').nth(1) {
            Some("retire-secret") => Some(json!({ "secret": self.secret, "force": true })),
            Some("secrets") => Some(json!({ "overlap_seconds": 60 })),
            _ => sound(client.contract(), operation, &new_id().to_string(), &self.rows),
        }
    }

    /// Sends the operation's request about this id.
    async fn call_with(&self, client: &Client, operation: &Operation, id: &str) -> Response {
        let body = self.body(client, operation);
        client.send(&operation.method, &path(operation, id), body.as_ref()).await
    }

    /// The same about the row.
    pub(crate) async fn call(&self, client: &Client, operation: &Operation) -> Response {
        self.call_with(client, operation, self.id(operation)).await
    }
}

/// An answer without what differs between any two: their times and ids, and the order of header fields, of which the
/// server keeps a map.
pub(crate) fn comparable(response: &Response) -> (u16, Vec<(String, String)>, String) {
    let varying = ["date", "x-correlation-id", "x-response-time"];
    let headers = response.headers.iter().filter(|(name, _)| !varying.contains(&name.as_str()));
    let mut headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.clone(), sorted(value))).collect();
    headers.sort();
    let id = response.header("x-correlation-id").unwrap_or("-");
    (response.status, headers, response.text().replace(id, ""))
}

/// The members of a list in a header field, in one order.
fn sorted(value: &str) -> String {
    let mut words: Vec<&str> = value.split(", ").collect();
    words.sort_unstable();
    words.join(", ")
}

#[tokio::test]
async fn what_is_public_is_about_tokens_or_the_server_and_all_else_asks_for_the_scope_of_its_resource() {
    let app = TestApp::start().await;
    for operation in app.contract.operations() {
        let path = &operation.path;
        match operation.scopes() {
            None => {
                let is_public = path == ROOT || PUBLIC.iter().any(|prefix| path.starts_with(prefix));
                assert!(is_public, "{} is public", operation.id);
            }
            Some(scopes) if is_own(operation) => assert!(scopes.is_empty(), "{}", operation.id),
            Some(scopes) => assert_eq!(scopes, [scope_of(operation)], "{}", operation.id),
        }
    }
    let known: BTreeSet<&str> = app.contract.operations().iter().filter_map(names).collect();
    let work: Vec<String> = resources().collect();
    let administrated = ["api-clients", "invitations", "users"];
    let expected: BTreeSet<&str> = work.iter().map(String::as_str).chain(administrated).collect();
    assert_eq!(known, expected);
    assert!(protected(&app).len() >= 100, "{}", protected(&app).len());
}

#[tokio::test]
async fn without_a_sound_token_no_operation_answers() {
    let app = TestApp::start().await;
    let world = World::create(&app.owner_of(&app.a).await, &app.a).await;
    let before = everything_of(&app.operator, &app.a).await;
    let scopes = ["read:*", "write:*", "delete:*", "tenant:admin"];
    let sound = app.claims(&app.a, app.a.member.id, &scopes);
    let mut expired = sound.clone();
    expired["exp"] = json!(sound["iat"].as_i64().expect("a number") - 60);
    let tokens = [
        ("garbage", "garbage".to_owned()),
        ("expired", app.key.token(&expired)),
        ("another key's", Key::generate().token(&sound)),
        (
            "another key's with our kid",
            Key::generate().token_of(&app.key.header().to_string(), &sound.to_string()),
        ),
    ];
    for operation in protected(&app) {
        let refused = world.call(&app.anonymous(), &operation).await;
        let refused = refused.expect_problem(401, "not_authenticated");
        assert_eq!(refused.header("www-authenticate"), Some(challenge("").as_str()), "{}", operation.id);
        for (what, token) in &tokens {
            let refused = world.call(&app.with_token(token, &app.a), &operation).await;
            let refused = refused.expect_problem(401, "token_not_valid");
            let expected = challenge("error=\"invalid_token\"");
            assert_eq!(
                refused.header("www-authenticate"),
                Some(expected.as_str()),
                "{what}: {}",
                operation.id
            );
        }
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before, "nothing happened");
}

/// An administrator with a token that carries just these scopes: what may be done to people is also a matter of the role.
fn holding(app: &TestApp, scopes: &[&str]) -> Client {
    app.with_token(&app.key.token(&app.claims(&app.a, app.a.admin.id, scopes)), &app.a)
}

/// Every scope but this one, and words that resemble it.
fn all_but(scope: &str) -> Vec<String> {
    let (action, resource) = scope.split_once(':').expect("action:resource");
    let like_it = [format!("{action}:"), format!("{action}:{resource}:x"), "*".to_owned()];
    others(scope).into_iter().chain(like_it).collect()
}

fn others(scope: &str) -> Vec<String> {
    let all = ["read", "write", "delete"]
        .into_iter()
        .flat_map(|action| resources().map(move |resource| format!("{action}:{resource}")));
    all.chain(["tenant:admin".to_owned()]).filter(|other| other != scope).collect()
}

/// Somebody without the scope is refused, and somebody with nothing but the scope gets in.
async fn check_scope(world: &World, operation: &Operation, without: &Client, with: &Client) {
    let scope = scope_of(operation);
    // A random id, so that nothing is lost where the scope does suffice.
    let random = new_id().to_string();
    let id = if operation.method == "DELETE" { &random } else { world.id(operation) };
    let refused = world.call_with(without, operation, id).await.expect_problem(403, "insufficient_scope");
    let challenge = challenge(&format!("error=\"insufficient_scope\", scope=\"{scope}\""));
    assert_eq!(refused.header("www-authenticate"), Some(challenge.as_str()));
    let let_in = world.call_with(with, operation, id).await;
    let expected = if operation.method == "DELETE" { 404..=404 } else { 200..=204 };
    assert!(expected.contains(&let_in.status), "{}: {let_in}", operation.id);
}

#[tokio::test]
async fn a_token_without_the_scope_of_an_operation_gets_403_and_with_only_that_scope_it_gets_in() {
    let app = TestApp::start().await;
    let world = World::create(&app.owner_of(&app.a).await, &app.a).await;
    for operation in scoped(&app) {
        let scope = scope_of(&operation);
        let others = all_but(&scope);
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        check_scope(&world, &operation, &holding(&app, &others), &holding(&app, &[&scope])).await;
        assert_eq!(world.call(&holding(&app, &[]), &operation).await.status, 403);
    }
}

#[tokio::test]
async fn a_machines_token_is_held_to_its_scopes_like_a_persons() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let world = World::create(&owner, &app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["admin"] })).await;
    for operation in scoped(&app) {
        let scope = scope_of(&operation);
        let without = machine.narrowed(&app, &app.a, &others(&scope).join(" ")).await;
        check_scope(&world, &operation, &without, &machine.narrowed(&app, &app.a, &scope).await).await;
    }
    let me = machine.at_work(&app, &app.a).await.get("/api/v1/auth/me/").await.expect(200).json();
    assert_eq!((&me["kind"], &me["id"]), (&json!("client"), &json!(machine.id)));
}

#[tokio::test]
async fn a_viewer_reads_all_work_and_neither_changes_nor_administrates_anything() {
    let app = TestApp::start().await;
    let owner = app.owner_of(&app.a).await;
    let world = World::create(&owner, &app.a).await;
    let machine = Machine::create(&owner, json!({ "roles": ["read"] })).await;
    let viewers = [app.viewer_of(&app.a).await, machine.at_work(&app, &app.a).await];
    let before = everything_of(&app.operator, &app.a).await;
    for operation in scoped(&app) {
        let reads = operation.method == "GET" && scope_of(&operation) != "tenant:admin";
        for viewer in &viewers {
            let answer = world.call(viewer, &operation).await;
            assert_eq!(answer.status, if reads { 200 } else { 403 }, "{}: {answer}", operation.id);
        }
    }
    assert_eq!(everything_of(&app.operator, &app.a).await, before);
}

#[tokio::test]
async fn another_tenants_row_is_answered_byte_for_byte_like_a_row_that_does_not_exist() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.owner_of(&app.a).await, app.owner_of(&app.b).await);
    let own = World::create(&of_a, &app.a).await;
    let foreign = World::create(&of_b, &app.b).await;
    let machine = Machine::create(&of_a, json!({ "roles": ["admin"] })).await;
    let callers = [of_a, machine.at_work(&app, &app.a).await];
    let before = everything_of(&app.operator, &app.b).await;
    for caller in &callers {
        for operation in protected(&app).iter().filter(|known| names(known).is_some()) {
            check_foreign(caller, operation, &own, foreign.id(operation)).await;
        }
    }
    assert_eq!(everything_of(&app.operator, &app.b).await, before, "nothing of B changed");
}

async fn check_foreign(caller: &Client, operation: &Operation, own: &World, foreign: &str) {
    // The same body in both, or their lengths would differ.
    let body = own.body(caller, operation);
    let send = async |caller: &Client, id: &str| {
        caller.send(&operation.method, &path(operation, id), body.as_ref()).await
    };
    let random = new_id().to_string();
    let (known, unknown) = (send(caller, foreign).await, send(caller, &random).await);
    assert_eq!(known.status, 404, "{}: {known}", operation.id);
    assert_eq!(comparable(&known), comparable(&unknown), "{}", operation.id);
    let upper = send(caller, &foreign.to_uppercase()).await;
    assert_eq!(comparable(&upper), comparable(&unknown), "{}", operation.id);
    // Preconditions must not tell either.
    for header in ["If-Match", "If-None-Match"] {
        let caller = caller.with_header(header, "\"1.AAAAAAAAAAA\"");
        let (known, unknown) = (send(&caller, foreign).await, send(&caller, &random).await);
        assert_eq!(comparable(&known), comparable(&unknown), "{} {header}", operation.id);
    }
}

#[tokio::test]
async fn tokens_of_a_suspended_tenant_are_refused_by_every_operation_within_moments() {
    let app = TestApp::start().await;
    let (of_a, of_b) = (app.owner_of(&app.a).await, app.owner_of(&app.b).await);
    let world = World::create(&of_a, &app.a).await;
    let machine = Machine::create(&of_a, json!({ "roles": ["admin"] })).await;
    let callers = [machine.at_work(&app, &app.a).await, of_a];
    let mut command = binary::command(&["suspend-tenant", "--tenant", &app.a.slug]);
    command.envs(environment(&app.urls));
    let suspended = binary::run(command, "");
    assert_eq!(suspended.code, Some(0), "{suspended:?}");
    for caller in &callers {
        until("the tokens to die", Duration::from_secs(5), async || {
            (caller.get("/api/v1/projects/").await.status == 401).then_some(())
        })
        .await;
        for operation in protected(&app) {
            let _ = world.call(caller, &operation).await.expect_problem(401, "token_not_valid");
        }
    }
    assert!(!machine.gets_token(&app).await, "and no new ones are made");
    assert_eq!(of_b.get("/api/v1/projects/").await.status, 200, "another tenant does not notice");
}
