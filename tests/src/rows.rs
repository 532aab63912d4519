//! Rows of one tenant, made through the API, each text with the tenant's marker; and looking at them behind its back.

use std::collections::BTreeMap;

use bulkhead_domain::ids::new_id;
use serde_json::{Value, json};
use tokio_postgres::Client as Sql;

use crate::bodies::sound;
use crate::client::Client;
use crate::machine::Machine;
use crate::tenants::Tenant;

macro_rules! names {
    ($($name:ident: $entity:ident),+ $(,)?) => { &[$(stringify!($name)),+] };
}

/// The tables of the resources that people work with.
const RESOURCES: &[&str] = bulkhead_domain::for_each_resource!(names);

/// The names of the resources that people work with, those that others refer to first.
pub fn resources() -> impl Iterator<Item = String> {
    RESOURCES.iter().map(|table| table.replace('_', "-"))
}

/// One row of each resource.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Those that people work with, by their resource.
    work: BTreeMap<String, Value>,
    /// An API client, where somebody made the rows who may make one.
    pub machine: Option<Machine>,
    /// A person whom nobody else is, where somebody made the rows who may make one.
    pub user: Option<Value>,
    /// An invitation, likewise.
    pub invitation: Option<Value>,
}

impl Rows {
    /// Makes one of each that people work with.
    pub async fn create(client: &Client, tenant: &Tenant) -> Self {
        Self::create_with(client, &tenant.marker).await
    }

    /// The same with another text in them.
    pub async fn create_with(client: &Client, text: &str) -> Self {
        let mut rows = Self::default();
        for resource in resources() {
            let path = format!("/api/v1/{resource}/");
            let create = client.contract().operation("POST", &path).expect("a way to make one");
            let mut body = sound(client.contract(), create, text, &rows).expect("a body");
            if resource == "documents" {
                // What has a project goes with it; and JSON holds texts too.
                body["project"] = json!(rows.id("projects"));
                body["metadata"] = json!({ "marker": text });
            }
            let row = client.post(&path, &body).await.expect(201).json();
            rows.work.insert(resource, row);
        }
        rows
    }

    /// Makes one of each, which takes an administrator. The client may do no more than administrate, so that whoever may
    /// do just that may change it.
    pub async fn create_all(administrator: &Client, tenant: &Tenant) -> Self {
        let marker = &tenant.marker;
        let fields = json!({ "name": format!("{marker} client"), "description": marker, "scopes": ["tenant:admin"],
            "metadata": { "marker": marker } });
        let machine = Machine::create(administrator, fields).await;
        let (user, invitation) = people(administrator, tenant).await;
        let (machine, user, invitation) = (Some(machine), Some(user), Some(invitation));
        Self { machine, user, invitation, ..Self::create(administrator, tenant).await }
    }

    /// The id of the API client's secret.
    pub async fn secret(&self, administrator: &Client) -> String {
        let machine = self.machine.as_ref().expect("rows with a client");
        let secrets = administrator.get(&machine.path("secrets/")).await.expect(200).json();
        id(&secrets[0]).to_owned()
    }

    /// The row of this resource.
    #[must_use]
    pub fn row(&self, resource: &str) -> &Value {
        self.find(resource).unwrap_or_else(|| panic!("no row of {resource}"))
    }

    /// The row of this resource, if it is one of which a row was made.
    #[must_use]
    pub fn find(&self, resource: &str) -> Option<&Value> {
        match resource {
            "api-clients" => self.machine.as_ref().map(|machine| &machine.made),
            "users" => self.user.as_ref(),
            "invitations" => self.invitation.as_ref(),
            _ => self.work.get(resource),
        }
    }

    /// The id of the row of this resource.
    #[must_use]
    pub fn id(&self, resource: &str) -> &str {
        id(self.row(resource))
    }
}

/// Makes a person and an invitation.
pub async fn people(administrator: &Client, tenant: &Tenant) -> (Value, Value) {
    let name = format!("{}-{}", tenant.marker, new_id().simple());
    let person = json!({ "username": name, "email": format!("{name}@example.test"), "role": "viewer" });
    let user = administrator.post("/api/v1/users/", &person).await.expect(201).json();
    let invited = json!({ "email": format!("invited-{name}@example.test"), "first_name": tenant.marker });
    let invitation = administrator.post("/api/v1/invitations/", &invited).await.expect(201).json();
    (user, invitation)
}

/// The id of a row.
#[must_use]
pub fn id(row: &Value) -> &str {
    row["id"].as_str().unwrap_or_else(|| panic!("no id in {row}"))
}

/// The other tables with a tenant's rows, but for those that fill up by themselves: sessions of people, since logging in makes
/// them, revocations, and what is gathered of clients.
const TABLES: [&str; 12] = [
    "users",
    "user_credentials",
    "second_factors",
    "recovery_codes",
    "invitations",
    "account_links",
    "idempotency_keys",
    "api_clients",
    "api_client_secrets",
    "api_client_sessions",
    "service_tokens",
    "audit_log",
];

/// Everything that the tables hold of a tenant, as text: equal before and after means that nothing changed.
pub async fn everything_of(operator: &Sql, tenant: &Tenant) -> String {
    let mut all = String::new();
    for table in RESOURCES.iter().chain(&TABLES) {
        // When somebody was last seen is not the row's own.
        let select = format!(
            "select coalesce(string_agg((to_jsonb(t) - 'last_login_at' - 'last_used_at')::text, E'\\n'
                order by (to_jsonb(t) - 'last_login_at' - 'last_used_at')::text), '')
             from bulkhead.{table} t where tenant_id = $1::text::uuid"
        );
        let row = operator.query_one(&select, &[&tenant.id.to_string()]).await.expect("look at a table");
        all.push_str(&format!("{table}:\n{}\n", row.get::<_, String>(0)));
    }
    all
}
