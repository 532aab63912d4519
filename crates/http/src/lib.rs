//! The API over HTTP: routes, extractors, one file per resource, the OpenAPI document, problem documents.
//!
//! Nothing here knows SQL or diesel, reads the environment, or decides who a principal is. A handler reaches the database
//! through the [`TenantCtx`](context::TenantCtx) in its signature and in no other way.

mod aliases;
mod audit;
mod auth;
mod bulk;
mod client_address;
mod clients;
mod complete;
mod context;
mod cors;
mod envelope;
mod extract;
mod guard;
mod health;
mod hosts;
mod keyring;
mod limits;
mod list;
mod metrics;
mod oauth;
mod openapi;
mod operation;
mod people;
mod problem;
mod resource;
mod resources;
mod respond;
mod root;
mod routes;
mod search;
mod server;
mod service_token;
mod session;
mod settings;
mod startup;
mod state;
mod tenant;
mod usage;
mod watcher;
mod worker;

pub use clients::{LONGEST_OVERLAP, SECRET_IN_USE, stored_secret, unknown_scopes};
pub use keyring::{Keyring, Reload, ReloadError, Signing};
pub use openapi::document;
pub use operation::{Access, Operation};
pub use routes::operations;
pub use server::{ServeError, serve};
pub use service_token::issue_service_token;
pub use session::{Session, SessionError, open_session};
pub use settings::{CorsSettings, HttpSettings, LimitSettings, RefreshSettings, Services};
pub use startup::{UnfitDatabase, check_databases};
