//! Refusals: one type for every error that a client meets, written out as RFC 9457 problem documents. Also the only
//! mapping from the database's errors to HTTP.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use bulkhead_domain::code::Code;
use bulkhead_domain::field::{FieldErrors, of_row};
use bulkhead_domain::resource::Resource;
use bulkhead_persistence::error::DbError;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::oauth;

/// The outcome of a handler.
pub(crate) type Outcome<T> = Result<T, Problem>;

/// Why a request was refused.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    detail: String,
    errors: FieldErrors,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether the document names the error as OAuth does, for clients that look for it.
    oauth: bool,
}

/// A problem document, RFC 9457.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument<'a> {
    /// Where the code is explained.
    #[serde(rename = "type")]
    kind: String,
    /// The code's short summary.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What was wrong with this request.
    detail: &'a str,
    /// The stable, machine-readable reason.
    #[schema(value_type = ErrorCode)]
    code: &'a str,
    /// Finds this request in the logs.
    correlation_id: &'a str,
    /// The word that OAuth 2 has for it. Only where clients get tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// What was wrong, by field. Only for `invalid` and `duplicate`.
    #[serde(skip_serializing_if = "FieldErrors::is_empty")]
    #[schema(required = false)]
    errors: &'a FieldErrors,
}

/// Every code and what it means, for the OpenAPI document.
struct ErrorCode;

impl PartialSchema for ErrorCode {
    fn schema() -> RefOr<Schema> {
        let words = Code::ALL.iter().map(|code| code.as_str());
        let meanings =
            Code::ALL.iter().map(|code| format!("- `{}`: {}", code.as_str(), code.meaning().trim()));
        let text = meanings.collect::<Vec<_>>().join("\n");
        RefOr::T(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some(words))
                .description(Some(text))
                .build()
                .into(),
        )
    }
}

impl ToSchema for ErrorCode {}

impl Problem {
    /// A refusal with a sentence about this request.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: FieldErrors::new(), headers: Vec::new(), oauth: false }
    }

    /// A body whose fields are wrong.
    pub(crate) fn invalid(errors: FieldErrors) -> Self {
        Self { errors, ..Self::new(Code::Invalid, "One or more fields are wrong.") }
    }

    /// Nothing here, or nothing of yours.
    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound, "Not found.")
    }

    /// A query parameter that cannot be used.
    pub(crate) fn parameter(name: &str, sentence: &str) -> Self {
        Self::new(Code::InvalidParameter, format!("{name}: {sentence}"))
    }

    /// A defect. What happened goes to the log, not to the client.
    pub(crate) fn internal(what: &dyn fmt::Display) -> Self {
        tracing::error!(error = %what, "internal error");
        Self::new(Code::InternalError, "The server failed. The correlation id finds the reason in its logs.")
    }

    /// The service cannot answer now.
    pub(crate) fn unavailable(why: &dyn fmt::Display) -> Self {
        tracing::warn!(reason = %why, "unavailable");
        Self::new(Code::Unavailable, "The service cannot answer at the moment. Try again shortly.")
            .with_header(header::RETRY_AFTER, "1")
    }

    /// Adds a header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Names the error in the document as OAuth does too.
    pub(crate) fn with_oauth_error(mut self) -> Self {
        self.oauth = true;
        self
    }

    /// What was wrong with this request; with the fields that were, if any.
    pub(crate) fn sentence(&self) -> String {
        let fields = self.errors.iter().map(|(field, sentences)| format!("{field}: {}", sentences.join(" ")));
        let fields: Vec<String> = fields.collect();
        if fields.is_empty() { self.detail.clone() } else { fields.join(" ") }
    }

    /// The database's answer, for an operation on `resource`.
    pub(crate) fn from_db(error: DbError, resource: Option<&Resource>) -> Self {
        match error {
            DbError::NotFound => Self::not_found(),
            DbError::Stale => Self::new(Code::Stale, "The row was changed since. Fetch it again."),
            DbError::Duplicate(constraint) => Self::duplicate(&constraint, resource),
            DbError::BadReference(constraint) => Self::bad_reference(&constraint, resource),
            DbError::Referenced(table) => Self::in_use(&table, resource),
            DbError::InRow(at, error) => {
                let problem = Self::from_db(*error, resource);
                Self { errors: of_row(at, problem.errors), ..problem }
            }
            DbError::Rejected(constraint) => {
                tracing::warn!(%constraint, "a constraint caught what validation let through");
                Self::new(Code::Invalid, "A value is outside what can be stored.")
            }
            DbError::Busy(why) => {
                tracing::info!(reason = %why, "conflict");
                Self::new(Code::Conflict, "Another request holds what this one needs. Try again shortly.")
                    .with_header(header::RETRY_AFTER, "1")
            }
            DbError::KeyReused => Self::new(
                Code::IdempotencyKeyReused,
                "This Idempotency-Key was used for a different request.",
            ),
            // Whoever withdraws knows why and tells it; here it is a defect.
            DbError::Withdrawn => Self::internal(&"work was withdrawn and nobody said why"),
            DbError::Unavailable(why) => Self::unavailable(&why),
            DbError::TenantBarrier(what) => {
                tracing::error!(security = true, %what, "row-level security refused a statement");
                crate::metrics::RLS_VIOLATIONS.inc();
                Self::internal(&"row-level security")
            }
            DbError::Internal(what) => Self::internal(&what),
        }
    }

    /// The database's answer where tokens are dealt with: whoever is in the way there is not the client's business, who
    /// shall come again.
    pub(crate) fn busy_is_unavailable(error: DbError) -> Self {
        match error {
            DbError::Busy(why) => Self::unavailable(&why),
            other => other.into(),
        }
    }

    /// `{table}_{field}_unique`, see `migrations/README.md`.
    fn duplicate(constraint: &str, resource: Option<&Resource>) -> Self {
        let (singular, field) = field_of(constraint, "_unique", resource);
        let sentence = format!("{singular} with this {field} already exists.");
        let errors = FieldErrors::from([(field, vec![sentence.clone()])]);
        Self { errors, ..Self::new(Code::Duplicate, sentence) }
    }

    /// `{table}_{field}_fk`. An unknown id and another tenant's get the same sentence, or it would be an oracle.
    fn bad_reference(constraint: &str, resource: Option<&Resource>) -> Self {
        let (_, field) = field_of(constraint, "_fk", resource);
        let mut label = field.replace('_', " ");
        if let Some(first) = label.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let sentence = format!("{label} does not belong to your tenant.");
        Self::invalid(FieldErrors::from([(field, vec![sentence])]))
    }

    /// Names only the kind of the rows that refer to it.
    fn in_use(table: &str, resource: Option<&Resource>) -> Self {
        let singular = resource.map_or("row", |resource| resource.singular);
        let table = table.replace('_', " ");
        Self::new(Code::InUse, format!("Some {table} refer to this {singular}. Change or delete them first."))
    }

    /// Writes the document.
    pub(crate) fn document(&self, correlation_id: &str) -> Vec<u8> {
        let document = ProblemDocument {
            kind: format!("urn:bulkhead:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status(),
            detail: &self.detail,
            code: self.code.as_str(),
            correlation_id,
            error: self.oauth.then(|| oauth::error::word(self.code)),
            errors: &self.errors,
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

fn field_of(constraint: &str, suffix: &str, resource: Option<&Resource>) -> (String, String) {
    let Some(resource) = resource else { return ("row".to_owned(), "id".to_owned()) };
    let field = constraint
        .strip_prefix(resource.table)
        .and_then(|rest| rest.strip_prefix('_'))
        .and_then(|rest| rest.strip_suffix(suffix))
        .unwrap_or("id");
    (resource.singular.to_owned(), field.to_owned())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Status and headers. The body is written by the outermost middleware, which knows the correlation id.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for header in &self.headers {
            response.insert_header(header.clone());
        }
        response.finish()
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        Self::from_db(error, None)
    }
}
