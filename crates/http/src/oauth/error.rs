//! Errors of the `/oauth/` endpoints in the form of RFC 6749 §5.2. The refusals themselves are [`Problem`]s as everywhere.

use bulkhead_domain::code::Code;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// Paths whose errors have this form.
const PREFIX: &str = "/oauth/";

/// An error as OAuth 2 libraries read it.
#[derive(Serialize, ToSchema)]
#[schema(as = OauthError)]
pub(crate) struct OauthError<'a> {
    /// The error's word.
    error: &'static str,
    /// What was wrong with this request.
    error_description: String,
    /// Finds this request in the logs.
    correlation_id: &'a str,
}

/// Whether errors on this path have this form.
pub(crate) fn applies_to(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// The word for a code. Of the words that RFC 6749 §4.1.2.1 has for trouble on the server's side, libraries know these.
pub(crate) const fn word(code: Code) -> &'static str {
    match code {
        Code::AuthenticationFailed => "invalid_client",
        Code::InvalidScope => "invalid_scope",
        Code::UnsupportedGrantType => "unsupported_grant_type",
        Code::InvalidTarget => "invalid_target",
        Code::Throttled | Code::Unavailable => "temporarily_unavailable",
        Code::InternalError => "server_error",
        _ => "invalid_request",
    }
}

/// The longest description, in characters: some repeat what the client sent, which may be long.
const LONGEST_DESCRIPTION: usize = 300;

/// Writes a refusal in this form. The description keeps to the characters that RFC 6749 §5.2 allows.
pub(crate) fn document(problem: &Problem, correlation_id: &str) -> Vec<u8> {
    let allowed = |c: char| if matches!(c, ' '..='~') && c != '"' && c != '\\' { c } else { '\'' };
    let error = OauthError {
        error: word(problem.code),
        error_description: problem.sentence().chars().take(LONGEST_DESCRIPTION).map(allowed).collect(),
        correlation_id,
    };
    serde_json::to_vec(&error).unwrap_or_default()
}
