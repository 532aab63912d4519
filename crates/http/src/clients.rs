//! API clients over HTTP, for a tenant's administrators. Nobody gives a client rights that it does not have itself.

mod manage;
mod reach;
mod secrets;
mod usage;

use actix_web::http::Method;
use bulkhead_domain::clients::{API_CLIENTS, ApiClientFields, ApiClientPatch};
use bulkhead_domain::code::Code;
use bulkhead_domain::scope::{Action, ScopeSet};
use bulkhead_persistence::usage::Attempts;
use bulkhead_persistence::{ApiClient, ApiClients, Secret};

pub use secrets::{LONGEST_OVERLAP, SECRET_IN_USE, stored as stored_secret};

use crate::operation::Endpoint;
use crate::resource::{IF_MATCH, JSON, MERGE_PATCH, TAG, collection, endpoint, list_of, member, one_of};
use crate::routes;

const RETRY: &str = "A name for this attempt, so that a retry does the work once.";
const SECRET_RETRY: &str =
    "A name for this attempt, so that a retry does the work once. A repeated answer has no secret in it.";

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = vec![
        list_of::<ApiClients>(),
        endpoint::<ApiClients, _, _>(
            Method::POST,
            collection::<ApiClients>(),
            "create",
            Action::Write,
            manage::create,
        )
        .summary("Create an API client")
        .about("The secret is in this answer and never in another.")
        .header("Idempotency-Key", SECRET_RETRY)
        .takes::<ApiClientFields>(JSON)
        .answers::<manage::CreatedClient<'_>>(201, "Created.", &[("Location", "Where the new client is.")])
        .refuses(Code::PermissionDenied)
        .refuses(Code::Duplicate)
        .refuses(Code::IdempotencyKeyReused),
        one_of::<ApiClients>(),
        endpoint::<ApiClients, _, _>(
            Method::PATCH,
            member::<ApiClients>(),
            "partial_update",
            Action::Write,
            manage::partial_update,
        )
        .summary("Change an API client")
        .about("A merge patch (RFC 7396). When rights or restrictions change, the client's tokens end; it gets new ones.")
        .header("If-Match", IF_MATCH)
        .takes::<ApiClientPatch>(MERGE_PATCH)
        .answers::<ApiClient>(200, "The client after the change.", &[TAG])
        .refuses(Code::Duplicate)
        .refuses(Code::Stale),
        endpoint::<ApiClients, _, _>(
            Method::DELETE,
            member::<ApiClients>(),
            "destroy",
            Action::Delete,
            manage::destroy,
        )
        .summary("Delete an API client")
        .about("Its secrets and tokens end at once.")
        .header("If-Match", IF_MATCH)
        .answers_plainly(204, "Deleted.", None)
        .refuses(Code::Stale),
    ];
    endpoints.extend(deeds());
    endpoints.extend(secret_endpoints());
    endpoints.push(usage::endpoint_of());
    endpoints.push(list_of::<Attempts>());
    endpoints
}

fn deeds() -> [Endpoint; 3] {
    let deed = |path: &str| format!("{}{path}/", member::<ApiClients>());
    [
        endpoint::<ApiClients, _, _>(
            Method::POST,
            deed("disable"),
            "disable_create",
            Action::Write,
            manage::disable,
        )
        .summary("Disable an API client")
        .about("Its tokens end at once, and it gets no others until it is enabled.")
        .header("Idempotency-Key", RETRY)
        .refuses(Code::Conflict)
        .refuses(Code::IdempotencyKeyReused)
        .answers::<ApiClient>(200, "The client, disabled.", &[TAG]),
        endpoint::<ApiClients, _, _>(
            Method::POST,
            deed("enable"),
            "enable_create",
            Action::Write,
            manage::enable,
        )
        .summary("Enable an API client")
        .refuses(Code::PermissionDenied)
        .header("Idempotency-Key", RETRY)
        .refuses(Code::Conflict)
        .refuses(Code::IdempotencyKeyReused)
        .answers::<ApiClient>(200, "The client, active.", &[TAG]),
        endpoint::<ApiClients, _, _>(
            Method::POST,
            deed("revoke-tokens"),
            "revoke_tokens_create",
            Action::Write,
            manage::revoke_tokens,
        )
        .summary("End every token of an API client")
        .about("It gets new ones with its secret.")
        .header("Idempotency-Key", RETRY)
        .refuses(Code::Conflict)
        .refuses(Code::IdempotencyKeyReused)
        .answers::<ApiClient>(200, "The client.", &[TAG]),
    ]
}

fn secret_endpoints() -> [Endpoint; 3] {
    let path = || format!("{}secrets/", member::<ApiClients>());
    [
        endpoint::<ApiClients, _, _>(Method::GET, path(), "secrets_list", Action::Read, secrets::list)
            .summary("List an API client's secrets")
            .about("What is known of them; never what they are.")
            .answers_array::<Secret>("The secrets, newest first.", &[]),
        endpoint::<ApiClients, _, _>(Method::POST, path(), "secrets_create", Action::Write, secrets::rotate)
            .summary("Rotate an API client's secret")
            .about(
                "Makes a new secret, which is in this answer and never in another. The others go on working for \
                 `overlap_seconds`, a day unless given; 0 retires them at once.",
            )
            .header("Idempotency-Key", SECRET_RETRY)
            .takes::<secrets::RotationFields>(JSON)
            .answers::<secrets::RotatedSecret<'_>>(201, "The new secret, and all that there are.", &[])
            .refuses(Code::PermissionDenied)
            .refuses(Code::Conflict)
            .refuses(Code::IdempotencyKeyReused),
        endpoint::<ApiClients, _, _>(
            Method::POST,
            format!("{}retire-secret/", member::<ApiClients>()),
            "retire_secret_create",
            Action::Write,
            secrets::retire,
        )
        .summary("Retire one of an API client's secrets")
        .about("Refused while it is in use (within the last 24 hours) and when it is the only one, unless forced.")
        .takes::<secrets::RetirementFields>(JSON)
        .answers_array::<Secret>("The secrets, newest first.", &[])
        .refuses(Code::SecretInUse),
    ]
}

/// The scope words of a body that no operation asks for, as a complaint about `field`.
#[must_use]
pub fn unknown_scopes(words: &[String]) -> Option<String> {
    let unknown: Vec<&str> = words.iter().map(String::as_str).filter(|word| !is_known_scope(word)).collect();
    (!unknown.is_empty()).then(|| {
        format!(
            "Unknown: {}. Known are {}, and read:*, write:*, delete:*.",
            unknown.join(", "),
            routes::scopes().join(", ")
        )
    })
}

/// Whether a scope is one that an operation asks for, a wildcard, or another name for the administrator's.
pub(crate) fn is_known_scope(word: &str) -> bool {
    let is_general = word == "admin" || word == "tenant:admin" || word.ends_with(":*");
    ScopeSet::parse_one(word).is_some() && (is_general || routes::scopes().iter().any(|scope| scope == word))
}

/// The name that errors of the database are told under.
const RESOURCE: &bulkhead_domain::resource::Resource = &API_CLIENTS;
