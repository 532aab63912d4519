//! API clients of a test's tenants, and what they send to the token endpoints. A [`World`] knows every secret and token that
//! it made, and insists at its end that the log has none of them.

use std::ops::Deref;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::app::{Options, TestApp};
use crate::binary;
use crate::client::Client;
use crate::database::{self, environment};
use crate::http::Response;
use crate::machine::Machine;
use crate::server::Server;
use crate::tenants::Tenant;

/// The token endpoint.
pub const TOKEN: &str = "/oauth/token";
/// The revocation endpoint.
pub const REVOKE: &str = "/oauth/revoke";
/// The introspection endpoint.
pub const INTROSPECT: &str = "/oauth/introspect";
/// The token endpoint of the older systems.
pub const OLD_TOKEN: &str = "/api/v1/auth/api-client/token/";
/// Their endpoint of refreshing.
pub const OLD_REFRESH: &str = "/api/v1/auth/api-client/token/refresh/";
/// The form's content type.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// Pairs as a form's body.
#[must_use]
pub fn encoded(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Every byte but letters and digits as %XX.
#[must_use]
pub fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Sends a form.
pub async fn post_form(client: &Client, target: &str, pairs: &[(&str, &str)]) -> Response {
    client.raw("POST", target, &[("Content-Type", FORM)], Some(encoded(pairs).as_bytes())).await
}

/// Insists on a refusal in the form of RFC 6749 §5.2, which nobody may keep.
#[track_caller]
pub fn refused(answer: &Response, status: u16, word: &str) {
    let body = answer.json();
    assert_eq!((answer.status, body["error"].as_str()), (status, Some(word)), "{answer}");
    let description = body["error_description"].as_str().expect("a description");
    let is_allowed = |b: u8| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\';
    assert!(!description.is_empty() && description.bytes().all(is_allowed), "{answer}");
    not_kept(answer);
}

/// Insists that nobody may keep an answer.
#[track_caller]
pub fn not_kept(answer: &Response) {
    assert_eq!(answer.header_list("cache-control"), "no-store", "{answer}");
    assert_eq!(answer.header_list("pragma"), "no-cache", "{answer}");
}

/// A test's world with machines in it.
pub struct World {
    app: TestApp,
    admins: Mutex<Vec<(uuid::Uuid, Client)>>,
    secrets: Mutex<Vec<String>>,
}

impl Deref for World {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

impl World {
    /// The usual world.
    pub async fn usual() -> Self {
        Self::start(Options::default()).await
    }

    /// A world as the test wants it.
    pub async fn start(options: Options) -> Self {
        let app = options.start().await;
        Self { app, admins: Mutex::default(), secrets: Mutex::default() }
    }

    /// Starts the server once more.
    pub async fn restart(&mut self) {
        self.app.restart().await;
    }

    /// A tenant's owner, logged in once.
    pub async fn admin(&self, tenant: &Tenant) -> Client {
        let known =
            self.admins.lock().expect("nobody panics here").iter().find(|(id, _)| *id == tenant.id).cloned();
        if let Some((_, admin)) = known {
            return admin;
        }
        let admin = self.app.owner_of(tenant).await;
        self.admins.lock().expect("nobody panics here").push((tenant.id, admin.clone()));
        admin
    }

    /// A client of a tenant with these fields and a name of its own.
    pub async fn machine(&self, tenant: &Tenant, mut fields: Value) -> Machine {
        fields["name"] = json!(format!("{} {}", tenant.marker, bulkhead_domain::ids::new_id()));
        let machine = Machine::create(&self.admin(tenant).await, fields).await;
        self.noted(&machine.secret);
        machine
    }

    /// A client of a tenant that may read, write and delete.
    pub async fn worker(&self, tenant: &Tenant) -> Machine {
        self.machine(tenant, json!({ "roles": ["write"] })).await
    }

    /// Remembers a secret, which must not show in the log.
    pub fn noted(&self, secret: &str) -> String {
        self.secrets.lock().expect("nobody panics here").push(secret.to_owned());
        secret.to_owned()
    }

    /// Asks for a token with a form, with these members added.
    pub async fn ask(&self, machine: &Machine, more: &[(&str, &str)]) -> Response {
        let mut pairs = vec![("grant_type", "client_credentials")];
        pairs.extend(machine.form());
        pairs.extend(more);
        post_form(&self.anonymous(), TOKEN, &pairs).await
    }

    /// An access token from the token endpoint.
    pub async fn token(&self, machine: &Machine) -> String {
        let reply = self.ask(machine, &[]).await.expect(200).json();
        self.noted(reply["access_token"].as_str().expect("a token"))
    }

    /// An access token and a refresh token from the endpoint of the older systems.
    pub async fn pair(&self, machine: &Machine) -> (String, String) {
        let body = json!({ "client_id": machine.client_id, "client_secret": machine.secret });
        let reply = self.anonymous().post(OLD_TOKEN, &body).await.expect(200).json();
        let text = |name: &str| self.noted(reply[name].as_str().expect("a token"));
        (text("access"), text("refresh"))
    }

    /// What a request with this token is answered.
    pub async fn status(&self, tenant: &Tenant, token: &str) -> u16 {
        self.with_token(token, tenant).get("/api/v1/projects/").await.status
    }

    /// Another server on the same database.
    pub async fn another_server(&self) -> Server {
        let launch = self.launch.clone();
        let started =
            tokio::task::spawn_blocking(move || launch.start()).await.expect("starting does not panic");
        started.unwrap_or_else(|(status, output)| panic!("{status}: {output}"))
    }

    /// Suspends a tenant, or lets it work again, as operators do.
    pub fn suspend(&self, tenant: &Tenant, suspended: bool) {
        let deed = if suspended { "suspend-tenant" } else { "resume-tenant" };
        let mut command = binary::command(&[deed, "--tenant", &tenant.slug]);
        command.envs(environment(&self.urls));
        let outcome = binary::run(command, "");
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }

    /// Changes rows behind the product's back.
    pub async fn as_superuser(&self, statement: &str) {
        let superuser = database::connect(&self.urls.superuser_inside()).await;
        superuser.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// Whether a machine's refresh token gets an access token, and what refuses it otherwise.
    pub async fn refresh(&self, token: &str) -> Response {
        self.anonymous().post(OLD_REFRESH, &json!({ "refresh": token })).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let output = self.app.server.output();
        for secret in self.secrets.lock().expect("nobody panics here").iter() {
            assert!(!output.contains(secret.as_str()), "a secret or token is in the log: {secret}");
        }
    }
}
