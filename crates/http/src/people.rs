//! The tenant's people over HTTP: members, for its administrators; one's own profile; and joining, by invitation or where
//! the tenant is open. Log-in and everything about passwords is in `auth`.

mod accept;
mod address;
mod invitations;
mod mails;
mod profile;
mod register;
mod users;

use bulkhead_domain::members::USERS;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::credentials::DirectoryEntry;
use bulkhead_persistence::error::DbError;

use crate::context::TenantCtx;
use crate::operation::Endpoint;
use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = users::endpoints();
    endpoints.extend(invitations::endpoints());
    endpoints.extend(profile::endpoints());
    endpoints.extend(address::endpoints());
    endpoints.push(accept::endpoint());
    endpoints.push(register::endpoint());
    endpoints
}

/// Names people in what the database refused: of invitations too, since what is taken is a person's name or address.
fn refused(error: DbError) -> Problem {
    Problem::from_db(error, Some(&USERS))
}

/// The tenant of whoever calls, with the name that mails call it by.
async fn home(ctx: &TenantCtx, worker: &Worker) -> Outcome<DirectoryEntry> {
    let found = worker.auth.find_tenant(&TenantName::Id(ctx.principal().tenant)).await;
    found.map_err(Problem::busy_is_unavailable)?.ok_or_else(Problem::not_found)
}
