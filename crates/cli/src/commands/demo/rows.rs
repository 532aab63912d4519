//! The demo rows of the two tenants: 3 projects, 4 tasks and 2 documents in all, and with the first project of acme a few
//! of every other kind. A project that is there already, by its name, is left alone with everything that came with it.

use bulkhead_domain::field::Fields;
use bulkhead_domain::ids::new_id;
use bulkhead_persistence::crud::Entity;
use bulkhead_persistence::error::DbError;
use bulkhead_persistence::tenant_db::TenantDb;
use bulkhead_persistence::{Authors, Blogs, Books, Documents, Items, Projects, Tasks, Todos};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::failure::Failure;

/// A project and what is in it, as bodies of requests.
struct DemoProject {
    project: Value,
    tasks: Vec<Value>,
    documents: Vec<Value>,
    others: Others,
}

/// What comes with a project without being in it.
#[derive(Default)]
struct Others {
    todos: Vec<Value>,
    items: Vec<Value>,
    blogs: Vec<Value>,
    /// Authors and their books.
    authors: Vec<(Value, Vec<Value>)>,
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
    let (tasks, documents) = (
        all::<Tasks>(demo.tasks, Some(("project", id)))?,
        all::<Documents>(demo.documents, Some(("project", id)))?,
    );
    let Others { todos, items, blogs, authors } = demo.others;
    let (todos, items, blogs) =
        (all::<Todos>(todos, None)?, all::<Items>(items, None)?, all::<Blogs>(blogs, None)?);
    let mut with_books = Vec::new();
    for (author, books) in authors {
        let id = new_id();
        with_books.push((id, fields::<Authors>(author, None)?, all::<Books>(books, Some(("author", id)))?));
    }
    db.write(async |tx| {
        Projects::insert(tx, id, project).await?;
        Tasks::insert_all(tx, tasks).await?;
        Documents::insert_all(tx, documents).await?;
        Todos::insert_all(tx, todos).await?;
        Items::insert_all(tx, items).await?;
        Blogs::insert_all(tx, blogs).await?;
        for (id, author, books) in with_books {
            Authors::insert(tx, id, author).await?;
            Books::insert_all(tx, books).await?;
        }
        Ok(())
    })
    .await?;
    Ok(())
}

/// A member that names another row, and the row's id.
type Reference = Option<(&'static str, Uuid)>;

/// Reads bodies as a request's would be read, each under a new id.
fn all<E: Entity>(bodies: Vec<Value>, reference: Reference) -> Result<Vec<(Uuid, E::Fields)>, Failure> {
    bodies.into_iter().map(|body| Ok((new_id(), fields::<E>(body, reference)?))).collect()
}

/// Reads a body as a request's would be read.
fn fields<E: Entity>(mut body: Value, reference: Reference) -> Result<E::Fields, Failure> {
    let unfit = || Failure::DemoData(E::RESOURCE.name);
    let object = body.as_object_mut().ok_or_else(unfit)?;
    if let Some((member, id)) = reference {
        object.insert(member.to_owned(), json!(id));
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
            others: others(),
        },
        DemoProject {
            project: json!({ "name": "Mobile app", "description": "Orders on the go" }),
            tasks: vec![json!({ "title": "Choose a push service", "status": "done", "priority": "low" })],
            documents: Vec::new(),
            others: Others::default(),
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
        others: Others::default(),
    }]
}

fn others() -> Others {
    Others {
        todos: vec![
            json!({ "title": "Water the plants", "recurrence_interval": 7 }),
            json!({ "title": "Order new chairs", "completed": true }),
        ],
        items: vec![json!({ "name": "Projector", "description": "In the cupboard of room 2" })],
        blogs: vec![
            json!({ "title": "A new face", "body": "It goes live in spring.", "status": "published" }),
        ],
        authors: vec![(
            json!({ "name": "Ada Lovelace" }),
            vec![json!({ "title": "Notes on the Analytical Engine", "published_date": "1843-08-01" })],
        )],
    }
}

#[cfg(test)]
mod tests {
    use bulkhead_domain::ids::new_id;
    use bulkhead_persistence::{Authors, Blogs, Books, Documents, Items, Projects, Tasks, Todos};

    use super::{Others, acme, all, beta, fields};

    #[test]
    fn the_demo_rows_are_what_the_api_would_accept() {
        let (mut projects, mut tasks, mut documents, mut more) = (0, 0, 0, 0);
        for demo in acme().into_iter().chain(beta()) {
            let project = Some(("project", new_id()));
            fields::<Projects>(demo.project, None).unwrap();
            projects += 1;
            tasks += all::<Tasks>(demo.tasks, project).unwrap().len();
            documents += all::<Documents>(demo.documents, project).unwrap().len();
            let Others { todos, items, blogs, authors } = demo.others;
            more += all::<Todos>(todos, None).unwrap().len() + all::<Items>(items, None).unwrap().len();
            more += all::<Blogs>(blogs, None).unwrap().len();
            for (author, books) in authors {
                fields::<Authors>(author, None).unwrap();
                more += 1 + all::<Books>(books, Some(("author", new_id()))).unwrap().len();
            }
        }
        assert_eq!((projects, tasks, documents, more), (3, 4, 2, 6));
    }
}
