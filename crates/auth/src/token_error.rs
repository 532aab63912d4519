//! Why an access token was refused or could not be made. For logs and metrics: the client is told `token_not_valid`
//! and no more. No variant holds text from the token, which may be a working secret of somebody else's.

use crate::key_error::KeyError;

/// Why an access token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenError {
    /// More than 8 KiB. Nothing of it was looked at.
    #[error("the token is larger than 8 KiB")]
    TooLarge,
    /// Not three parts of strict base64url.
    #[error("the token is not a compact JWS")]
    Malformed,
    /// The header is not a JSON object, or a member stands twice in it.
    #[error("the header is not a JSON object with unique members")]
    BadHeader,
    /// No `kid`, or none that is a text.
    #[error("the header names no key")]
    NoKeyId,
    /// The key is none of ours, or no longer.
    #[error("the key is unknown")]
    UnknownKey,
    /// `alg` is not the key's algorithm.
    #[error("the algorithm is not the key's")]
    WrongAlgorithm,
    /// `typ` is not that of an access token (RFC 9068 §4).
    #[error("the type is not at+jwt")]
    WrongType,
    /// `crit` or `b64` is present. No extension is understood (RFC 7515 §4.1.11).
    #[error("the header demands an extension")]
    UnknownExtension,
    /// The signature is not the key's for this header and payload.
    #[error("the signature does not verify")]
    BadSignature,
    /// The payload is not a JSON object, or a member stands twice in it.
    #[error("the payload is not a JSON object with unique members")]
    BadPayload,
    /// A claim is absent.
    #[error("the claim {0} is missing")]
    MissingClaim(&'static str),
    /// A claim has the wrong type, or a value that it cannot have.
    #[error("the claim {0} is malformed")]
    MalformedClaim(&'static str),
    /// Issued by somebody else.
    #[error("the issuer is another")]
    WrongIssuer,
    /// Made for somebody else.
    #[error("the audience is another")]
    WrongAudience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `token_type` is not `access`.
    #[error("the token is not an access token")]
    NotAccessToken,
    /// Two claims that must say the same do not.
    #[error("the claim {0} contradicts another")]
    Contradiction(&'static str),
    /// It speaks of a kind of principal that is not known.
    #[error("the kind of principal is unknown")]
    UnknownPrincipal,
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The claims could not be written.
    #[error("the claims could not be written as JSON")]
    Encoding(#[from] serde_json::Error),
    /// Signing failed.
    #[error("the token could not be signed")]
    Signing(#[from] KeyError),
    /// The clock or the life-time is beyond any calendar.
    #[error("the token's times are out of range")]
    OutOfRange,
}

/// Why settings for tokens are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A verifier without it would take anybody's tokens.
    #[error("the tokens' issuer is empty")]
    NoIssuer,
    /// A verifier without it would take tokens that were made for others.
    #[error("the tokens' audience is empty")]
    NoAudience,
    /// Less than a second, or more than a day.
    #[error("access tokens must live between one second and one day")]
    Lifetime,
    /// More leeway than clocks that are kept right can need.
    #[error("the leeway for access tokens must not exceed 30 seconds")]
    Leeway,
}
