//! The root of the API: where everything is, for whoever begins with nothing but its address.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Data;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::openapi::pages::SCHEMA_PATH;
use crate::operation::{Access, Endpoint};
use crate::problem::Outcome;
use crate::respond;
use crate::routes;
use crate::worker::Worker;

/// Its path.
const PATH: &str = "/api/v1/";

/// Absolute URLs by name.
struct Links;

impl PartialSchema for Links {
    fn schema() -> RefOr<Schema> {
        let url = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("uri".to_owned())));
        let urls = AdditionalProperties::RefOr(RefOr::T(url.build().into()));
        RefOr::T(ObjectBuilder::new().additional_properties(Some(urls)).build().into())
    }
}

impl ToSchema for Links {}

/// The operation.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Method::GET, PATH, "root_retrieve", Access::Public, root)
            .tag("root")
            .summary("Where everything is")
            .answers::<Links>(200, "The collections and the documents, as absolute URLs.", &[]),
    ]
}

/// Whatever can be fetched right below the root, by its name; and the documents that describe it.
async fn root(worker: Data<Worker>) -> Outcome<HttpResponse> {
    // Gathered once: the table of operations is not cheap to make.
    static BELOW: LazyLock<Vec<(String, String)>> = LazyLock::new(below);
    let documents = [("schema", SCHEMA_PATH), ("docs", "/api/docs/"), ("redoc", "/api/redoc/")];
    let documents = documents.into_iter().filter(|_| worker.settings.docs);
    let below = BELOW.iter().map(|(name, path)| (name.as_str(), path.as_str()));
    let url = &worker.settings.public_url;
    let links: BTreeMap<&str, String> =
        documents.chain(below).map(|(name, path)| (name, format!("{url}{path}"))).collect();
    respond::json(&links)
}

fn below() -> Vec<(String, String)> {
    let fetched = routes::operations().into_iter().filter(|operation| operation.method == Method::GET);
    fetched
        .filter_map(|operation| {
            let name = operation.path.strip_prefix(PATH)?.strip_suffix('/')?.to_owned();
            (!name.is_empty() && !name.contains('/')).then(|| (name, operation.path.into_owned()))
        })
        .collect()
}
