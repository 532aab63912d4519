//! Log-in and sessions over HTTP, and the older systems' token endpoints for clients.

pub(crate) mod account;
pub(crate) mod api_client;
pub(crate) mod attempt;
mod cookie;
mod factor;
pub(crate) mod identify;
mod links;
pub(crate) mod login;
pub(crate) mod password;
pub(crate) mod refresh;
pub(crate) mod reply;
mod second_factor;
mod sessions;

use actix_web::http::Method;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::{TenantId, UserId};

use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

pub(crate) const BODIES: &[&str] =
    &["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = of_people();
    endpoints.extend(sessions::endpoints());
    endpoints.extend(password::endpoints());
    endpoints.extend(second_factor::endpoints());
    endpoints.extend(links::endpoints());
    endpoints.extend(account::endpoints());
    endpoints.extend(api_client::endpoints());
    endpoints
}

/// Ends every link of an account, with the sessions that they opened.
pub(crate) async fn end_links(worker: &Worker, tenant: TenantId, user: UserId) -> Outcome<()> {
    let ended = worker.auth.end_links(tenant, user).await.map_err(Problem::busy_is_unavailable)?;
    ended.into_iter().for_each(|ended| worker.state.revoke(ended));
    Ok(())
}

fn of_people() -> Vec<Endpoint> {
    let login = |path: &'static str, id: &'static str| {
        Endpoint::new(Method::POST, path, id, Access::Public, login::log_in)
            .tag("auth")
            .summary("Log a person in")
            .about(
                "The tenant is named by `tenant` (slug or id), or by the host that the request is sent to.",
            )
            .takes::<login::LoginRequest>(BODIES)
            .answers::<reply::TokenReply>(200, "An access token and a refresh token.", &[])
            .tries_credentials()
            .refuses(Code::AuthenticationFailed)
            .refuses(Code::TenantInactive)
            .refuses(Code::SecondFactorRequired)
    };
    vec![
        login("/api/v1/auth/token/", "auth_token_create"),
        login("/api/v1/auth/login/", "auth_login_create"),
        Endpoint::new(
            Method::POST,
            "/api/v1/auth/token/refresh/",
            "auth_token_refresh_create",
            Access::Public,
            refresh::refresh,
        )
        .tag("auth")
        .summary("Exchange a refresh token")
        .about(
            "The presented token is used up. Presented again within 10 seconds it gives the same successor; \
                    after that the whole session ends, because two parties hold it.",
        )
        .tries_credentials()
        .takes::<refresh::RefreshRequest>(BODIES)
        .answers::<reply::TokenReply>(200, "A new access token and a new refresh token.", &[])
        .refuses(Code::PermissionDenied)
        .refuses(Code::TokenNotValid),
    ]
}
