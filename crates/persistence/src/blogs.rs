//! The blogs table.

use bulkhead_domain::blogs::{BLOGS, BlogFields, BlogPatch, BlogStatus};
use bulkhead_domain::field::Field;
use bulkhead_domain::list::{ListRequest, Page};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crud::tenant_crud;
use crate::error::{DbError, DbResult};
use crate::tenant_db::{TenantDb, WriteTx};

diesel::table! {
    blogs (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        title -> Text,
        description -> Text,
        body -> Text,
        author_id -> Nullable<Uuid>,
        status -> Text,
        published_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

/// A blog.
#[derive(Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = blogs, check_for_backend(Pg))]
pub struct Blog {
    /// The id.
    pub id: Uuid,
    /// The title.
    pub title: String,
    /// What it is about, in short.
    pub description: String,
    /// The text.
    pub body: String,
    /// Who wrote it, if a person did.
    #[diesel(column_name = author_id)]
    pub author: Option<Uuid>,
    /// Where it stands.
    #[schema(value_type = BlogStatus)]
    pub status: String,
    /// Since when it is published.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

tenant_crud! {
    /// Blogs.
    Blogs: blogs, BLOGS, Blog, BlogFields, BlogPatch,
    { title: title, description: description, body: body, author_id: author, status: status },
    since published_at: status = BlogStatus::Published
}
