//! Bodies of token endpoints, which may also be form-encoded: OAuth 2 libraries and old frontends send them so.

use std::convert::Infallible;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use bulkhead_domain::code::Code;
use futures_util::stream;
use serde_json::{Map, Value};

use super::body::{Extraction, has_type, is_json, object, read, unsupported};
use crate::problem::{Outcome, Problem};

/// The largest body of a token endpoint: names and secrets are short, and nothing is hashed that is longer.
const LIMIT: usize = 16 * 1024;

/// The members of a JSON object or of a form.
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Whether there is a member of this name, and it is not empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
    }

    /// A member that must be there and be text.
    pub(crate) fn required(&mut self, name: &str) -> Outcome<String> {
        self.optional(name)?.ok_or_else(|| complaint(name, "This field is required."))
    }

    /// A member that is text when it is there. Empty counts as absent.
    pub(crate) fn optional(&mut self, name: &str) -> Outcome<Option<String>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) if text.contains('\0') => {
                Err(complaint(name, "Null characters are not allowed."))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(complaint(name, "Not a valid string.")),
        }
    }
}

impl FromRequest for Members {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read_all(&request, payload).await?;
            members(&request, bytes).await
        })
    }
}

/// The members of a body that may be left out altogether, as one without members.
pub(crate) struct Anything(pub(crate) Members);

impl FromRequest for Anything {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read_all(&request, payload).await?;
            if bytes.is_empty() {
                return Ok(Self(Members(Map::new())));
            }
            members(&request, bytes).await.map(Self)
        })
    }
}

/// A complaint about one member.
pub(crate) fn complaint(name: &str, sentence: &str) -> Problem {
    Problem::invalid([(name.to_owned(), vec![sentence.to_owned()])].into())
}

/// The members of a form, where JSON is not taken (RFC 6749 §4.4.2).
pub(crate) struct Form(pub(crate) Members);

impl FromRequest for Form {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if !has_type(&request, FORM) {
                return Err(unsupported(&request, FORM));
            }
            form(&read_all(&request, payload).await?).map(|members| Self(Members(members)))
        })
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

async fn read_all(request: &HttpRequest, mut payload: Payload) -> Outcome<Bytes> {
    read(request, &mut payload, LIMIT).await
}

/// The members of a body in whatever form the request says that it has.
async fn members(request: &HttpRequest, bytes: Bytes) -> Outcome<Members> {
    let members = if is_json(request) {
        object(&bytes)?
    } else if has_type(request, FORM) {
        form(&bytes)?
    } else if has_type(request, MULTIPART) {
        multipart(request, bytes).await?
    } else {
        return Err(unsupported(request, &format!("application/json, {FORM}, {MULTIPART}")));
    };
    Ok(Members(members))
}

fn form(bytes: &[u8]) -> Outcome<Map<String, Value>> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        add(&mut members, name.into_owned(), value.into_owned())?;
    }
    Ok(members)
}

/// The parts of a form as RFC 7578 has it. They are text: there is nothing to upload here.
async fn multipart(request: &HttpRequest, bytes: Bytes) -> Outcome<Map<String, Value>> {
    let broken = |error| Problem::new(Code::ParseError, format!("Multipart form parse error - {error}"));
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(content_type.unwrap_or_default()).map_err(broken)?;
    let whole = stream::iter([Ok::<_, Infallible>(bytes)]);
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut members = Map::new();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        if part.file_name().is_some() {
            return Err(complaint(&name, "Not a valid string."));
        }
        let text = part.text().await.map_err(broken)?;
        add(&mut members, name, text)?;
    }
    Ok(members)
}

fn add(members: &mut Map<String, Value>, name: String, value: String) -> Outcome<()> {
    // RFC 6749 §3.2: parameters must not be included more than once.
    if members.contains_key(&name) {
        return Err(complaint(&name, "This field was sent more than once."));
    }
    members.insert(name, Value::String(value));
    Ok(())
}
