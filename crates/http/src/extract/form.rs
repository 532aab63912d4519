//! Bodies of token endpoints, which may also be form-encoded: OAuth 2 libraries and old frontends send them so.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use serde_json::{Map, Value};

use super::body::{Extraction, has_type, is_json, object, read, unsupported};
use crate::problem::{Outcome, Problem};

/// The largest body of a token endpoint: names and secrets are short, and nothing is hashed that is longer.
const LIMIT: usize = 16 * 1024;

/// The members of a JSON object or of a form.
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Whether there is a member of this name, whatever it holds.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
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
            if is_json(&request) {
                return object(&bytes).map(|members| Self(Members(members)));
            }
            if has_type(&request, FORM) {
                return form(&bytes).map(|members| Self(Members(members)));
            }
            Err(unsupported(&request, EITHER))
        })
    }
}

/// A complaint about one member.
pub(crate) fn complaint(name: &str, sentence: &str) -> Problem {
    Problem::invalid([(name.to_owned(), vec![sentence.to_owned()])].into())
}

/// The members of a form, where JSON is not taken (RFC 6749 §4.4.2).
pub(crate) struct Form(pub(crate) Members);

impl FromRequest for Members {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if is_json(&request) {
                return object(&read_all(&request, payload).await?).map(Self);
            }
            read_form(&request, payload, EITHER).await
        })
    }
}

impl FromRequest for Form {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { read_form(&request, payload, FORM).await.map(Self) })
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const EITHER: &str = "application/json, application/x-www-form-urlencoded";

async fn read_all(request: &HttpRequest, mut payload: Payload) -> Outcome<Bytes> {
    read(request, &mut payload, LIMIT).await
}

async fn read_form(request: &HttpRequest, payload: Payload, accepted: &str) -> Outcome<Members> {
    if !has_type(request, FORM) {
        return Err(unsupported(request, accepted));
    }
    form(&read_all(request, payload).await?).map(Members)
}

fn form(bytes: &[u8]) -> Outcome<Map<String, Value>> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        // RFC 6749 §3.2: parameters must not be included more than once.
        if members.insert(name.clone().into_owned(), Value::String(value.into_owned())).is_some() {
            return Err(complaint(&name, "This field was sent more than once."));
        }
    }
    Ok(members)
}
