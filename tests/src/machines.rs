//! API clients, made by a tenant's owner through the API.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::tenants::Tenant;

/// An API client and the secret that it was made with.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its id.
    pub id: String,
    /// Its identifier.
    pub client_id: String,
    /// Its secret.
    pub secret: String,
}

impl Machine {
    /// Makes one with these roles and scopes.
    pub async fn create(app: &TestApp, tenant: &Tenant, name: &str, roles: &[&str], scopes: &[&str]) -> Self {
        let body = json!({ "name": format!("{} {name}", tenant.marker), "roles": roles, "scopes": scopes });
        let made = app.owner_of(tenant).await.post("/api/v1/api-clients/", &body).await.expect(201).json();
        let text = |member: &str| made[member].as_str().expect("text").to_owned();
        Self { id: text("id"), client_id: text("client_id"), secret: text("client_secret") }
    }

    /// What examples and libraries read from their environment.
    #[must_use]
    pub fn environment(&self, url: &str) -> Vec<(String, String)> {
        let pairs = [("BULKHEAD_URL", url), ("CLIENT_ID", &self.client_id), ("CLIENT_SECRET", &self.secret)];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// Its attempts to get a token that are written down by now, the latest first.
    pub async fn attempts(&self, app: &TestApp, tenant: &Tenant) -> Vec<Value> {
        let target = format!("/api/v1/api-client-attempts/?client_id={}", self.client_id);
        let list = app.owner_of(tenant).await.get(&target).await.expect(200).json();
        list["results"].as_array().expect("a list").clone()
    }
}
