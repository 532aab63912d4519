//! The standard side of machine clients: the token endpoint and its companions as OAuth 2 libraries expect them (RFC 6749,
//! 7009, 7662), and what they discover (RFC 8414, 7517, 9728).

pub(crate) mod credentials;
pub(crate) mod discovery;
pub(crate) mod error;
pub(crate) mod grant;
pub(crate) mod introspect;
pub(crate) mod proof;
pub(crate) mod revoke;
pub(crate) mod token;

use actix_web::http::Method;
use bulkhead_domain::code::Code;

use crate::operation::{Access, Endpoint};

const FORM: &[&str] = &["application/x-www-form-urlencoded"];
const SEND_CREDENTIALS: &str = "The client proves itself with HTTP Basic (client_secret_basic) or with `client_id` and \
                                `client_secret` in the form (client_secret_post), not with both.";

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let post = |path: &'static str, id: &'static str| (path, id);
    let (token, token_id) = post("/oauth/token", "oauth_token");
    let (introspect, introspect_id) = post("/oauth/introspect", "oauth_introspect");
    let (revoke, revoke_id) = post("/oauth/revoke", "oauth_revoke");
    let mut endpoints = vec![
        Endpoint::new(Method::POST, token, token_id, Access::Public, token::token)
            .tries_credentials()
            .tag("oauth")
            .summary("Get an access token (client credentials)")
            .about(SEND_CREDENTIALS)
            .takes::<token::TokenRequest>(FORM)
            .answers::<token::OauthToken>(200, "An access token.", &[])
            .refuses(Code::AuthenticationFailed),
        Endpoint::new(Method::POST, introspect, introspect_id, Access::Public, introspect::introspect)
            .tries_credentials()
            .tag("oauth")
            .summary("Ask about a token of the client's tenant (RFC 7662)")
            .about(SEND_CREDENTIALS)
            .takes::<introspect::IntrospectionRequest>(FORM)
            .answers::<introspect::Introspection>(200, "What is known; `active` alone when it is not valid.", &[])
            .refuses(Code::AuthenticationFailed),
        Endpoint::new(Method::POST, revoke, revoke_id, Access::Public, revoke::revoke)
            .tries_credentials()
            .tag("oauth")
            .summary("End a token of this client (RFC 7009)")
            .about(
                "Answers 200 whatever the token is. A token of somebody else is left alone: to say so would tell that it \
                 is one.",
            )
            .takes::<introspect::IntrospectionRequest>(FORM)
            .answers_plainly(200, "Whatever it was, it is no token of this client now.", None)
            .refuses(Code::AuthenticationFailed),
    ];
    endpoints.extend(discovery::endpoints());
    endpoints
}
