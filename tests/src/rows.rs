//! Rows of one tenant, made through the API, each text with the tenant's marker; and looking at them behind its back.

use serde_json::{Value, json};
use tokio_postgres::Client as Sql;

use crate::client::Client;
use crate::tenants::Tenant;

/// One row of each resource.
#[derive(Clone, Debug)]
pub struct Rows {
    /// A project.
    pub project: Value,
    /// A task of that project.
    pub task: Value,
    /// A document of that project.
    pub document: Value,
}

impl Rows {
    /// Makes one of each.
    pub async fn create(client: &Client, tenant: &Tenant) -> Self {
        let marker = &tenant.marker;
        let project = json!({ "name": format!("{marker} project"), "description": marker });
        let project = client.post("/api/v1/projects/", &project).await.expect(201).json();
        let task =
            json!({ "project": project["id"], "title": format!("{marker} task"), "description": marker });
        let task = client.post("/api/v1/tasks/", &task).await.expect(201).json();
        let document = json!({ "project": project["id"], "name": format!("{marker} document"),
            "file_path": marker, "metadata": { "marker": marker } });
        let document = client.post("/api/v1/documents/", &document).await.expect(201).json();
        Self { project, task, document }
    }

    /// The id of the row of this resource.
    #[must_use]
    pub fn id(&self, resource: &str) -> &str {
        let row = match resource {
            "projects" => &self.project,
            "tasks" => &self.task,
            "documents" => &self.document,
            other => panic!("no row of {other}"),
        };
        id(row)
    }
}

/// The id of a row.
#[must_use]
pub fn id(row: &Value) -> &str {
    row["id"].as_str().unwrap_or_else(|| panic!("no id in {row}"))
}

/// Everything that the tables hold of a tenant, as text: equal before and after means that nothing changed. Sessions
/// are left out, since logging in makes them.
pub async fn everything_of(operator: &Sql, tenant: &Tenant) -> String {
    let mut all = String::new();
    for table in ["projects", "tasks", "documents", "users", "user_credentials", "idempotency_keys"] {
        // When a person was last seen is not the person.
        let select = format!(
            "select coalesce(string_agg((to_jsonb(t) - 'last_login_at')::text, E'\\n' order by to_jsonb(t)::text), '')
             from bulkhead.{table} t where tenant_id = $1::text::uuid"
        );
        let row = operator.query_one(&select, &[&tenant.id.to_string()]).await.expect("look at a table");
        all.push_str(&format!("{table}:\n{}\n", row.get::<_, String>(0)));
    }
    all
}
