//! Accepting an invitation: whoever holds its token chooses a password and is a member, logged in.

use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::one_time::{OneTimeToken, Purpose};
use bulkhead_domain::code::Code;
use bulkhead_domain::field::Field;
use bulkhead_domain::members::PersonName;
use bulkhead_domain::person::Username;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::credentials::{Account, DirectoryEntry};
use bulkhead_persistence::error::DbError;
use bulkhead_persistence::joining::{Joiner, OpenInvitation};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::refused;
use crate::auth::BODIES;
use crate::auth::attempt::origin;
use crate::auth::password::{hash, is_good};
use crate::auth::reply::{Keeping, TokenReply, with_tokens};
use crate::extract::form::{Members, complaint};
use crate::operation::{Access, Endpoint};
use crate::problem::{Outcome, Problem};
use crate::session::{Session, open_session};
use crate::worker::Worker;

/// The operation.
pub(super) fn endpoint() -> Endpoint {
    let path = "/api/v1/auth/invitations/accept/";
    Endpoint::new(Method::POST, path, "auth_invitations_accept_create", Access::Public, accept)
        .tag("auth")
        .summary("Accept an invitation")
        .about("The token is used up, and the person is logged in. The user name is the e-mail address unless another is given.")
        .tries_credentials()
        .takes::<AcceptRequest>(BODIES)
        .answers::<JoinReply>(201, "The person is a member, with its first pair of tokens.", &[])
        .refuses(Code::Duplicate)
}

/// An invitation's token, and what the person chooses.
#[derive(Deserialize, ToSchema)]
#[schema(as = InvitationAcceptance)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
struct AcceptRequest {
    /// The token from the mail.
    token: String,
    /// The password.
    password: String,
    /// The name to log in with. The e-mail address when left out.
    #[schema(required = false)]
    username: Option<String>,
    /// The first name. What the invitation says when left out.
    #[schema(required = false)]
    first_name: Option<String>,
    /// The last name. What the invitation says when left out.
    #[schema(required = false)]
    last_name: Option<String>,
    /// `cookie` for a refresh token in a cookie, out of reach of scripts; `body` otherwise.
    #[schema(required = false)]
    refresh_in: Option<String>,
}

/// A new member with its first pair of tokens.
#[derive(Serialize, ToSchema)]
pub(super) struct JoinReply {
    #[serde(flatten)]
    tokens: TokenReply,
    /// The new member.
    user: NewMember,
}

/// A new member.
#[derive(Serialize, ToSchema)]
struct NewMember {
    /// The id.
    id: Uuid,
    /// The e-mail address.
    email: String,
    /// The first name.
    first_name: String,
    /// The last name.
    last_name: String,
}

/// `POST /api/v1/auth/invitations/accept/`
async fn accept(request: HttpRequest, worker: Data<Worker>, mut members: Members) -> Outcome<HttpResponse> {
    let token = members.required("token")?;
    join(&request, &worker, &mut members, ("token", &token)).await
}

/// Makes a member of whoever holds the token, which stands in the member `field`.
pub(super) async fn join(
    request: &HttpRequest,
    worker: &Data<Worker>,
    members: &mut Members,
    (field, token): (&str, &str),
) -> Outcome<HttpResponse> {
    let password = SecretString::from(members.required("password")?);
    let username: Option<Username> = chosen(members, "username")?;
    let first_name: Option<PersonName> = chosen(members, "first_name")?;
    let last_name: Option<PersonName> = chosen(members, "last_name")?;
    let keeping = Keeping::read(request, worker, members)?;

    let over =
        || complaint(field, "This invitation was used or revoked, has expired, or is not one of ours.");
    let token = OneTimeToken::parse(Purpose::Invitation, token).ok_or_else(over)?;
    let digest = token.digest();
    let (tenant, invitation) = find(worker, &token).await?.ok_or_else(over)?;
    let username = username.or_else(|| Username::parse(&invitation.email).ok());
    let username = username.ok_or_else(|| complaint("username", "This field is required."))?;
    is_good(worker, &tenant, (username.as_str(), &invitation.email), ("password", &password))?;
    // Only now: whoever has no sound token makes the server do no work.
    let password_hash = hash(worker, password).await?.into();
    let joiner = Joiner {
        username,
        first_name: first_name.map_or(invitation.first_name, Field::into_column),
        last_name: last_name.map_or(invitation.last_name, Field::into_column),
        password_hash,
    };
    let accepted = worker.auth.accept_invitation(tenant.id(), token.id(), digest.as_bytes(), &joiner).await;
    let account = accepted.map_err(|error| match error {
        DbError::NotFound => over(),
        DbError::Busy(why) => Problem::unavailable(&why),
        other => refused(other),
    })?;
    let lifetime = worker.services.refresh.lifetime;
    let origin = origin(worker, request);
    let session = open_session(&worker.auth, &worker.tokens(), lifetime, &tenant, &account, &origin).await?;
    Ok(welcome(&session, keeping, &account))
}

/// The tenant and the invitation that a token belongs to, if both allow it.
async fn find(worker: &Worker, token: &OneTimeToken) -> Outcome<Option<(DirectoryEntry, OpenInvitation)>> {
    let (tenant, digest) = (token.tenant(), token.digest());
    let entry = worker.auth.find_tenant(&TenantName::Id(tenant)).await?;
    let Some(entry) = entry.filter(DirectoryEntry::is_active) else { return Ok(None) };
    let invitation = worker.auth.open_invitation(tenant, token.id(), digest.as_bytes()).await?;
    // Whoever closes a tenant closes it to those too who have asked already.
    let counts = |invitation: &OpenInvitation| !invitation.is_asked_for() || entry.is_open();
    Ok(invitation.filter(counts).map(|invitation| (entry, invitation)))
}

/// A member of the body as a field, when it is there.
pub(super) fn chosen<T: Field>(members: &mut Members, name: &str) -> Outcome<Option<T>> {
    let Some(text) = members.optional(name)? else { return Ok(None) };
    T::parse(Value::String(text)).map(Some).map_err(|sentence| complaint(name, &sentence))
}

/// 201 with tokens, which nobody may keep.
fn welcome(session: &Session, keeping: Keeping, account: &Account) -> HttpResponse {
    let user = NewMember {
        id: account.id().uuid(),
        email: account.email.clone(),
        first_name: account.first_name.clone(),
        last_name: account.last_name.clone(),
    };
    let reply = JoinReply { tokens: TokenReply::of(session, keeping), user };
    with_tokens(StatusCode::CREATED, session, keeping, &reply)
}
