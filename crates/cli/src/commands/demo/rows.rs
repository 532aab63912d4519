//! The demo rows of the two tenants: 3 projects, 4 tasks and 2 documents in all. A project that is there already, by
//! its name, is left alone with everything in it.

use bulkhead_domain::field::Fields;
use bulkhead_domain::ids::new_id;
use bulkhead_persistence::crud::Entity;
use bulkhead_persistence::error::DbError;
use bulkhead_persistence::tenant_db::TenantDb;
use bulkhead_persistence::{Documents, Projects, Tasks};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::failure::Failure;

/// A project and what is in it, as bodies of requests.
struct DemoProject {
    project: Value,
    tasks: Vec<Value>,
    documents: Vec<Value>,
}

/// Adds the projects of the tenant that are not there yet.
///
/// # Errors
/// The database's.
pub(super) async fn create(db: TenantDb<'_>, slug: &str) -> Result<(), Failure> {
    for demo in projects_of(slug) {
        match add(db, demo).await {
            Ok(()) | Err(Failure::Database(DbError::Duplicate(_))) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// One project with everything in it, in one transaction.
async fn add(db: TenantDb<'_>, demo: DemoProject) -> Result<(), Failure> {
    let id = new_id();
    let project = fields::<Projects>(demo.project, None)?;
    let inside = |bodies: Vec<Value>| bodies.into_iter().map(move |body| (body, Some(id)));
    let tasks =
        inside(demo.tasks).map(|(body, id)| fields::<Tasks>(body, id)).collect::<Result<Vec<_>, _>>()?;
    let documents = inside(demo.documents)
        .map(|(body, id)| fields::<Documents>(body, id))
        .collect::<Result<Vec<_>, _>>()?;
    db.write(async |tx| {
        Projects::insert(tx, id, project).await?;
        for task in tasks {
            Tasks::insert(tx, new_id(), task).await?;
        }
        for document in documents {
            Documents::insert(tx, new_id(), document).await?;
        }
        Ok(())
    })
    .await?;
    Ok(())
}

/// Reads a body as a request's would be read.
fn fields<E: Entity>(mut body: Value, project: Option<Uuid>) -> Result<E::Fields, Failure> {
    let unfit = || Failure::DemoData(E::RESOURCE.name);
    let object = body.as_object_mut().ok_or_else(unfit)?;
    if let Some(project) = project {
        object.insert("project".to_owned(), json!(project));
    }
    E::Fields::from_object(std::mem::take(object)).map_err(|_faults| unfit())
}

fn projects_of(slug: &str) -> Vec<DemoProject> {
    if slug == "acme" { acme() } else { beta() }
}

fn acme() -> Vec<DemoProject> {
    vec![
        DemoProject {
            project: json!({ "name": "Website redesign", "description": "A new face for acme.example" }),
            tasks: vec![
                json!({ "title": "Draw the home page", "status": "in_progress", "priority": "high" }),
                json!({ "title": "Move the old articles", "priority": "medium" }),
            ],
            documents: vec![json!({
                "name": "brief.pdf", "file_path": "/files/acme/brief.pdf", "file_size": 182_000,
                "content_type": "application/pdf", "metadata": { "pages": 12 },
            })],
        },
        DemoProject {
            project: json!({ "name": "Mobile app", "description": "Orders on the go" }),
            tasks: vec![json!({ "title": "Choose a push service", "status": "done", "priority": "low" })],
            documents: Vec::new(),
        },
    ]
}

fn beta() -> Vec<DemoProject> {
    vec![DemoProject {
        project: json!({ "name": "Data platform", "description": "One place for the numbers" }),
        tasks: vec![json!({ "title": "Load the first reports", "priority": "critical" })],
        documents: vec![json!({
            "name": "schema.sql", "file_path": "/files/beta/schema.sql", "file_size": 4_096,
            "content_type": "application/sql",
        })],
    }]
}

#[cfg(test)]
mod tests {
    use bulkhead_domain::ids::new_id;
    use bulkhead_persistence::{Documents, Projects, Tasks};

    use super::{acme, beta, fields};

    #[test]
    fn the_demo_rows_are_what_the_api_would_accept() {
        let (mut projects, mut tasks, mut documents) = (0, 0, 0);
        for demo in acme().into_iter().chain(beta()) {
            fields::<Projects>(demo.project, None).unwrap();
            projects += 1;
            for task in demo.tasks {
                fields::<Tasks>(task, Some(new_id())).unwrap();
                tasks += 1;
            }
            for document in demo.documents {
                fields::<Documents>(document, Some(new_id())).unwrap();
                documents += 1;
            }
        }
        assert_eq!((projects, tasks, documents), (3, 4, 2));
    }
}
