//! The books table.

use bulkhead_domain::books::{BOOKS, BookFields, BookPatch};
use bulkhead_domain::field::Field;
use bulkhead_domain::list::{ListRequest, Page};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::auto_type;
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::authors::authors;
use crate::crud::tenant_crud;
use crate::error::{DbError, DbResult};
use crate::tenant_db::{TenantDb, WriteTx};

diesel::table! {
    books (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        author_id -> Uuid,
        title -> Text,
        published_date -> Nullable<Date>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(books, authors);

/// A book.
#[derive(Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = books, check_for_backend(Pg))]
pub struct Book {
    /// The id.
    pub id: Uuid,
    /// The title.
    pub title: String,
    /// Who wrote it.
    #[diesel(column_name = author_id)]
    pub author: Uuid,
    /// That author's name.
    #[diesel(select_expression = name_of_author(), select_expression_type = name_of_author)]
    pub author_name: String,
    /// The day on which it came out.
    pub published_date: Option<NaiveDate>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

#[auto_type]
fn name_of_author() -> _ {
    authors::table
        .filter(authors::tenant_id.eq(books::tenant_id).and(authors::id.eq(books::author_id)))
        .select(authors::name)
        .single_value()
        .assume_not_null()
}

tenant_crud! {
    /// Books.
    Books: books, BOOKS, Book, BookFields, BookPatch,
    { title: title, author_id: author, published_date: published_date }
}
