//! The document and the two pages that show it, all from the binary: no CDN, nothing fetched at run time.

use std::sync::{LazyLock, OnceLock};

use actix_web::http::header;
use actix_web::web::{Bytes, Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use aide::redoc::Redoc;
use serde::Deserialize;
use utoipa_swagger_ui::{Config, SwaggerFile};

use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

/// Scripts and styles of the pages stand in the pages or come from this server; nothing else may load.
const POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'";

/// Where the document is.
pub(crate) const SCHEMA_PATH: &str = "/api/schema/";

#[derive(Deserialize)]
pub(crate) struct Format {
    format: Option<String>,
}

/// `GET /api/schema/`: JSON; YAML with `?format=yaml` or when `Accept` asks for it.
pub(crate) async fn schema(
    request: HttpRequest,
    worker: Data<Worker>,
    query: Query<Format>,
) -> Outcome<HttpResponse> {
    let accept =
        request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let yaml = match query.format.as_deref() {
        Some("yaml") => true,
        Some("json") => false,
        Some(_) => return Err(Problem::parameter("format", "Must be json or yaml.")),
        None => accept.contains("yaml"),
    };
    let (texts, url) = (&worker.state.texts, &worker.settings.public_url);
    let (kind, text) =
        if yaml { ("application/yaml", texts.yaml(url)) } else { ("application/json", texts.json(url)) };
    Ok(HttpResponse::Ok().content_type(kind).body(text.clone()))
}

/// The document written out, each way when somebody first asks for it.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    json: OnceLock<Bytes>,
    yaml: OnceLock<Bytes>,
}

// Writing out a document that was made here fails only by a defect, and the tests read it.
impl Texts {
    fn json(&self, url: &str) -> &Bytes {
        self.json.get_or_init(|| super::document(url).to_pretty_json().unwrap_or_default().into())
    }

    fn yaml(&self, url: &str) -> &Bytes {
        self.yaml.get_or_init(|| super::document(url).to_yaml().unwrap_or_default().into())
    }
}

/// `GET /api/redoc/`
pub(crate) async fn redoc() -> HttpResponse {
    static PAGE: LazyLock<String> = LazyLock::new(|| Redoc::new(SCHEMA_PATH).with_title("Bulkhead").html());
    page("text/html; charset=utf-8", PAGE.clone())
}

/// `GET /api/docs/` and the files below it.
pub(crate) async fn swagger(path: Path<String>) -> Outcome<HttpResponse> {
    let config = std::sync::Arc::new(Config::from(SCHEMA_PATH));
    let path = path.into_inner();
    let file: Option<SwaggerFile<'_>> =
        utoipa_swagger_ui::serve(&path, config).map_err(|error| Problem::internal(&error))?;
    let file = file.ok_or_else(Problem::not_found)?;
    Ok(page(&file.content_type, file.bytes.into_owned()))
}

/// `GET /api/docs/`
pub(crate) async fn swagger_index() -> Outcome<HttpResponse> {
    swagger(Path::from("index.html".to_owned())).await
}

fn page(content_type: &str, body: impl Into<Bytes>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(body.into())
}
