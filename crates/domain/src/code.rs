//! Every error code that a client can meet, with its HTTP status and its title. A code is a promise: never reuse one,
//! never rename one.

macro_rules! codes {
    ($( $(#[doc = $doc:literal])+ $name:ident = $code:literal, $status:literal, $title:literal; )+) => {
        /// A stable, machine-readable reason for a refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $( $(#[doc = $doc])+ $name, )+ }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$( Self::$name, )+];

            /// The word that stands in the `code` member of a problem document.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$name => $code, )+ }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $( Self::$name => $status, )+ }
            }

            /// The short, fixed summary (RFC 9457 §3.1.3).
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $( Self::$name => $title, )+ }
            }

            /// What it means and what to do about it, as the OpenAPI document says it.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $( Self::$name => concat!($($doc),+), )+ }
            }
        }
    };
}

codes! {
    /// One or more fields of the body are wrong; `errors` says which and why.
    Invalid = "invalid", 400, "Validation failed";
    /// The body is not well-formed JSON, or not the kind of value the operation takes.
    ParseError = "parse_error", 400, "Malformed request";
    /// A query parameter is unknown, given twice, or has a value outside its type or range.
    InvalidParameter = "invalid_parameter", 400, "Invalid query parameter";
    /// The `cursor` was not made by this list, with this ordering, for this tenant. Start again without it.
    InvalidCursor = "invalid_cursor", 400, "Invalid cursor";
    /// A request header (`Idempotency-Key`, `If-Match`) is malformed.
    InvalidHeader = "invalid_header", 400, "Invalid header";
    /// A scope that was asked for is unknown, or more than the client may have.
    InvalidScope = "invalid_scope", 400, "Invalid scope";
    /// The token endpoint knows no such grant; the one for clients is `client_credentials`.
    UnsupportedGrantType = "unsupported_grant_type", 400, "Unsupported grant type";
    /// The `resource` (RFC 8707) is not this API.
    InvalidTarget = "invalid_target", 400, "Invalid target";
    /// The request carries no access token.
    NotAuthenticated = "not_authenticated", 401, "Authentication required";
    /// The credentials are not those of an active account of this tenant.
    AuthenticationFailed = "authentication_failed", 401, "Authentication failed";
    /// The token is malformed, expired, revoked, or not made for this purpose. Refresh or log in again.
    TokenNotValid = "token_not_valid", 401, "Token not valid";
    /// The token is sound but lacks the scope that `WWW-Authenticate` names.
    InsufficientScope = "insufficient_scope", 403, "Insufficient scope";
    /// Nobody can give rights that it does not have itself.
    PermissionDenied = "permission_denied", 403, "Permission denied";
    /// The credentials are right, but the tenant is suspended.
    TenantInactive = "tenant_inactive", 403, "Tenant inactive";
    /// There is nothing here, or it belongs to somebody else: the two are answered alike.
    NotFound = "not_found", 404, "Not found";
    /// The path exists but not with this method; `Allow` lists the methods.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// The body did not arrive within the time allowed.
    RequestTimeout = "request_timeout", 408, "Request timeout";
    /// Another row of this tenant already has this value; `errors` names the field.
    Duplicate = "duplicate", 409, "Already exists";
    /// Another request holds what this one needs (the same row, or the same `Idempotency-Key`). Try again shortly.
    Conflict = "conflict", 409, "Conflict";
    /// Other rows refer to this one, and are not deleted with it. Change or delete them first.
    InUse = "in_use", 409, "In use";
    /// The secret was used lately, or is the only one. Retire it with `force` if it must be.
    SecretInUse = "secret_in_use", 409, "Secret in use";
    /// The row was changed since the version that `If-Match` names. Fetch it again.
    Stale = "stale", 412, "Precondition failed";
    /// The body is larger than the operation allows.
    TooLarge = "too_large", 413, "Content too large";
    /// The path or the query is longer than any operation needs.
    UriTooLong = "uri_too_long", 414, "URI too long";
    /// The `Content-Type` is not one that the operation takes.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported media type";
    /// This `Idempotency-Key` was used for a different request. Use a new key.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "Idempotency key reused";
    /// Too many requests; `Retry-After` says how long to wait.
    Throttled = "throttled", 429, "Too many requests";
    /// A defect of the server. The `correlation_id` finds it in the logs.
    InternalError = "internal_error", 500, "Internal server error";
    /// The database is away, busy, or the deadline passed. Nothing is known to have changed; try again after `Retry-After`.
    Unavailable = "unavailable", 503, "Service unavailable";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Code;

    #[test]
    fn no_two_codes_share_a_word_and_every_status_is_an_error() {
        let words: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| (400..600).contains(&code.status())));
    }
}
