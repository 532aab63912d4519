//! The table of API clients, as a tenant's administrators see it. What changes them together with their secrets, tokens
//! and the audit trail is in the submodules.

mod manage;
mod secrets;

use bulkhead_domain::clients::{API_CLIENTS, ApiClientFields, ApiClientPatch, rights};
use bulkhead_domain::field::Field;
use bulkhead_domain::list::{ListRequest, Page};
use bulkhead_domain::scope::ScopeSet;
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::pg::Pg;
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

pub use manage::{Changed, Created, TenantNames};
pub use secrets::{NewSecret, Retirement, Rotated, Secret};

use crate::crud::tenant_crud;
use crate::error::{DbError, DbResult};
use crate::tenant_db::{TenantDb, WriteTx};

diesel::table! {
    api_clients (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        client_id -> Text,
        name -> Text,
        description -> Text,
        status -> Text,
        roles -> Array<Text>,
        scopes -> Array<Text>,
        allowed_ips -> Array<Text>,
        rate_limit -> Nullable<Integer>,
        metadata -> Jsonb,
        expires_at -> Nullable<Timestamptz>,
        token_epoch -> BigInt,
        version -> BigInt,
        last_used_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

/// An API client.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = api_clients, check_for_backend(Pg))]
pub struct ApiClient {
    /// The id.
    pub id: Uuid,
    /// What it presents to get a token.
    pub client_id: String,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// `active` or `disabled`.
    pub status: String,
    /// Whether it may get tokens, as far as its status goes.
    #[diesel(select_expression = active(), select_expression_type = active)]
    pub is_active: bool,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Networks that it may call from; none: from anywhere.
    pub allowed_ips: Vec<String>,
    /// Requests an hour; null: the server's usual limit.
    pub rate_limit: Option<i32>,
    /// Whatever else was kept.
    #[schema(value_type = Object)]
    pub metadata: Value,
    /// When it ends, if ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it last got a token or called, to the second.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    token_epoch: i64,
    #[serde(skip)]
    version: i64,
}

#[auto_type]
fn active() -> _ {
    api_clients::status.eq("active")
}

impl ApiClient {
    /// What it may do.
    #[must_use]
    pub fn rights(&self) -> ScopeSet {
        rights(&self.roles, &self.scopes)
    }

    /// Whether tokens of `before` would say of the client what is no longer so.
    fn outdates(&self, before: &Self) -> bool {
        let told = |client: &Self| {
            let (roles, scopes) = (client.roles.clone(), client.scopes.clone());
            (roles, scopes, client.allowed_ips.clone(), client.rate_limit, client.expires_at)
        };
        told(self) != told(before)
    }
}

tenant_crud! {
    /// API clients.
    ApiClients: api_clients, API_CLIENTS, ApiClient, ApiClientFields, ApiClientPatch,
    {
        name: name, description: description, roles: roles, scopes: scopes, allowed_ips: allowed_ips,
        rate_limit: rate_limit, expires_at: expires_at, metadata: metadata,
    }
}
