//! Answers: JSON with its entity tag, and stored replies of retried writes.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_persistence::crud::View;
use bulkhead_persistence::error::{DbError, DbResult};
use bulkhead_persistence::idempotency::{Once, Reply};
use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::precondition::{already_known, entity_tag};
use crate::problem::{Outcome, Problem};

/// Says that an answer was stored by an earlier request with the same key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Says when the client's secret ends, in Unix seconds: after a rotation, whoever still uses the old one reads it here.
const SECRET_EXPIRES: HeaderName = HeaderName::from_static("x-client-secret-expires");

/// The header with a secret's end, given in Unix seconds; the date is one of RFC 3339.
pub(crate) fn secret_ends(ends: Option<i64>) -> Option<(HeaderName, HeaderValue)> {
    let date = DateTime::from_timestamp(ends?, 0)?.to_rfc3339_opts(SecondsFormat::Secs, true);
    Some((SECRET_EXPIRES, HeaderValue::from_str(&date).ok()?))
}

/// 200 with JSON.
pub(crate) fn json(value: &impl Serialize) -> Outcome<HttpResponse> {
    Ok(HttpResponse::Ok().content_type("application/json").body(bytes(value)?))
}

/// 200 with a row and its tag, or 304 when the client has it already.
pub(crate) fn row(request: &HttpRequest, view: &impl View) -> Outcome<HttpResponse> {
    let body = bytes(view)?;
    let tag = entity_tag(view.version(), &body);
    if already_known(request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish());
    }
    Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).content_type("application/json").body(body))
}

/// A sentence, as the older systems answered deeds.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message {
    /// The sentence.
    message: &'static str,
}

/// 200 with a sentence.
pub(crate) fn message(message: &'static str) -> Outcome<HttpResponse> {
    json(&Message { message })
}

/// 201 with JSON.
pub(crate) fn created(value: &impl Serialize) -> Outcome<HttpResponse> {
    Ok(HttpResponse::Created().content_type("application/json").body(bytes(value)?))
}

/// JSON with a secret in it, which nobody may keep.
pub(crate) fn secret_document(status: StatusCode, value: &impl Serialize) -> Outcome<HttpResponse> {
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store")).content_type("application/json");
    Ok(response.body(bytes(value)?))
}

/// A row after a change, ready to be sent and to be stored under a key.
pub(crate) fn reply(status: StatusCode, view: &impl View, location: Option<String>) -> DbResult<Reply> {
    let body = serde_json::to_vec(view).map_err(|error| DbError::Internal(error.to_string()))?;
    let mut headers = BTreeMap::from([(header::ETAG.to_string(), entity_tag(view.version(), &body))]);
    if let Some(location) = location {
        headers.insert(header::LOCATION.to_string(), location);
    }
    Ok(Reply { status: status.as_u16(), headers, body })
}

/// Any document with its headers, ready to be sent and to be stored under a key.
pub(crate) fn document(
    status: StatusCode,
    document: &impl Serialize,
    headers: impl IntoIterator<Item = (HeaderName, String)>,
) -> DbResult<Reply> {
    let body = serde_json::to_vec(document).map_err(|error| DbError::Internal(error.to_string()))?;
    let headers = headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    Ok(Reply { status: status.as_u16(), headers, body })
}

/// Sends a reply with a secret in it, which nobody may keep.
pub(crate) fn secret(reply: Once) -> HttpResponse {
    let mut response = once(reply);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sends a reply, and says so when it is an earlier one.
pub(crate) fn once(once: Once) -> HttpResponse {
    let (reply, replayed) = match once {
        Once::First(reply) => (reply, false),
        Once::Replayed(reply) => (reply, true),
    };
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    response.content_type("application/json");
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            response.insert_header((name, value));
        }
    }
    if replayed {
        response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    response.body(reply.body)
}

fn bytes(value: &impl Serialize) -> Outcome<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Problem::internal(&error))
}
