//! The projects table.

use bulkhead_domain::field::Field;
use bulkhead_domain::list::{ListRequest, Page};
use bulkhead_domain::projects::{PROJECTS, ProjectFields, ProjectPatch, ProjectStatus};
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crud::tenant_crud;
use crate::error::{DbError, DbResult};
use crate::tasks::tasks;
use crate::tenant_db::{TenantDb, WriteTx};

diesel::table! {
    projects (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        name -> Text,
        description -> Text,
        status -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

/// A project.
#[derive(Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = projects, check_for_backend(Pg))]
pub struct Project {
    /// The id.
    pub id: Uuid,
    /// The name, unique within the tenant.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Where the project stands.
    #[schema(value_type = ProjectStatus)]
    pub status: String,
    /// How many tasks it has.
    #[diesel(select_expression = tasks_of_project(), select_expression_type = tasks_of_project)]
    pub tasks_count: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

#[auto_type]
fn tasks_of_project() -> _ {
    tasks::table
        .filter(tasks::tenant_id.eq(projects::tenant_id).and(tasks::project_id.eq(projects::id)))
        .count()
        .single_value()
        .assume_not_null()
}

tenant_crud! {
    /// Projects.
    Projects: projects, PROJECTS, Project, ProjectFields, ProjectPatch,
    { name: name, description: description, status: status }
}

/// How many projects a tenant has, by state.
#[derive(Debug, Queryable, Serialize, ToSchema)]
pub struct ProjectStatistics {
    /// All of them.
    pub total_projects: i64,
    /// Those being worked on.
    pub active_projects: i64,
    /// Those finished.
    pub completed_projects: i64,
    /// Those out of sight.
    pub archived_projects: i64,
    /// Those that have at least one task.
    pub projects_with_tasks: i64,
}

impl Projects {
    /// Counts the tenant's projects.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn statistics(db: TenantDb<'_>) -> DbResult<ProjectStatistics> {
        use diesel::dsl::{count, exists};
        let of = |status: ProjectStatus| projects::status.eq(status.into_column());
        db.read(async |s| {
            let task = tasks::table
                .filter(tasks::tenant_id.eq(projects::tenant_id).and(tasks::project_id.eq(projects::id)));
            let counts = (
                count(projects::id),
                count(projects::id).aggregate_filter(of(ProjectStatus::Active)),
                count(projects::id).aggregate_filter(of(ProjectStatus::Completed)),
                count(projects::id).aggregate_filter(of(ProjectStatus::Archived)),
                count(projects::id).aggregate_filter(exists(task)),
            );
            s.one(projects::table.filter(projects::tenant_id.eq(s.tenant())).select(counts)).await
        })
        .await
    }

    /// Whether the tenant has this project; for lists below it.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when it has not.
    pub async fn require(db: TenantDb<'_>, id: Uuid) -> DbResult<()> {
        let row = projects::table.filter(projects::id.eq(id)).select(projects::id);
        db.read(async |s| s.one::<_, Uuid>(row.filter(projects::tenant_id.eq(s.tenant()))).await)
            .await
            .map(drop)
    }
}
