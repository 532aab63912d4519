//! The authors table.

use bulkhead_domain::authors::{AUTHORS, AuthorFields, AuthorPatch};
use bulkhead_domain::field::Field;
use bulkhead_domain::list::{ListRequest, Page};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::dsl::{AsExprOf, array, auto_type};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::sql_types::{Date, Nullable, Record, Text, Uuid as SqlUuid};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::books::books;
use crate::crud::tenant_crud;
use crate::error::{DbError, DbResult};
use crate::tenant_db::{TenantDb, WriteTx};

diesel::table! {
    authors (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        name -> Text,
        bio -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

/// An author.
#[derive(Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = authors, check_for_backend(Pg))]
pub struct Author {
    /// The id.
    pub id: Uuid,
    /// The name.
    pub name: String,
    /// What there is to know.
    pub bio: String,
    /// The books, the newest first; of more than a hundred, the newest hundred.
    #[diesel(select_expression = books_of_author(), select_expression_type = array<BookRecord, newest_books>)]
    pub books: Vec<BookSummary>,
    /// How many books there are.
    #[diesel(select_expression = number_of_books(), select_expression_type = number_of_books)]
    pub books_count: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

/// What an author shows of a book.
#[derive(Debug, FromSqlRow, Serialize, ToSchema)]
pub struct BookSummary {
    /// The book's id.
    pub id: Uuid,
    /// Its title.
    pub title: String,
    /// The day on which it came out.
    pub published_date: Option<NaiveDate>,
}

/// A row of [`books_of_author`].
type BookRecord = Record<(SqlUuid, Text, Nullable<Date>)>;

impl FromSql<BookRecord, Pg> for BookSummary {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let (id, title, published_date) = FromSql::<BookRecord, Pg>::from_sql(bytes)?;
        Ok(Self { id, title, published_date })
    }
}

/// The books come with their authors in one statement, however many authors there are.
fn books_of_author() -> array<BookRecord, newest_books> {
    array(newest_books())
}

#[auto_type]
fn newest_books() -> _ {
    let book: AsExprOf<(books::id, books::title, books::published_date), BookRecord> =
        (books::id, books::title, books::published_date).into_sql::<BookRecord>();
    books::table
        .filter(books::tenant_id.eq(authors::tenant_id).and(books::author_id.eq(authors::id)))
        .order((books::created_at.desc(), books::id.desc()))
        .limit(100_i64)
        .select(book)
}

#[auto_type]
fn number_of_books() -> _ {
    books::table
        .filter(books::tenant_id.eq(authors::tenant_id).and(books::author_id.eq(authors::id)))
        .count()
        .single_value()
        .assume_not_null()
}

tenant_crud! {
    /// Authors.
    Authors: authors, AUTHORS, Author, AuthorFields, AuthorPatch,
    { name: name, bio: bio }
}
