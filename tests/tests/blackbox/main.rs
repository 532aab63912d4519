//! The black-box tests: one binary, one module for each subject. What is shared by the modules is in the kit.

mod api_client_tokens;
mod audit;
mod bulk;
mod cancellation;
mod client_commands;
mod client_rights;
mod client_rotation;
mod client_tokens;
mod client_usage;
mod clients;
mod commands;
mod concurrency;
mod errors;
mod faults;
mod guide;
mod guide_rust;
mod input;
mod isolation;
mod key_rotation;
mod limits;
mod lists;
mod login;
mod malformed;
mod matrix;
mod oauth_access;
mod oauth_companions;
mod oauth_fuzz;
mod oauth_libraries;
mod oauth_token;
mod observability;
mod openapi;
mod refresh;
mod revocation;
mod round_trips;
mod search;
mod search_paging;
mod startup;
mod structure;
mod tokens;
mod uniform_refusals;

macro_rules! modules {
    ($($name:ident: $entity:ident),+ $(,)?) => { $(mod $name;)+ };
}
bulkhead_domain::for_each_resource!(modules);
