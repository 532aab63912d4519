//! The black-box tests: one binary, one module for each subject. What is shared by the modules is in the kit.

mod account_links;
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
mod guesses;
mod guide;
mod guide_rust;
mod hosts;
mod input;
mod invitations;
mod isolation;
mod key_rotation;
mod limits;
mod lists;
mod login;
mod mail;
mod malformed;
mod matrix;
mod members;
mod new_resource;
mod oauth_access;
mod oauth_companions;
mod oauth_fuzz;
mod oauth_libraries;
mod oauth_token;
mod observability;
mod openapi;
mod passwords;
mod refresh;
mod registration;
mod revocation;
mod round_trips;
mod second_factor;
mod sessions;
mod startup;
mod structure;
mod tenant;
mod tenant_commands;
mod tokens;
mod uniform_refusals;

macro_rules! modules {
    ($($name:ident: $entity:ident),+ $(,)?) => { $(mod $name;)+ };
}
bulkhead_domain::for_each_resource!(modules);
