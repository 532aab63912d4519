//! Tasks: one piece of work within a project.

use crate::field::{Choice, Day, LongText, Reference, Text};
use crate::list::{Filter, Kind, Ordering};
use crate::resource::{Resource, Rights};
use crate::search::Texts;

crate::choice! {
    /// Where a task stands.
    pub enum TaskStatus {
        /// Not begun.
        Todo = "todo",
        /// Being worked on.
        InProgress = "in_progress",
        /// Finished.
        Done = "done",
    }
}

crate::choice! {
    /// How much a task matters.
    pub enum TaskPriority {
        /// Can wait.
        Low = "low",
        /// The usual.
        Medium = "medium",
        /// Soon.
        High = "high",
        /// Now.
        Critical = "critical",
    }
}

crate::fields! {
    /// What a client may write in a task.
    pub TaskFields, TaskPatch {
        /// The project that it belongs to, of the same tenant.
        project: Reference,
        /// What is to be done.
        title: Text<255>,
        /// Free text.
        description: LongText<20_000> = LongText::default(),
        /// Where the task stands.
        status: TaskStatus = TaskStatus::Todo,
        /// How much it matters.
        priority: TaskPriority = TaskPriority::Medium,
        /// The day by which it should be done.
        due_date: Option<Day> = None,
        /// The todo that it serves, of the same tenant, or none.
        todo: Option<Reference> = None,
        /// Who is to do it, a person of the tenant, or nobody.
        assigned_user: Option<Reference> = None,
    }
}

/// The resource.
pub const TASKS: Resource = Resource {
    name: "tasks",
    table: "tasks",
    singular: "task",
    about: "One piece of work within a project.",
    rights: Rights::ByAction,
    changes: true,
    filters: &[
        Filter::equals("project", "project_id", Kind::Id),
        Filter::equals("todo", "todo_id", Kind::Id),
        Filter::equals("assigned_user", "assigned_user_id", Kind::Id),
        Filter::equals("status", "status", Kind::Choice(TaskStatus::words)),
        Filter::equals("priority", "priority", Kind::Choice(TaskPriority::words)),
        Filter::from("due_after", "due_date", Kind::Day),
        Filter::before("due_before", "due_date", Kind::Day),
    ],
    orderings: &[
        Ordering::by("title", Kind::Text),
        Ordering::by("status", Kind::Text),
        Ordering::by("priority", Kind::Text),
        Ordering::by_nullable("due_date", Kind::Day),
        Ordering::by_nullable("completed_at", Kind::Instant),
    ],
    search_column: Some("title_search"),
    texts: Some(Texts { title: "title", body: &["description"] }),
};
