//! API clients of a test: made over HTTP by somebody who may, and at work with tokens of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::client::Client;
use crate::http::Response;
use crate::tenants::Tenant;

/// Where clients are managed.
pub const CLIENTS: &str = "/api/v1/api-clients/";

/// An API client, with a secret that it knows.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The answer to its making.
    pub made: Value,
    /// Its row's id.
    pub id: String,
    /// What it presents.
    pub client_id: String,
    /// A secret.
    pub secret: String,
}

impl Machine {
    /// Has `administrator` make one with these fields; `name` may be left out.
    pub async fn create(administrator: &Client, fields: Value) -> Self {
        let mut fields = fields;
        if fields.get("name").is_none() {
            fields["name"] = json!(format!("machine {}", bulkhead_domain::ids::new_id()));
        }
        let made = administrator.post(CLIENTS, &fields).await.expect(201);
        assert_eq!(made.header("cache-control"), Some("no-store"), "{made}");
        let made = made.json();
        let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("no {name}: {made}")).to_owned();
        Self { id: text("id"), client_id: text("client_id"), secret: text("client_secret"), made }
    }

    /// What examples and libraries read from their environment.
    #[must_use]
    pub fn environment(&self, url: &str) -> Vec<(String, String)> {
        let pairs = [("BULKHEAD_URL", url), ("CLIENT_ID", &self.client_id), ("CLIENT_SECRET", &self.secret)];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// Its credentials as members of a form.
    #[must_use]
    pub fn form(&self) -> [(&str, &str); 2] {
        [("client_id", &self.client_id), ("client_secret", &self.secret)]
    }

    /// Its credentials as a header's value.
    #[must_use]
    pub fn basic(&self) -> String {
        basic(&self.client_id, &self.secret)
    }

    /// The path of its row, or of something below it.
    #[must_use]
    pub fn path(&self, below: &str) -> String {
        format!("{CLIENTS}{}/{below}", self.id)
    }

    /// The same with another secret.
    #[must_use]
    pub fn with_secret(&self, secret: &str) -> Self {
        Self { secret: secret.to_owned(), ..self.clone() }
    }

    /// Has `administrator` rotate its secret; gives the answer, and the machine with the new one.
    pub async fn rotate(&self, administrator: &Client, body: &Value) -> (Value, Self) {
        let rotated = administrator.post(&self.path("secrets/"), body).await.expect(201);
        assert_eq!(rotated.header("cache-control"), Some("no-store"), "{rotated}");
        let rotated = rotated.json();
        let secret = rotated["client_secret"].as_str().expect("a secret").to_owned();
        (rotated, self.with_secret(&secret))
    }

    /// Asks the token endpoint, for these scopes if any.
    pub async fn ask(&self, anybody: &Client, scope: Option<&str>) -> Response {
        let mut form = "grant_type=client_credentials".to_owned();
        if let Some(scope) = scope {
            form.push_str(&format!("&scope={}", scope.replace(' ', "+")));
        }
        let basic = self.basic();
        let headers =
            [("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", basic.as_str())];
        anybody.raw("POST", "/oauth/token", &headers, Some(form.as_bytes())).await
    }

    /// Whether its secret gets a token now.
    pub async fn gets_token(&self, app: &TestApp) -> bool {
        let answer = self.ask(&app.anonymous(), None).await;
        assert!([200, 401].contains(&answer.status), "{answer}");
        answer.status == 200
    }

    /// An access token.
    pub async fn token(&self, app: &TestApp, scope: Option<&str>) -> String {
        let answer = self.ask(&app.anonymous(), scope).await.expect(200).json();
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    /// The machine at work for its tenant, with a token of all its rights.
    pub async fn at_work(&self, app: &TestApp, tenant: &Tenant) -> Client {
        app.with_token(&self.token(app, None).await, tenant)
    }

    /// The same with some of its rights.
    pub async fn narrowed(&self, app: &TestApp, tenant: &Tenant, scope: &str) -> Client {
        app.with_token(&self.token(app, Some(scope)).await, tenant)
    }

    /// The tokens of the older systems' endpoint.
    pub async fn session(&self, app: &TestApp) -> Value {
        let body = json!({ "client_id": self.client_id, "client_secret": self.secret });
        app.anonymous().post("/api/v1/auth/api-client/token/", &body).await.expect(200).json()
    }

    /// Its attempts to get a token that are written down by now, the latest first.
    pub async fn attempts(&self, administrator: &Client) -> Vec<Value> {
        let target = format!("/api/v1/api-client-attempts/?client_id={}", self.client_id);
        let list = administrator.get(&target).await.expect(200).json();
        list["results"].as_array().expect("a list").clone()
    }
}

/// A `Basic` header's value of two texts as they are.
#[must_use]
pub fn basic(name: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
}
