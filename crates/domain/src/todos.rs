//! Todos: what somebody wants to remember to do, once or every so many days.

use chrono::{Datelike, Days, NaiveDate};

use crate::field::{Day, LongText, Switch, Text, Whole};
use crate::list::{Filter, Kind, Ordering};
use crate::resource::{Resource, Rights};
use crate::search::Texts;

crate::fields! {
    /// What a client may write in a todo.
    pub TodoFields, TodoPatch {
        /// What is to be done.
        title: Text<255>,
        /// Free text.
        description: LongText<20_000> = LongText::default(),
        /// Whether it is done. When it comes to be, its next occurrence is made, if it has one.
        completed: Switch = Switch::default(),
        /// Days from one occurrence to the next; none: there is only this one.
        recurrence_interval: Option<Whole<1, 3650>> = None,
        /// The day by which it should be done.
        due_date: Option<Day> = None,
    }
}

/// The resource.
pub const TODOS: Resource = Resource {
    name: "todos",
    table: "todos",
    singular: "todo",
    about: "What somebody wants to remember to do.",
    rights: Rights::ByAction,
    changes: true,
    filters: &[
        Filter::equals("completed", "completed", Kind::Switch),
        Filter::from("due_after", "due_date", Kind::Day),
        Filter::before("due_before", "due_date", Kind::Day),
    ],
    orderings: &[
        Ordering::by("title", Kind::Text),
        Ordering::by_nullable("due_date", Kind::Day),
        Ordering::by_nullable("completion_time", Kind::Instant),
    ],
    search_column: Some("title_search"),
    texts: Some(Texts { title: "title", body: &["description"] }),
};

/// The day of the next occurrence: counted from the day of this one, or from its completion when it had none, so that being
/// late does not move what is on a fixed day. `None` when the calendar of the API ends before it.
#[must_use]
pub fn next_occurrence(due: Option<NaiveDate>, completed: NaiveDate, interval: i64) -> Option<NaiveDate> {
    let days = Days::new(u64::try_from(interval).ok()?);
    due.unwrap_or(completed).checked_add_days(days).filter(|day| day.year() <= 9999)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::next_occurrence;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_occurrence_is_counted_from_the_due_date_or_else_from_the_completion() {
        let late = day("2026-03-15");
        assert_eq!(next_occurrence(Some(day("2026-02-27")), late, 2), Some(day("2026-03-01")));
        assert_eq!(next_occurrence(None, late, 7), Some(day("2026-03-22")));
        assert_eq!(next_occurrence(Some(day("9999-12-31")), late, 1), None);
        assert_eq!(next_occurrence(None, late, -1), None);
    }
}
