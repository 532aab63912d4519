//! The kit of the black-box tests: a private PostgreSQL, the real server as a child process, fresh tenants, clients that
//! check every answer against the served OpenAPI document, and a proxy that breaks connections on purpose.
//!
//! Nothing here asserts what the product should do beyond what every answer must be; that stands in `tests/tests`.

pub mod app;
pub mod binary;
pub mod bodies;
pub mod browser;
pub mod client;
pub mod cluster;
pub mod contract;
pub mod database;
pub mod front;
pub mod guide;
pub mod http;
pub mod keys;
pub mod machine;
pub mod oauth;
pub mod page;
pub mod people;
pub mod poll;
pub mod proxy;
pub mod rows;
pub mod runtimes;
pub mod scratch;
pub mod server;
pub mod smtp;
pub mod statements;
pub mod tenants;
pub mod totp;
pub mod web_page;
