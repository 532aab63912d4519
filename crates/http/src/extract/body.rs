//! JSON bodies: bounded in size and time, then read field by field so that every complaint is collected.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use bulkhead_domain::code::Code;
use bulkhead_domain::field::Fields;
use futures_util::StreamExt;
use serde_json::{Map, Value};

use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

/// The future of an extractor that awaits the body.
pub(crate) type Extraction<T> = Pin<Box<dyn Future<Output = Outcome<T>>>>;

/// A JSON body that was read completely.
pub(crate) struct Body<T> {
    /// Its fields.
    pub(crate) fields: T,
    /// Its bytes, for the fingerprint of an idempotency key.
    pub(crate) bytes: Bytes,
}

impl<T: Fields + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            // A merge patch (RFC 7396) is a kind of change, so only a change may call itself one.
            let is_patch = request.method() == Method::PATCH && has_type(&request, MERGE_PATCH);
            if !is_json(&request) && !is_patch {
                return Err(unsupported(&request, "application/json"));
            }
            let bytes = read(&request, &mut payload, usize::MAX).await?;
            let fields = T::from_object(object(&bytes)?).map_err(Problem::invalid)?;
            Ok(Self { fields, bytes })
        })
    }
}

const MERGE_PATCH: &str = "application/merge-patch+json";

/// Whether the body says that it is JSON.
pub(crate) fn is_json(request: &HttpRequest) -> bool {
    has_type(request, "application/json")
}

/// Whether the body is of a media type, written in any case (RFC 9110 §8.3.1).
pub(crate) fn has_type(request: &HttpRequest, media_type: &str) -> bool {
    request.content_type().eq_ignore_ascii_case(media_type)
}

/// A body in a form that the operation does not take. An encoded body is refused too: a few bytes could unpack to many.
pub(crate) fn unsupported(request: &HttpRequest, accepted: &str) -> Problem {
    let detail = format!("Unsupported media type \"{}\" in request.", request.content_type());
    Problem::new(Code::UnsupportedMediaType, detail).with_header(header::ACCEPT, accepted)
}

/// Reads the whole body within the limits that are set, and of `most` bytes at the most.
pub(crate) async fn read(request: &HttpRequest, payload: &mut Payload, most: usize) -> Outcome<Bytes> {
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(Problem::new(Code::UnsupportedMediaType, "Encoded bodies are not taken."));
    }
    let Some(worker) = request.app_data::<Data<Worker>>() else {
        return Err(Problem::internal(&"a body without a worker"));
    };
    let (limit, patience) = (worker.settings.body_limit.min(most), worker.settings.body_timeout);
    let too_large = || Problem::new(Code::TooLarge, format!("The body is larger than {limit} bytes."));
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    let reading = async {
        let mut bytes = BytesMut::with_capacity(announced.unwrap_or(0).min(4096));
        while let Some(chunk) = payload.next().await {
            let chunk = chunk
                .map_err(|error| Problem::new(Code::ParseError, format!("The body broke off: {error}")))?;
            if bytes.len() + chunk.len() > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    };
    match tokio::time::timeout(patience, reading).await {
        Ok(bytes) => bytes,
        Err(_) => Err(Problem::new(Code::RequestTimeout, "The body did not arrive in time.")),
    }
}

/// Parses one JSON object. Of a member that is given twice the last one counts (RFC 8259 §4 leaves it open).
pub(crate) fn object(bytes: &[u8]) -> Outcome<Map<String, Value>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Problem::new(Code::ParseError, "The body must be a JSON object.")),
        Err(error) => Err(Problem::new(Code::ParseError, format!("JSON parse error - {error}"))),
    }
}
