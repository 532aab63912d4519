//! The projects table.

use bulkhead_domain::field::Field;
use bulkhead_domain::list::{ListRequest, Page};
use bulkhead_domain::projects::{PROJECTS, ProjectFields, ProjectPatch, ProjectStatus};
use bulkhead_domain::tasks::TaskStatus;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::auto_type;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Timestamptz};
use futures_util::future::try_join;
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
        owner_id -> Nullable<Uuid>,
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
    /// Who answers for it, if a person does.
    #[diesel(column_name = owner_id)]
    pub owner: Option<Uuid>,
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
    { name: name, description: description, status: status, owner_id: owner }
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

/// How the tasks of a project stand.
#[derive(Debug, Queryable, Serialize, ToSchema)]
pub struct ProjectAnalytics {
    /// All of them.
    pub total_tasks: i64,
    /// Those that are done.
    pub completed_tasks: i64,
    /// Those that are not.
    pub pending_tasks: i64,
    /// Those that are not and should be, by the calendar of UTC.
    pub overdue_tasks: i64,
    /// Seconds from making a task to its being done, on average; null while none is done.
    pub average_completion_time: Option<f64>,
}

diesel::define_sql_function! {
    /// A part of a time; of `epoch`, the seconds.
    fn date_part(part: Text, time: Nullable<Timestamptz>) -> Nullable<Double>;
}

impl Projects {
    /// Tells how the tasks of a project stand.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when the tenant has no such project.
    pub async fn analytics(db: TenantDb<'_>, id: Uuid, today: NaiveDate) -> DbResult<ProjectAnalytics> {
        use diesel::dsl::{avg, count};
        db.read(async |s| {
            let project = projects::table.filter(projects::tenant_id.eq(s.tenant()).and(projects::id.eq(id)));
            let is_done = || tasks::status.eq(TaskStatus::Done.into_column());
            let is_pending = || tasks::status.ne(TaskStatus::Done.into_column());
            let seconds =
                date_part("epoch", tasks::completed_at) - date_part("epoch", tasks::created_at.nullable());
            let counts = (
                count(tasks::id),
                count(tasks::id).aggregate_filter(is_done()),
                count(tasks::id).aggregate_filter(is_pending()),
                count(tasks::id)
                    .aggregate_filter(is_pending().and(tasks::due_date.lt(today).assume_not_null())),
                avg(seconds),
            );
            let of_project = tasks::tenant_id.eq(s.tenant()).and(tasks::project_id.eq(id));
            let counts = tasks::table.filter(of_project).select(counts);
            let (_, counts) = try_join(s.one::<_, Uuid>(project.select(projects::id)), s.one(counts)).await?;
            Ok(counts)
        })
        .await
    }

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
