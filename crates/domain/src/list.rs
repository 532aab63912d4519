//! Lists: what a resource allows to be filtered, ordered and searched (data, checked against the schema by a test),
//! and one request for a page of it in typed form. Query strings and cursors are `http`'s business, SQL is
//! `persistence`'s.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::search::Terms;

/// Page size when the client does not say.
pub const DEFAULT_PAGE_SIZE: u16 = 50;
/// Largest page size.
pub const MAX_PAGE_SIZE: u16 = 200;
/// Rows that are counted exactly; beyond it the count is capped, because an exact count halves the rate of a list.
pub const COUNT_CAP: i64 = 10_000;
/// Deepest row that `?page=` reaches; further on only cursors go, whose cost does not grow with depth.
pub const MAX_OFFSET: i64 = 100_000;

/// One query parameter that narrows a list.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// The parameter's name.
    pub parameter: &'static str,
    /// The column that it tests.
    pub column: &'static str,
    /// The test.
    pub test: Test,
    /// The type of the value.
    pub kind: Kind,
}

impl Filter {
    /// `?column=value`.
    #[must_use]
    pub const fn equals(parameter: &'static str, column: &'static str, kind: Kind) -> Self {
        Self { parameter, column, test: Test::Equals, kind }
    }

    /// `?column_after=value`: at or after it.
    #[must_use]
    pub const fn from(parameter: &'static str, column: &'static str, kind: Kind) -> Self {
        Self { parameter, column, test: Test::AtLeast, kind }
    }

    /// `?column_before=value`: strictly before it.
    #[must_use]
    pub const fn before(parameter: &'static str, column: &'static str, kind: Kind) -> Self {
        Self { parameter, column, test: Test::Below, kind }
    }
}

/// How a filter compares. Only leakproof comparisons, or the index would not be used under row-level security.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// `=`
    Equals,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
}

/// The type of a filter's or an ordering's value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// One of a list of words.
    Choice(fn() -> Vec<&'static str>),
    /// An id.
    Id,
    /// A point in time.
    Instant,
    /// A calendar day.
    Day,
    /// Text.
    Text,
    /// A user name or an e-mail address, in whatever spelling; the column holds the normal form.
    Name,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Switch,
}

/// A typed value to compare a column with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, also the word of a choice.
    Text(String),
    /// An id.
    Id(Uuid),
    /// A point in time.
    Instant(DateTime<Utc>),
    /// A calendar day.
    Day(NaiveDate),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Switch(bool),
}

/// A column that a list may be ordered by. The id is always the tie-break, so that every order is total.
#[derive(Clone, Copy, Debug)]
pub struct Ordering {
    /// The name in `?ordering=`, which is the member of the row and the column alike.
    pub name: &'static str,
    /// The column's type.
    pub kind: Kind,
    /// Whether it may be null. Nulls come last in either direction.
    pub nullable: bool,
}

impl Ordering {
    /// By a column that is never null.
    #[must_use]
    pub const fn by(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, nullable: false }
    }

    /// By a column that may be null.
    #[must_use]
    pub const fn by_nullable(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, nullable: true }
    }
}

/// Filters that every resource has.
pub const CREATED_FILTERS: &[Filter] = &[
    Filter::from("created_after", "created_at", Kind::Instant),
    Filter::before("created_before", "created_at", Kind::Instant),
];

/// Filters that every resource has whose rows change.
pub const UPDATED_FILTERS: &[Filter] = &[
    Filter::from("updated_after", "updated_at", Kind::Instant),
    Filter::before("updated_before", "updated_at", Kind::Instant),
];

/// The ordering that every resource has; descending, it is the default: newest first.
pub const BY_CREATED: Ordering = Ordering::by("created_at", Kind::Instant);

/// The ordering that every resource has whose rows change.
pub const BY_UPDATED: Ordering = Ordering::by("updated_at", Kind::Instant);

/// One condition that every row of the answer meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: &'static str,
    /// The test.
    pub test: Test,
    /// The value.
    pub value: Value,
}

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// At the first row.
    Start,
    /// Behind this row.
    After(Position),
    /// In front of this row: the page that ends just before it.
    Before(Position),
    /// At the n-th row, counted from 0.
    Offset(i64),
}

/// The place of one row in an ordering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The ordering column's value, `None` for null.
    pub value: Option<Value>,
    /// The tie-break.
    pub id: Uuid,
}

/// How to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// Exactly up to [`COUNT_CAP`], capped above.
    #[default]
    Capped,
    /// Exactly, whatever it costs.
    Exact,
    /// Not at all.
    Off,
}

/// One page of one list.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// What every row meets.
    pub conditions: Vec<Condition>,
    /// What is looked for.
    pub search: Option<Terms>,
    /// The order.
    pub ordering: Ordering,
    /// Whether the order runs from high to low.
    pub descending: bool,
    /// Where the page starts.
    pub window: Window,
    /// Rows per page, 1 to [`MAX_PAGE_SIZE`].
    pub size: u16,
    /// How to count.
    pub counting: Counting,
}

/// One page, before it is written out.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows, in the order asked for.
    pub rows: Vec<T>,
    /// Whether rows follow in the direction in which the page was read.
    pub more: bool,
    /// The count, unless counting was off.
    pub count: Option<i64>,
}

impl<T> Page<T> {
    /// The same page with each row made into another.
    ///
    /// # Errors
    /// The first row's that cannot be.
    pub fn try_map<U, E>(self, make: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let rows = self.rows.into_iter().map(make).collect::<Result<_, _>>()?;
        Ok(Page { rows, more: self.more, count: self.count })
    }

    /// Whether [`Page::count`] stopped at the cap.
    #[must_use]
    pub fn capped(&self, counting: Counting) -> bool {
        counting == Counting::Capped && self.count.is_some_and(|count| count > COUNT_CAP)
    }
}
