//! How a client presents itself: in the `Authorization` header or in the body, never in both (RFC 6749 §2.3.1), and
//! never in the URL.

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulkhead_domain::code::Code;
use secrecy::SecretString;

use crate::extract::form::{Members, complaint};
use crate::problem::{Outcome, Problem};

/// What a client presents.
pub(crate) struct Credentials {
    /// The client identifier, as sent.
    pub(crate) client_id: String,
    /// The secret, as sent.
    pub(crate) secret: SecretString,
    /// Whether both came in the header: a refusal then has to name the scheme (RFC 6749 §5.2).
    pub(crate) in_header: bool,
}

/// Reads the credentials of a request; `None` when it has none, or not both parts.
pub(crate) fn read(request: &HttpRequest, members: &mut Members) -> Outcome<Option<Credentials>> {
    let query = form_urlencoded::parse(request.query_string().as_bytes());
    if query.into_iter().any(|(name, _)| name == "client_secret" || name == "client_id") {
        return Err(Problem::new(
            Code::InvalidParameter,
            "Credentials do not belong in a URL: logs keep it.",
        ));
    }
    let (client_id, secret) = (members.optional("client_id")?, members.optional("client_secret")?);
    let mut fields = request.headers().get_all(header::AUTHORIZATION);
    let (Some(field), None) = (fields.next(), fields.next()) else {
        if request.headers().contains_key(header::AUTHORIZATION) {
            return Err(Problem::new(Code::InvalidHeader, "There is more than one Authorization header."));
        }
        let both = client_id.zip(secret);
        return Ok(both.map(|(client_id, secret)| Credentials {
            client_id,
            secret: secret.into(),
            in_header: false,
        }));
    };
    if secret.is_some() {
        let sentence = "The client's credentials were sent in the header and in the body.";
        return Err(complaint("client_secret", sentence));
    }
    let sent = field.to_str().ok().and_then(basic);
    // A client may name itself in the body as well (RFC 6749 §3.2.1), but not as somebody else.
    let sent = sent.filter(|(name, _)| client_id.as_ref().is_none_or(|named| named == name));
    let (client_id, secret) = sent.unwrap_or_default();
    Ok(Some(Credentials { client_id, secret: secret.into(), in_header: true }))
}

/// `Basic` with both parts form-encoded before base64, as RFC 6749 §2.3.1 asks. Many libraries leave that out; for what we
/// issue it makes no difference, because it has no character that would change.
fn basic(field: &str) -> Option<(String, String)> {
    let (scheme, encoded) = field.split_once(' ')?;
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    let bytes = is_basic.then(|| STANDARD.decode(encoded.trim()).ok()).flatten()?;
    let text = String::from_utf8(bytes).ok()?;
    let (name, secret) = text.split_once(':')?;
    Some((decoded(name), decoded(secret)))
}

/// One form-encoded value. `=` and `&` do not separate here.
fn decoded(text: &str) -> String {
    let protected = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(protected.as_bytes()).map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::basic;

    #[test]
    fn both_parts_are_form_decoded_after_base64() {
        let sent = |text: &str| basic(&format!("Basic {}", STANDARD.encode(text)));
        let pair = |name: &str, secret: &str| Some((name.to_owned(), secret.to_owned()));
        assert_eq!(sent("client_1:bhs_a-b_c"), pair("client_1", "bhs_a-b_c"));
        assert_eq!(sent("a%3Ab:c%2Bd+e"), pair("a:b", "c+d e"));
        assert_eq!(sent("client%5F1:x:y"), pair("client_1", "x:y"));
        assert_eq!(sent("a&b=c:d=e"), pair("a&b=c", "d=e"));
        assert_eq!(sent(":"), pair("", ""));
        for bad in ["Basic", "Basic !", "Bearer YTpi", "Basic YQ==", "Basic /w=="] {
            assert_eq!(basic(bad), None, "{bad}");
        }
    }
}
