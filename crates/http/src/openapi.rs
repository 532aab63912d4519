//! The OpenAPI document, put together from the list of endpoints, and the pages that show it.

pub(crate) mod describe;
pub(crate) mod pages;

use std::collections::BTreeMap;

use utoipa::openapi::path::{HttpMethod, PathsBuilder};
use utoipa::openapi::security::{
    ClientCredentials, Flow, Http, HttpAuthScheme, OAuth2, Scopes, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, Info, OpenApi, OpenApiBuilder, PathItem, Server};

use crate::operation::Endpoint;
use crate::routes;

/// What the API is, for its readers.
const ABOUT: &str = "Every request works inside the one tenant that its access token names; another tenant's rows are \
answered exactly as rows that do not exist. Errors are problem documents (RFC 9457) with a stable `code`.";

/// The document.
#[must_use]
pub fn document(public_url: &str) -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut components = ComponentsBuilder::new().security_scheme(
        describe::BEARER,
        SecurityScheme::Http({
            let mut bearer = Http::new(HttpAuthScheme::Bearer);
            bearer.bearer_format = Some("JWT".to_owned());
            bearer.description = Some("An access token from `/api/v1/auth/token/`.".to_owned());
            bearer
        }),
    );
    components =
        components.security_scheme(describe::OAUTH, SecurityScheme::OAuth2(client_credentials(public_url)));
    let mut schemas = BTreeMap::new();
    for Endpoint { operation, description, components, .. } in routes::endpoints() {
        if let Some(method) = http_method(&operation.method) {
            paths = paths.path(operation.path, PathItem::new(method, description.build()));
        }
        schemas.extend(components.into_iter().map(|component| (component.name, component.add_to)));
    }
    let mut made = Vec::new();
    schemas.values().for_each(|add_to| add_to(&mut made));
    for (name, schema) in made {
        components = components.schema(name, schema);
    }
    let tags =
        routes::tags().map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build());
    let mut info = Info::new("Bulkhead", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new(public_url)]))
        .paths(paths)
        .components(Some(components.build()))
        .tags(Some(tags))
        .build()
}

/// How an API client gets its token, with every scope that an operation asks for.
fn client_credentials(public_url: &str) -> OAuth2 {
    let about = |scope: &str| match scope.split_once(':') {
        Some(("tenant", _)) => "manage the tenant's people, clients and settings".to_owned(),
        Some((action, resource)) => format!("{action} {resource}"),
        None => scope.to_owned(),
    };
    let scopes = routes::scopes().iter().map(|scope| (scope.clone(), about(scope)));
    let scopes = Scopes::from_iter(scopes);
    let flow = ClientCredentials::new(format!("{public_url}/oauth/token"), scopes);
    OAuth2::with_description(
        [Flow::ClientCredentials(flow)],
        "An API client's own token, from `/oauth/token`.",
    )
}

fn http_method(method: &actix_web::http::Method) -> Option<HttpMethod> {
    match method.as_str() {
        "GET" => Some(HttpMethod::Get),
        "POST" => Some(HttpMethod::Post),
        "PUT" => Some(HttpMethod::Put),
        "PATCH" => Some(HttpMethod::Patch),
        "DELETE" => Some(HttpMethod::Delete),
        _ => None,
    }
}
