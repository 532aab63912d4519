//! One test's whole world: a server on the shared database, or on one of its own, with two fresh tenants A and B.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::binary;
use crate::client::Client;
use crate::cluster::{Cluster, Urls};
use crate::contract::Contract;
use crate::database::{self, OwnDatabase, environment};
use crate::keys::Key;
use crate::poll::until;
use crate::proxy::Proxy;
use crate::scratch::Scratch;
use crate::server::Server;
use crate::smtp::Inbox;
use crate::tenants::{self, Tenant, User};

/// What links start with.
pub const PUBLIC_URL: &str = "http://api.test";

/// What servers seal small secrets with.
const ENCRYPTION_KEY: &str = "tS3n0Vw8cYk1QxG5ZbH7rJ2mE9pLdU4aFfO6iNsXuBI=";

/// What links in mails start with, where mail goes to an inbox.
pub const FRONTEND_URL: &str = "https://app.example.test";

/// The challenge of an answer that asks for a token (RFC 6750 §3, RFC 9728 §5.1), with these parameters if any.
#[must_use]
pub fn challenge(parameters: &str) -> String {
    let separator = if parameters.is_empty() { "" } else { ", " };
    let metadata = format!("{PUBLIC_URL}/.well-known/oauth-protected-resource");
    format!("Bearer realm=\"api\"{separator}{parameters}, resource_metadata=\"{metadata}\"")
}

/// How a test wants its server.
#[derive(Default)]
pub struct Options {
    settings: Vec<(String, String)>,
    own_database: bool,
    through_proxy: bool,
    cluster: Option<Arc<Cluster>>,
}

impl Options {
    /// With this setting: `server.workers` and its like.
    #[must_use]
    pub fn set(self, key: &str, value: impl ToString) -> Self {
        self.variable(&format!("BULKHEAD_{}", key.to_uppercase().replace('.', "__")), value)
    }

    /// With this variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }

    /// One worker, with pools of this size.
    #[must_use]
    pub fn pool(self, connections: usize) -> Self {
        self.set("server.workers", 1).set("database.connections", connections)
    }

    /// With mail that goes to this inbox.
    #[must_use]
    pub fn mail_to(self, inbox: &Inbox) -> Self {
        let address = inbox.address();
        let server = self.set("mail.transport", "smtp").set("mail.tls", "none");
        let server = server.set("mail.host", address.ip()).set("mail.port", address.port());
        server.set("mail.from", "no-reply@example.test").set("mail.frontend_url", FRONTEND_URL)
    }

    /// Without mail.
    #[must_use]
    pub fn without_mail(self) -> Self {
        self.set("mail.transport", "off")
    }

    /// On a database of its own.
    #[must_use]
    pub const fn own_database(mut self) -> Self {
        self.own_database = true;
        self
    }

    /// On another cluster than the shared one.
    #[must_use]
    pub fn cluster(mut self, cluster: Arc<Cluster>) -> Self {
        self.cluster = Some(cluster);
        self
    }

    /// With a proxy between server and database.
    #[must_use]
    pub const fn through_proxy(mut self) -> Self {
        self.through_proxy = true;
        self
    }

    /// Starts it all.
    pub async fn start(self) -> TestApp {
        let cluster = self.cluster.clone().unwrap_or_else(Cluster::shared);
        let own = self.own_database.then(|| OwnDatabase::create(&cluster));
        let urls = own.as_ref().map_or_else(|| cluster.urls().clone(), |own| own.urls().clone());
        let proxy = if self.through_proxy { Some(Proxy::start(&urls.socket()).await) } else { None };
        let seen = proxy.as_ref().map_or_else(|| urls.clone(), |proxy| proxy.urls(&urls));
        let (key, scratch) = (Key::generate(), Scratch::new("app"));
        let launch =
            Launch { urls: seen, key_file: scratch.write("key.pem", key.pem()), settings: self.settings };
        let server = start(&launch).await;
        let operator = database::operator(&urls).await;
        let (a, b) = (tenants::create(&operator).await, tenants::create(&operator).await);
        let contract = Arc::new(Contract::new(document(&server).await));
        TestApp {
            a,
            b,
            server,
            operator,
            contract,
            key,
            proxy,
            urls,
            launch,
            _scratch: scratch,
            _own: own,
            cluster,
        }
    }
}

/// Everything that it takes to start a server once more.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The databases as the server sees them.
    pub urls: Urls,
    /// Its signing key.
    pub key_file: PathBuf,
    /// Other settings, as variables.
    pub settings: Vec<(String, String)>,
}

impl Launch {
    /// The command, not yet run.
    #[must_use]
    pub fn command(&self) -> std::process::Command {
        let mut command = binary::command(&["serve"]);
        let usual = [
            ("BULKHEAD_LOG__FORMAT", "json"),
            ("BULKHEAD_SERVER__PORT", "0"),
            ("BULKHEAD_SERVER__WORKERS", "2"),
            ("BULKHEAD_SERVER__PUBLIC_URL", PUBLIC_URL),
            ("BULKHEAD_DATABASE__CONNECTIONS", "4"),
            ("BULKHEAD_AUTH__ENCRYPTION_KEY", ENCRYPTION_KEY),
            // The tests are many requests in a short time. Those of the limits set what they need.
            ("BULKHEAD_LIMITS__TENANT", "off"),
            ("BULKHEAD_LIMITS__USER", "off"),
            ("BULKHEAD_LIMITS__CLIENT", "off"),
            ("BULKHEAD_LIMITS__CREDENTIALS", "off"),
            ("BULKHEAD_LIMITS__TOKEN", "off"),
            ("BULKHEAD_LIMITS__GUESSES", "100000"),
            ("BULKHEAD_LIMITS__GUESSES_HOURLY", "100000"),
        ];
        command.envs(usual).envs(environment(&self.urls));
        // Only what serving needs: a server that holds an operator's URL could use it.
        for other in ["PLATFORM_URL", "MIGRATOR_URL", "SUPERUSER_URL"] {
            command.env_remove(format!("BULKHEAD_DATABASE__{other}"));
        }
        command.env("BULKHEAD_AUTH__SIGNING_KEY_FILE", &self.key_file);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts a server.
    ///
    /// # Errors
    /// The exit status and the output, when it did not.
    pub fn start(&self) -> Result<Server, (std::process::ExitStatus, String)> {
        Server::start(self.command())
    }
}

/// A test's world.
pub struct TestApp {
    /// A tenant.
    pub a: Tenant,
    /// Another tenant.
    pub b: Tenant,
    /// The server.
    pub server: Server,
    /// A session as the operator role, behind the server's back.
    pub operator: tokio_postgres::Client,
    /// The served OpenAPI document.
    pub contract: Arc<Contract>,
    /// The server's signing key.
    pub key: Key,
    /// The proxy, if the test asked for one.
    pub proxy: Option<Proxy>,
    /// The databases, not through the proxy.
    pub urls: Urls,
    /// How to start such a server again.
    pub launch: Launch,
    /// The cluster.
    pub cluster: Arc<Cluster>,
    _own: Option<OwnDatabase>,
    _scratch: Scratch,
}

impl TestApp {
    /// The usual world.
    pub async fn start() -> Self {
        Options::default().start().await
    }

    /// Nobody.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::new(self.server.address(), Arc::clone(&self.contract))
    }

    /// Nobody, at another server of the same database.
    #[must_use]
    pub fn anonymous_at(&self, server: &Server) -> Client {
        Client::new(server.address(), Arc::clone(&self.contract))
    }

    /// The proxy.
    #[must_use]
    pub const fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().expect("a test that asked for a proxy")
    }

    /// A member of a tenant, logged in.
    pub async fn user_of(&self, tenant: &Tenant) -> Client {
        self.log_in(tenant, &tenant.member).await
    }

    /// The owner of a tenant, logged in.
    pub async fn owner_of(&self, tenant: &Tenant) -> Client {
        self.log_in(tenant, &tenant.owner).await
    }

    /// A viewer of a tenant, logged in.
    pub async fn viewer_of(&self, tenant: &Tenant) -> Client {
        self.log_in(tenant, &tenant.viewer).await
    }

    /// A person, logged in.
    pub async fn log_in(&self, tenant: &Tenant, user: &User) -> Client {
        let tokens = self.tokens_of(tenant, user).await;
        self.with_token(tokens["access"].as_str().expect("an access token"), tenant)
    }

    /// The reply to a person's log-in.
    pub async fn tokens_of(&self, tenant: &Tenant, user: &User) -> Value {
        let body = json!({ "tenant": tenant.slug, "username": user.username, "password": user.password });
        self.anonymous().post("/api/v1/auth/token/", &body).await.expect(200).json()
    }

    /// Whoever presents this token, at work for `tenant`.
    #[must_use]
    pub fn with_token(&self, token: &str, tenant: &Tenant) -> Client {
        self.anonymous().with_token(token, Some(&tenant.marker))
    }

    /// Claims that the server itself might have made for this person, with these scopes.
    #[must_use]
    pub fn claims(&self, tenant: &Tenant, user: Uuid, scopes: &[&str]) -> Value {
        let now = bulkhead_domain::clock::now().timestamp();
        json!({
            "iss": PUBLIC_URL, "aud": "multitenant-api", "iat": now, "nbf": now, "exp": now + 600,
            "jti": new_text(), "sub": user, "user_id": user, "tenant": tenant.id, "tenant_id": tenant.id,
            "tenant_slug": tenant.slug, "roles": ["member"], "scopes": scopes, "scope": scopes.join(" "),
            "token_type": "access", "token_version": 0, "username": "somebody", "sid": new_text_id(),
        })
    }

    /// A member of a tenant with a token that carries just these scopes.
    #[must_use]
    pub fn scoped(&self, tenant: &Tenant, scopes: &[&str]) -> Client {
        self.with_token(&self.key.token(&self.claims(tenant, tenant.member.id, scopes)), tenant)
    }

    /// Starts the same server again, after the present one ended or is killed.
    pub async fn restart(&mut self) {
        self.server = start(&self.launch).await;
    }

    /// Waits for the log line of the request that got this answer.
    pub async fn log_of(&self, response: &crate::http::Response) -> Value {
        let id = response.header("x-correlation-id").expect("a correlation id").to_owned();
        until("the log line of a request", Duration::from_secs(5), async || {
            let lines = self.server.log_of(&id);
            lines.into_iter().find(|line| line.to_string().contains("\"status\""))
        })
        .await
    }
}

fn new_text() -> String {
    bulkhead_domain::ids::new_id().simple().to_string()
}

fn new_text_id() -> String {
    bulkhead_domain::ids::new_id().to_string()
}

/// Starts a server on a thread of its own: a proxy in this runtime may have to carry what it says to the database.
async fn start(launch: &Launch) -> Server {
    let launch = launch.clone();
    let started = tokio::task::spawn_blocking(move || launch.start()).await.expect("starting does not panic");
    started.unwrap_or_else(|(status, output)| panic!("{status}: {output}"))
}

/// The document as the server serves it.
async fn document(server: &Server) -> Value {
    let request = crate::http::bytes_of("GET", "/api/schema/", &[], None);
    crate::http::exchange(server.address(), &request).await.expect("the document").expect(200).json()
}
