//! The database, and the only crate that knows diesel: connections, the tenant transaction, one file per table.
//!
//! Nothing here knows HTTP, tokens or passwords. No connection and no pool leaves this crate: a caller gets a
//! [`TenantDb`](tenant_db::TenantDb) for a scope it was given, or one of the narrow stores for log-in and operators.

pub mod account_links;
pub mod audit;
mod block;
pub mod bootstrap;
pub mod client_credentials;
mod clients;
pub mod connect;
pub mod credentials;
pub mod crud;
mod email_changes;
pub mod error;
mod fairness;
pub mod families;
pub mod guards;
pub mod idempotency;
pub mod inspect;
mod invitations;
pub mod joining;
mod kept;
pub mod lint;
mod listing;
mod members;
pub mod migrate;
pub mod password_resets;
pub mod platform;
mod pool;
mod revocations;
mod schema;
pub mod search;
pub mod second_factors;
pub mod service_tokens;
mod session;
pub mod tenant_db;
mod tenants;
pub mod usage;
pub mod users;
mod watch;
mod write;

pub use pool::PoolSettings;

pub use clients::{
    ApiClient, ApiClients, Changed, Created, NewSecret, Retirement, Rotated, Secret, TenantNames,
};
pub use invitations::{Invitation, Invitations, NewInvitation};
pub use members::{Member, MemberChange, Members};
pub use projects::{ProjectAnalytics, ProjectStatistics};
pub use tasks::Task;
pub use tenants::{Tenant, TenantChange, TenantDomain, Tenants};

macro_rules! modules {
    ($($name:ident: $entity:ident),+ $(,)?) => { $(mod $name; pub use $name::$entity;)+ };
}
bulkhead_domain::for_each_resource!(modules);
