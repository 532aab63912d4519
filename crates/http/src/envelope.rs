//! The outermost layer: gives each request its correlation id, and each answer its common headers, its problem document
//! and its one line in the log.

use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, web};
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::new_id;
use tracing::Instrument;

use crate::client_address::client_address;
use crate::context::{Caller, host_of};
use crate::limits::report::Report;
use crate::metrics;
use crate::oauth;
use crate::operation::{Limit, PathOperations};
use crate::problem::Problem;
use crate::respond;
use crate::worker::Worker;

const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const RESPONSE_TIME: HeaderName = HeaderName::from_static("x-response-time");
/// One year, as browsers' preload lists ask for.
const STRICT_TRANSPORT: HeaderValue =
    HeaderValue::from_static("max-age=31536000; includeSubDomains; preload");
/// Longer targets are refused before anything looks at them.
const LONGEST_TARGET: usize = 16 * 1024;

/// The layer.
pub(crate) async fn envelope(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let start = Instant::now();
    let correlation_id = correlation_id(request.headers());
    let refusal = refusal(&request);
    let response = match refusal {
        Some(problem) => request.error_response(problem),
        None => {
            // Whatever is logged on the way carries the id that the client is told.
            let span = tracing::info_span!("request", correlation_id);
            next.call(request).instrument(span).await?.map_into_boxed_body()
        }
    };
    Ok(finish(response, &correlation_id, start.elapsed()))
}

/// What can be refused by its head alone.
fn refusal(request: &ServiceRequest) -> Option<Problem> {
    let worker = request.app_data::<web::Data<Worker>>()?;
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > LONGEST_TARGET) {
        return Some(Problem::new(Code::UriTooLong, "The path and query are too long."));
    }
    let hosts = &worker.settings.allowed_hosts;
    let allowed = hosts.is_empty()
        || host_of(request.request()).is_some_and(|host| hosts.iter().any(|h| allows(h, &host)));
    (!allowed).then(|| Problem::new(Code::InvalidHeader, "This host is not served here."))
}

fn allows(allowed: &str, host: &str) -> bool {
    match allowed.strip_prefix('.') {
        Some(domain) => host == domain || host.strip_suffix(allowed).is_some_and(|rest| !rest.is_empty()),
        None => allowed == "*" || host.eq_ignore_ascii_case(allowed),
    }
}

/// The client's id when it is well formed, a new one otherwise. A log line never carries anything else of the client's.
fn correlation_id(headers: &HeaderMap) -> String {
    let sent = headers.get(&CORRELATION_ID).and_then(|value| value.to_str().ok());
    let sound = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    sent.filter(sound).map_or_else(|| new_id().to_string(), str::to_owned)
}

fn finish(
    response: ServiceResponse<BoxBody>,
    correlation_id: &str,
    took: Duration,
) -> ServiceResponse<BoxBody> {
    let (request, response) = response.into_parts();
    let mut response = with_document(&request, response, correlation_id);
    if deals_in_secrets(&request) {
        // RFC 6749 §5.1, for refusals as well.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    }
    let secure =
        request.app_data::<web::Data<Worker>>().is_some_and(|worker| worker.settings.strict_transport);
    add_headers(response.headers_mut(), correlation_id, took, secure);
    point_to_metadata(&request, response.headers_mut());
    note_machine(&request, &mut response);
    if let Some(report) = request.extensions().get::<Report>() {
        report.write(response.headers_mut());
    }
    log(&request, response.status(), correlation_id, took);
    ServiceResponse::new(request, response)
}

/// Whether nobody may keep the answer: credentials or tokens are in it, or in what it answers.
fn deals_in_secrets(request: &HttpRequest) -> bool {
    let operation = request.app_data::<PathOperations>().and_then(|path| path.serving(request.method()));
    let tries_credentials = operation.is_some_and(|operation| operation.limit == Limit::Address);
    tries_credentials || oauth::error::applies_to(request.path())
}

/// Writes the problem document of a refusal, whoever refused.
fn with_document(request: &HttpRequest, response: HttpResponse, correlation_id: &str) -> HttpResponse {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let in_oauth_form = oauth::error::applies_to(request.path());
    let write = |problem: &Problem| {
        if in_oauth_form {
            oauth::error::document(problem, correlation_id)
        } else {
            problem.document(correlation_id)
        }
    };
    let document = match response.error().and_then(|error| error.as_error::<Problem>()) {
        Some(problem) => write(problem),
        // A handler that wrote its own body (readiness) is left alone.
        None if response.error().is_none()
            && response.body().size() != actix_web::body::BodySize::Sized(0) =>
        {
            return response;
        }
        None => write(&of_framework(status)),
    };
    let mut response = response.set_body(BoxBody::new(document));
    let kind = if in_oauth_form { "application/json" } else { "application/problem+json" };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if request.method() == Method::HEAD {
        return response.drop_body().map_into_boxed_body();
    }
    response
}

/// What the framework refused before any of our code saw it.
fn of_framework(status: StatusCode) -> Problem {
    let code = Code::ALL.iter().find(|code| code.status() == status.as_u16()).copied();
    let code = code.unwrap_or(if status.is_client_error() { Code::ParseError } else { Code::InternalError });
    Problem::new(code, status.canonical_reason().unwrap_or("The request was refused."))
}

fn add_headers(headers: &mut HeaderMap, correlation_id: &str, took: Duration, strict_transport: bool) {
    let mut put = |name: HeaderName, value: HeaderValue| headers.insert(name, value);
    if let Ok(value) = HeaderValue::from_str(correlation_id) {
        put(CORRELATION_ID, value);
    }
    if let Ok(value) = HeaderValue::from_str(&format!("{:.2}ms", took.as_secs_f64() * 1000.0)) {
        put(RESPONSE_TIME, value);
    }
    put(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    put(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    put(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if strict_transport {
        put(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        // Kept by the caller alone, and asked for again each time; entity tags make that cheap.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.append(header::VARY, HeaderValue::from_static("Authorization"));
    }
}

/// Tells whoever is asked for a token where it is described how to get one (RFC 9728 §5.1).
fn point_to_metadata(request: &HttpRequest, headers: &mut HeaderMap) {
    let Some(worker) = request.app_data::<web::Data<Worker>>() else { return };
    let challenge = headers.get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let Some(challenge) = challenge.filter(|challenge| challenge.starts_with("Bearer ")) else { return };
    let url = &worker.settings.public_url;
    let whole = format!("{challenge}, resource_metadata=\"{url}{}\"", oauth::discovery::RESOURCE);
    if let Ok(value) = HeaderValue::from_str(&whole) {
        headers.insert(header::WWW_AUTHENTICATE, value);
    }
}

/// Counts a client's request, and tells it when the secret behind its token ends.
fn note_machine(request: &HttpRequest, response: &mut HttpResponse) {
    let extensions = request.extensions();
    let Some(principal) = extensions.get::<Caller>().map(|caller| &caller.0.principal) else { return };
    let Some(secret) = principal.secret else { return };
    if let Some((name, value)) = respond::secret_ends(secret.ends) {
        response.headers_mut().insert(name, value);
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        // A token that no longer counts is no use of the secret behind it.
        return;
    }
    let operation = request.app_data::<PathOperations>().and_then(|path| path.serving(request.method()));
    if let (Some(worker), Some(operation)) = (request.app_data::<web::Data<Worker>>(), operation) {
        worker.state.usage.count(principal.tenant, principal.id, secret, &operation.id, response.status());
    }
}

/// The one line per request. Paths carry ids but no query string, which may carry what people searched for.
fn log(request: &HttpRequest, status: StatusCode, correlation_id: &str, took: Duration) {
    let operations = request.app_data::<PathOperations>();
    let operation =
        operations.and_then(|path| path.serving(request.method())).map(|operation| operation.id.as_ref());
    let operation = operation.unwrap_or("none");
    metrics::record(operation, status.as_u16(), took);
    let worker = request.app_data::<web::Data<Worker>>();
    let client = worker.and_then(|worker| client_address(request, &worker.settings.trusted_proxies));
    let extensions = request.extensions();
    let principal = extensions.get::<Caller>().map(|caller| &caller.0.principal);
    let secret = principal.and_then(|principal| principal.secret);
    tracing::info!(
        method = request.method().as_str(),
        path = request.path(),
        operation,
        status = status.as_u16(),
        duration_ms = took.as_secs_f64() * 1000.0,
        tenant = principal.map(|principal| principal.tenant_slug.as_str()),
        principal_kind = principal.map(|principal| principal.kind.as_str()),
        principal = principal.map(|principal| tracing::field::display(principal.id)),
        secret = secret.map(|secret| tracing::field::display(secret.id)),
        secret_ends = secret.and_then(|secret| secret.ends),
        client = client.map(tracing::field::display),
        correlation_id,
        "request"
    );
}
