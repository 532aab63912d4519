//! Registering oneself, as far as the tenant allows it. An open tenant answers whoever asks alike, and the difference is in
//! the mail: the answer must not say who is a member. The password is chosen by whoever reads that mail, so that nobody
//! can register a stranger's address with a password of his own.

use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::new_id;
use bulkhead_domain::members::PersonName;
use bulkhead_domain::person::Email;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::credentials::DirectoryEntry;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::accept::{JoinReply, chosen, join};
use super::invitations::Token;
use super::mails;
use crate::auth::BODIES;
use crate::auth::identify::tenant_name;
use crate::auth::password::is_good;
use crate::extract::form::{Members, complaint};
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::respond::{self, Message};
use crate::worker::Worker;

/// The operation.
pub(super) fn endpoint() -> Endpoint {
    let path = "/api/v1/auth/register/";
    Endpoint::new(Method::POST, path, "auth_register_create", Access::Public, register)
        .tag("auth")
        .summary("Register")
        .about(
            "With the token of an invitation: the same as accepting it. Without: only where the tenant is open, and then a mail \
             is sent to the address, with a link with which the password is chosen; the answer does not say whether there is \
             an account already.",
        )
        .tries_credentials()
        .takes::<RegisterRequest>(BODIES)
        .answers::<JoinReply>(201, "The invitation is accepted.", &[])
        .answers::<Message>(202, "A mail is on its way.", &[])
        .refuses(Code::RegistrationClosed)
        .refuses(Code::NotOffered)
        .refuses(Code::Duplicate)
}

/// Who wants to join, and which tenant.
#[derive(Deserialize, ToSchema)]
#[schema(as = Registration)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
struct RegisterRequest {
    /// The e-mail address. Not needed with an invitation.
    #[schema(required = false)]
    email: Option<String>,
    /// The password. Needed with an invitation; without one it is only looked at, and chosen later.
    #[schema(required = false)]
    password: Option<String>,
    /// The first name.
    #[schema(required = false)]
    first_name: Option<String>,
    /// The last name.
    #[schema(required = false)]
    last_name: Option<String>,
    /// The tenant's slug or id. May be left out on a host that belongs to a tenant.
    #[schema(required = false)]
    tenant: Option<String>,
    /// The same, as an older system called it.
    #[schema(required = false)]
    tenant_slug: Option<String>,
    /// The token of an invitation.
    #[schema(required = false)]
    invitation: Option<String>,
    /// The name to log in with, with an invitation. The e-mail address when left out.
    #[schema(required = false)]
    username: Option<String>,
    /// With an invitation, `cookie` for a refresh token in a cookie, out of reach of scripts; `body` otherwise.
    #[schema(required = false)]
    refresh_in: Option<String>,
}

/// `POST /api/v1/auth/register/`
async fn register(request: HttpRequest, worker: Data<Worker>, mut members: Members) -> Outcome<HttpResponse> {
    if let Some(token) = members.optional("invitation")? {
        return join(&request, &worker, &mut members, ("invitation", &token)).await;
    }
    let email: Option<Email> = chosen(&mut members, "email")?;
    let email = email.ok_or_else(|| complaint("email", "This field is required."))?;
    let first_name: PersonName = chosen(&mut members, "first_name")?.unwrap_or_default();
    let last_name: PersonName = chosen(&mut members, "last_name")?.unwrap_or_default();
    let password = members.optional("password")?.map(SecretString::from);
    let name = match members.optional("tenant_slug")? {
        Some(text) => TenantName::from_body(&text),
        None => tenant_name(&request, &mut members)?,
    };

    worker.limits.attempt(&request, email.norm())?;
    let tenant = worker.auth.find_tenant(&name).await?.filter(DirectoryEntry::is_active);
    let tenant = tenant.filter(DirectoryEntry::is_open).ok_or_else(closed)?;
    mails::offered(&worker)?;
    if let Some(password) = &password {
        is_good(&worker, &tenant, (email.as_str(), email.as_str()), ("password", password))?;
    }
    if worker.limits.mail(tenant.id(), email.norm()) {
        ask(&worker, &tenant, &email, (first_name.as_str(), last_name.as_str())).await?;
    }
    let mut response = respond::message("Check your e-mail to go on.")?;
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

/// The one answer where nobody can register, or where there is nothing.
fn closed() -> Problem {
    Problem::new(Code::RegistrationClosed, "Nobody can register here without an invitation.")
}

/// Mails an invitation, or that none is needed.
async fn ask(worker: &Worker, tenant: &DirectoryEntry, email: &Email, names: (&str, &str)) -> Outcome<()> {
    let token = Token::generate(tenant.id(), new_id());
    let asked = worker.auth.ask_to_join(tenant.id(), token.stored(), email, names).await;
    match asked.map_err(Problem::busy_is_unavailable)? {
        None => mails::registration(worker, tenant, email.as_str(), &token.new),
        // To the address as the member has it: another one with the same normal form may be somebody else's mailbox.
        Some(known) => mails::known_already(worker, tenant, &known),
    }
    Ok(())
}
