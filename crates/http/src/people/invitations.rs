//! Invitations over HTTP, for the tenant's administrators. The token is in the mail alone, never in an answer.

use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::one_time::{self, NewOneTimeToken, Purpose};
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::{TenantId, new_id};
use bulkhead_domain::invitations::InvitationFields;
use bulkhead_domain::scope::Action;
use bulkhead_persistence::error::DbResult;
use bulkhead_persistence::idempotency::{Once, RetryKey};
use bulkhead_persistence::tenant_db::WriteTx;
use bulkhead_persistence::{Invitation, Invitations, NewInvitation};
use uuid::Uuid;

use super::{home, mails, refused};
use crate::context::TenantCtx;
use crate::extract::body::Body;
use crate::extract::id::PathId;
use crate::extract::precondition::IfMatch;
use crate::extract::retry::IdempotencyKey;
use crate::operation::Endpoint;
use crate::problem::Outcome;
use crate::resource::{IF_MATCH, JSON, TAG, collection, endpoint, list_of, member};
use crate::respond;
use crate::worker::Worker;

const RETRY: &str = "A name for this attempt, so that a retry does not mail twice.";

/// The operations.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let (one, all) = (member::<Invitations>, collection::<Invitations>);
    vec![
        list_of::<Invitations>(),
        endpoint::<Invitations, _, _>(Method::POST, all(), "create", Action::Write, create)
            .summary("Invite somebody")
            .about(
                "Mails a link, good for 7 days, once. Open invitations of the same address are revoked. The role is never \
                 above that of whoever invites.",
            )
            .header("Idempotency-Key", RETRY)
            .takes::<InvitationFields>(JSON)
            .answers::<Invitation>(201, "Invited.", &[TAG, ("Location", "Where the new invitation is.")])
            .refuses(Code::PermissionDenied)
            .refuses(Code::NotOffered)
            .refuses(Code::Duplicate)
            .refuses(Code::IdempotencyKeyReused),
        endpoint::<Invitations, _, _>(Method::GET, one(), "retrieve", Action::Read, retrieve)
            .summary("Get an invitation")
            .header("If-None-Match", "Answer 304 if the invitation still has this entity tag.")
            .answers::<Invitation>(200, "The invitation.", &[TAG])
            .answers_plainly(304, "The client has it already.", None),
        endpoint::<Invitations, _, _>(Method::DELETE, one(), "destroy", Action::Delete, destroy)
            .summary("Revoke an invitation")
            .about("It stays in the list, as revoked.")
            .header("If-Match", IF_MATCH)
            .answers_plainly(204, "Revoked.", None)
            .refuses(Code::PermissionDenied)
            .refuses(Code::Conflict)
            .refuses(Code::Stale),
        endpoint::<Invitations, _, _>(Method::POST, one() + "resend/", "resend_create", Action::Write, resend)
            .summary("Send an invitation again")
            .about("With another link, good for another 7 days. The link before no longer works.")
            .header("Idempotency-Key", RETRY)
            .answers::<Invitation>(200, "Sent.", &[TAG])
            .refuses(Code::PermissionDenied)
            .refuses(Code::NotOffered)
            .refuses(Code::Conflict)
            .refuses(Code::IdempotencyKeyReused),
    ]
}

/// `POST /api/v1/invitations/`
async fn create(
    ctx: TenantCtx,
    worker: Data<Worker>,
    key: IdempotencyKey,
    body: Body<InvitationFields>,
) -> Outcome<HttpResponse> {
    let Body { fields, bytes } = body;
    let token = Token::generate(ctx.principal().tenant, new_id());
    let (key, new) = (key.for_body(&bytes), token.stored());
    let deed = async |tx: &mut WriteTx<'_>| Invitations::create(tx, new, fields).await;
    invite(&ctx, &worker, (key.as_ref(), StatusCode::CREATED), &token, deed).await
}

/// `GET /api/v1/invitations/{id}/`
async fn retrieve(ctx: TenantCtx, id: PathId, request: HttpRequest) -> Outcome<HttpResponse> {
    respond::row(&request, &Invitations::get(ctx.db(), id.0).await.map_err(refused)?)
}

/// `DELETE /api/v1/invitations/{id}/`
async fn destroy(ctx: TenantCtx, id: PathId, expected: IfMatch) -> Outcome<HttpResponse> {
    let revoked = ctx.db().write(async |tx| Invitations::revoke(tx, id.0, expected.0).await).await;
    revoked.map_err(refused)?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/v1/invitations/{id}/resend/`
async fn resend(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    key: IdempotencyKey,
) -> Outcome<HttpResponse> {
    let token = Token::generate(ctx.principal().tenant, id.0);
    let (key, new) = (key.for_body(b""), token.stored());
    let deed = async |tx: &mut WriteTx<'_>| Invitations::renew(tx, new).await;
    invite(&ctx, &worker, (key.as_ref(), StatusCode::OK), &token, deed).await
}

/// A token with the invitation that it belongs to.
pub(super) struct Token {
    id: Uuid,
    pub(super) new: NewOneTimeToken,
    digest: [u8; 32],
}

impl Token {
    /// Makes one.
    pub(super) fn generate(tenant: TenantId, id: Uuid) -> Self {
        let new = one_time::generate(Purpose::Invitation, tenant, id);
        let digest = *new.digest.as_bytes();
        Self { id, new, digest }
    }

    /// What is stored of it.
    pub(super) fn stored(&self) -> NewInvitation<'_> {
        NewInvitation { id: self.id, digest: &self.digest, expires_at: mails::end() }
    }
}

/// Does a deed that makes a token count, once under a key if there is one, and mails the token when it does.
async fn invite(
    ctx: &TenantCtx,
    worker: &Worker,
    (key, status): (Option<&RetryKey>, StatusCode),
    token: &Token,
    deed: impl AsyncFnOnce(&mut WriteTx<'_>) -> DbResult<Invitation>,
) -> Outcome<HttpResponse> {
    mails::offered(worker)?;
    let tenant = home(ctx, worker).await?;
    let mut made = None;
    let once = ctx.db().write_once(key, async |tx| {
        let invitation = deed(tx).await?;
        let is_new = status == StatusCode::CREATED;
        let location = is_new.then(|| format!("{}{}/", collection::<Invitations>(), invitation.id));
        let reply = respond::reply(status, &invitation, location)?;
        made = Some(invitation);
        Ok(reply)
    });
    let once = once.await.map_err(refused)?;
    if let (Once::First(_), Some(invitation)) = (&once, made) {
        mails::invitation(worker, &tenant, &invitation.email, &token.new);
    }
    Ok(respond::once(once))
}
