//! The tasks table.

use bulkhead_domain::field::Field;
use bulkhead_domain::list::{ListRequest, Page};
use bulkhead_domain::tasks::{TASKS, TaskFields, TaskPatch, TaskPriority, TaskStatus};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::auto_type;
use diesel::pg::Pg;
use diesel::prelude::*;
use futures_util::future::try_join;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crud::{View, tenant_crud};
use crate::error::{DbError, DbResult};
use crate::projects::projects;
use crate::tenant_db::{TenantDb, WriteTx};

diesel::table! {
    tasks (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        project_id -> Uuid,
        title -> Text,
        description -> Text,
        status -> Text,
        priority -> Text,
        due_date -> Nullable<Date>,
        todo_id -> Nullable<Uuid>,
        assigned_user_id -> Nullable<Uuid>,
        completed_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(tasks, projects);

/// A task.
#[derive(Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = tasks, check_for_backend(Pg))]
pub struct Task {
    /// The id.
    pub id: Uuid,
    /// The project that it belongs to.
    #[diesel(column_name = project_id)]
    pub project: Uuid,
    /// That project's name.
    #[diesel(select_expression = name_of_project(), select_expression_type = name_of_project)]
    pub project_name: String,
    /// What is to be done.
    pub title: String,
    /// Free text.
    pub description: String,
    /// Where the task stands.
    #[schema(value_type = TaskStatus)]
    pub status: String,
    /// How much it matters.
    #[schema(value_type = TaskPriority)]
    pub priority: String,
    /// The day by which it should be done.
    pub due_date: Option<NaiveDate>,
    /// The todo that it serves, if any.
    #[diesel(column_name = todo_id)]
    pub todo: Option<Uuid>,
    /// Who is to do it, if that is settled.
    #[diesel(column_name = assigned_user_id)]
    pub assigned_user: Option<Uuid>,
    /// Since when it is done.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

#[auto_type]
fn name_of_project() -> _ {
    projects::table
        .filter(projects::tenant_id.eq(tasks::tenant_id).and(projects::id.eq(tasks::project_id)))
        .select(projects::name)
        .single_value()
        .assume_not_null()
}

/// A task together with its project.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskDetail {
    /// The task.
    #[serde(flatten)]
    pub task: Task,
    /// Its project.
    pub project_details: ProjectSummary,
}

/// What a task shows of its project.
#[derive(Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = projects, check_for_backend(Pg))]
pub struct ProjectSummary {
    /// The project's id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Where it stands.
    pub status: String,
}

impl View for TaskDetail {
    fn id(&self) -> Uuid {
        self.task.id
    }

    fn version(&self) -> i64 {
        self.task.version
    }
}

tenant_crud! {
    /// Tasks.
    Tasks: tasks, TASKS, Task, TaskFields, TaskPatch,
    {
        project_id: project, title: title, description: description, status: status, priority: priority, due_date: due_date,
        todo_id: todo, assigned_user_id: assigned_user,
    },
    since completed_at: status = TaskStatus::Done,
    detail TaskDetail = detail
}

async fn detail(db: TenantDb<'_>, id: Uuid) -> DbResult<TaskDetail> {
    db.read(async |s| {
        let row = tasks::table.filter(tasks::tenant_id.eq(s.tenant()).and(tasks::id.eq(id)));
        let project = projects::table
            .filter(projects::tenant_id.eq(s.tenant()))
            .filter(projects::id.nullable().eq(row.select(tasks::project_id).single_value()))
            .select(ProjectSummary::as_select());
        let (task, project_details) = try_join(s.one(row.select(Task::as_select())), s.one(project)).await?;
        Ok(TaskDetail { task, project_details })
    })
    .await
}
