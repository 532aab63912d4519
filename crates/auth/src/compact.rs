//! The outer form of an access token: three parts of base64url, a header, a signature (RFC 7515 §7.1). Written and
//! read here; what the payload claims is read in [`crate::claims`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::json::read_object;
use crate::keys::{SigningKey, VerifyingKey};
use crate::keyset::KeySet;
use crate::token_error::{IssueError, TokenError};

/// Largest token that is looked at, in bytes. Ours are under 2 KiB.
pub(crate) const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The explicit type (RFC 9068 §2.1). It keeps every other JWT that a key of ours may sign from passing as an
/// access token (RFC 8725 §3.11).
const TYPE: &str = "at+jwt";

/// The same type written out in full (RFC 7515 §4.1.9).
const LONG_TYPE: &str = "application/at+jwt";

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'static str,
}

/// Writes and signs a token with these claims.
pub(crate) fn write(key: &SigningKey, claims: &impl Serialize) -> Result<String, IssueError> {
    let header = Header { alg: key.public().algorithm().as_str(), kid: key.public().kid(), typ: TYPE };
    let mut token = base64url(&serde_json::to_vec(&header)?);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// Reads a token whose signature is by one of `keys`: the payload, and the key.
pub(crate) fn read<'k>(
    keys: &'k KeySet,
    token: &str,
) -> Result<(Map<String, Value>, &'k VerifyingKey), TokenError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::TooLarge);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
    let signed = token.get(..header.len() + 1 + payload.len()).ok_or(TokenError::Malformed)?;
    let key = check_header(keys, &decoded(header)?)?;
    // Decoded once more by the verifier; checked here so that a malformed part is not reported as a forgery.
    decoded(signature)?;
    let payload = decoded(payload)?;
    if !key.verifies(signed, signature) {
        return Err(TokenError::BadSignature);
    }
    Ok((read_object(&payload).ok_or(TokenError::BadPayload)?, key))
}

/// Base64url without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Strict: no padding, no other alphabet, no white space, no unused bits set.
fn decoded(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).or(Err(TokenError::Malformed))
}

/// Finds the key that the header names, and checks that the header asks for nothing but that key's own way of
/// signing an access token. `jku`, `jwk`, `x5u` and `x5c` are not looked at (RFC 8725 §3.10).
fn check_header<'k>(keys: &'k KeySet, header: &[u8]) -> Result<&'k VerifyingKey, TokenError> {
    let header = read_object(header).ok_or(TokenError::BadHeader)?;
    let text = |name| header.get(name).and_then(Value::as_str);
    let key = keys.find(text("kid").ok_or(TokenError::NoKeyId)?).ok_or(TokenError::UnknownKey)?;
    if text("alg") != Some(key.algorithm().as_str()) {
        return Err(TokenError::WrongAlgorithm);
    }
    if !matches!(text("typ"), Some(TYPE | LONG_TYPE)) {
        return Err(TokenError::WrongType);
    }
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(TokenError::UnknownExtension);
    }
    Ok(key)
}
