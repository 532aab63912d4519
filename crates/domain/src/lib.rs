//! What things are: ids, tenants, principals, scopes, resources, their fields and the codes of errors.
//!
//! Plain values and rules only. No I/O, no clock but [`clock::now`], no web framework and no database
//! library: `make test` proves the last two from the dependency graph.

pub mod audit;
pub mod clients;
pub mod clock;
pub mod code;
pub mod field;
pub mod ids;
pub mod invitations;
pub mod list;
pub mod members;
pub mod person;
pub mod principal;
pub mod resource;
mod resources;
pub mod revocation;
pub mod scope;
pub mod search;
pub mod tenant;

macro_rules! modules {
    ($($name:ident: $entity:ident),+ $(,)?) => { $(pub mod $name;)+ };
}
for_each_resource!(modules);
