//! The items table.

use bulkhead_domain::field::Field;
use bulkhead_domain::items::{ITEMS, ItemFields, ItemPatch};
use bulkhead_domain::list::{ListRequest, Page};
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crud::tenant_crud;
use crate::error::{DbError, DbResult};
use crate::schema::users;
use crate::tenant_db::{TenantDb, WriteTx};

diesel::table! {
    items (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        name -> Text,
        description -> Text,
        created_by_id -> Nullable<Uuid>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(items, users);

/// An item.
#[derive(Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = items, check_for_backend(Pg))]
pub struct Item {
    /// The id.
    pub id: Uuid,
    /// The name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// The person who made it; none: a machine did.
    #[diesel(column_name = created_by_id)]
    pub created_by: Option<Uuid>,
    /// That person's user name.
    #[diesel(select_expression = name_of_maker(), select_expression_type = name_of_maker)]
    pub created_by_username: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

#[auto_type]
fn name_of_maker() -> _ {
    users::table
        .filter(users::tenant_id.eq(items::tenant_id).and(users::id.nullable().eq(items::created_by_id)))
        .select(users::username)
        .single_value()
}

tenant_crud! {
    /// Items.
    Items: items, ITEMS, Item, ItemFields, ItemPatch,
    { name: name, description: description },
    maker created_by_id
}
