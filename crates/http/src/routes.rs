//! The list of everything that is served but the pages of the API document. A resource is not listed here, but in
//! `domain` for every crate at once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, Resource, Route, web};
use bulkhead_domain::audit::AUDIT;
use bulkhead_domain::clients::{API_CLIENTS, ATTEMPTS};
use bulkhead_domain::code::Code;
use bulkhead_domain::invitations::INVITATIONS;
use bulkhead_domain::members::USERS;

use crate::guard::guarded;
use crate::operation::{Access, Endpoint, Operation, PathOperations};
use crate::problem::Problem;
use crate::{aliases, audit, auth, clients, health, oauth, people, resources, root, search, tenant};

/// Headings of the OpenAPI document that no resource has.
const TAGS: &[(&str, &str)] = &[
    ("root", "Where to begin."),
    ("health", "For load balancers and orchestrators."),
    ("auth", "Log-in and sessions."),
    ("oauth", "Tokens for machines, as OAuth 2 libraries get them."),
    (API_CLIENTS.name, API_CLIENTS.about),
    (ATTEMPTS.name, ATTEMPTS.about),
    (USERS.name, USERS.about),
    (INVITATIONS.name, INVITATIONS.about),
    (AUDIT.name, AUDIT.about),
    tenant::HEADING,
    search::TAG,
];

/// Headings of the OpenAPI document, those of the resources among them.
pub(crate) fn tags() -> impl Iterator<Item = (&'static str, &'static str)> {
    let resources = resources::RESOURCES.iter().map(|resource| (resource.name, resource.about));
    TAGS.iter().copied().chain(resources)
}

/// Every endpoint, made when it is asked for: with their descriptions they are several megabytes together, which every
/// worker that only wants to serve them would keep for ever.
pub(crate) fn endpoints() -> impl Iterator<Item = Endpoint> {
    let groups: [fn() -> Vec<Endpoint>; 9] = [
        root::endpoints,
        health::endpoints,
        auth::endpoints,
        oauth::endpoints,
        people::endpoints,
        clients::endpoints,
        audit::endpoints,
        tenant::endpoints,
        search::endpoints,
    ];
    groups.into_iter().chain(resources::ENDPOINTS.iter().copied()).flat_map(|group| group())
}

/// Every scope that an operation asks for, each once, in the order of the operations. Gathered once: anybody may ask for
/// the documents that list them, and the table of operations is not cheap to make.
pub(crate) fn scopes() -> &'static [String] {
    static SCOPES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut scopes = Vec::new();
        for operation in operations() {
            if let Access::Scoped(scope) = operation.access
                && !scopes.contains(&scope.to_string())
            {
                scopes.push(scope.to_string());
            }
        }
        scopes
    });
    &SCOPES
}

/// Every operation.
pub fn operations() -> Vec<Operation> {
    endpoints().map(|endpoint| endpoint.operation).collect()
}

/// Serves every endpoint, with and without its final slash and without a redirect, which would lose POST bodies.
pub(crate) fn configure(config: &mut web::ServiceConfig, with_aliases: bool) {
    // Braces sort behind letters, so `statistics/` is tried before `{id}/`.
    let mut paths: BTreeMap<String, (Vec<Operation>, Vec<Route>)> = BTreeMap::new();
    for Endpoint { operation, route, .. } in endpoints() {
        let (operations, routes) = paths.entry(operation.path.to_string()).or_default();
        operations.push(operation);
        routes.push(route);
    }
    for (path, (operations, routes)) in paths {
        let mut resource = resource_at(&path, with_aliases).app_data(PathOperations(operations.into()));
        for route in routes {
            resource = resource.route(route);
        }
        config.service(resource.default_service(web::to(other_method)).wrap(from_fn(guarded)));
    }
}

fn resource_at(path: &str, with_aliases: bool) -> Resource {
    let mut paths = vec![path.to_owned()];
    if with_aliases {
        paths.extend(aliases::of(path).map(str::to_owned));
    }
    let without_slash: Vec<String> = paths.iter().map(|path| path.trim_end_matches('/').to_owned()).collect();
    paths.extend(without_slash);
    web::resource(paths)
}

/// A method that the path does not have; OPTIONS says which it has.
async fn other_method(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let allow = request.app_data::<PathOperations>().map(PathOperations::allow).unwrap_or_default();
    if request.method() == actix_web::http::Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish());
    }
    let detail = format!("Method \"{}\" not allowed.", request.method());
    Err(Problem::new(Code::MethodNotAllowed, detail).with_header(header::ALLOW, &allow))
}

/// A path that nothing serves.
pub(crate) async fn unknown_path() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}
