//! The todos table.

use bulkhead_domain::field::{Field, Switch};
use bulkhead_domain::ids::new_id;
use bulkhead_domain::list::{ListRequest, Page};
use bulkhead_domain::todos::{TODOS, TodoFields, TodoPatch, next_occurrence};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crud::tenant_crud;
use crate::error::{DbError, DbResult};
use crate::kept::kept;
use crate::tenant_db::{TenantDb, WriteTx};

diesel::table! {
    todos (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        title -> Text,
        description -> Text,
        completed -> Bool,
        recurrence_interval -> Nullable<BigInt>,
        completion_time -> Nullable<Timestamptz>,
        due_date -> Nullable<Date>,
        recurred -> Bool,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

/// A todo.
#[derive(Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = todos, check_for_backend(Pg))]
pub struct Todo {
    /// The id.
    pub id: Uuid,
    /// What is to be done.
    pub title: String,
    /// Free text.
    pub description: String,
    /// Whether it is done.
    pub completed: bool,
    /// Days from one occurrence to the next, if there is more than this one.
    pub recurrence_interval: Option<i64>,
    /// Since when it is done.
    pub completion_time: Option<DateTime<Utc>>,
    /// The day by which it should be done.
    pub due_date: Option<NaiveDate>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

tenant_crud! {
    /// Todos.
    Todos: todos, TODOS, Todo, TodoFields, TodoPatch,
    {
        title: title, description: description, completed: completed, recurrence_interval: recurrence_interval,
        due_date: due_date,
    },
    since completion_time: completed = Switch::ON,
    then recur
}

/// Makes the next occurrence of a todo that the transaction has just completed: its completion then is its last change. The
/// row is locked by that change, so of many who complete it at once one finds that nothing was made yet.
async fn recur(tx: &mut WriteTx<'_>, done: &Todo) -> DbResult<()> {
    let (Some(interval), Some(time)) = (done.recurrence_interval, done.completion_time) else {
        return Ok(());
    };
    let Some(due) = next_occurrence(done.due_date, time.date_naive(), interval) else { return Ok(()) };
    if time != done.updated_at {
        return Ok(());
    }
    let first = tx
        .run(async |s| {
            let row = todos::table.filter(todos::tenant_id.eq(s.tenant()).and(todos::id.eq(done.id)));
            let row = row.filter(todos::recurred.eq(false));
            s.execute(kept(diesel::update(row).set(todos::recurred.eq(true)))).await
        })
        .await?;
    if first == 1 {
        tx.run(async |s| {
            let next = (
                todos::tenant_id.eq(s.tenant()),
                todos::id.eq(new_id()),
                todos::title.eq(&done.title),
                todos::description.eq(&done.description),
                todos::recurrence_interval.eq(interval),
                todos::due_date.eq(due),
            );
            s.execute(diesel::insert_into(todos::table).values(next)).await
        })
        .await?;
    }
    Ok(())
}
