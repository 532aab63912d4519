//! The documents table.

use bulkhead_domain::documents::{DOCUMENTS, DocumentFields, DocumentPatch};
use bulkhead_domain::field::Field;
use bulkhead_domain::list::{ListRequest, Page};
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crud::tenant_crud;
use crate::error::{DbError, DbResult};
use crate::projects::projects;
use crate::tenant_db::{TenantDb, WriteTx};

diesel::table! {
    documents (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        project_id -> Nullable<Uuid>,
        name -> Text,
        file_path -> Text,
        file_size -> BigInt,
        content_type -> Text,
        metadata -> Jsonb,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(documents, projects);

/// A document.
#[derive(Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = documents, check_for_backend(Pg))]
pub struct Document {
    /// The id.
    pub id: Uuid,
    /// The project that it belongs to, if any.
    #[diesel(column_name = project_id)]
    pub project: Option<Uuid>,
    /// That project's name.
    #[diesel(select_expression = name_of_project(), select_expression_type = name_of_project)]
    pub project_name: Option<String>,
    /// The file's name.
    pub name: String,
    /// Where the file lies.
    pub file_path: String,
    /// The file's size in bytes.
    pub file_size: i64,
    /// The file's media type.
    pub content_type: String,
    /// Whatever else the client keeps here.
    #[schema(value_type = Object)]
    pub metadata: Value,
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
        .filter(
            projects::tenant_id
                .eq(documents::tenant_id)
                .and(projects::id.nullable().eq(documents::project_id)),
        )
        .select(projects::name)
        .single_value()
}

tenant_crud! {
    /// Documents.
    Documents: documents, DOCUMENTS, Document, DocumentFields, DocumentPatch,
    {
        project_id: project, name: name, file_path: file_path, file_size: file_size, content_type: content_type,
        metadata: metadata,
    }
}
