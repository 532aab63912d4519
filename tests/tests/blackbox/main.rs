//! The black-box tests: one binary, one module for each subject. What is shared by the modules is in the kit.

mod cancellation;
mod commands;
mod concurrency;
mod documents;
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
mod oauth_libraries;
mod observability;
mod openapi;
mod projects;
mod refresh;
mod round_trips;
mod startup;
mod structure;
mod tasks;
mod tokens;
