//! Members over HTTP, for the tenant's administrators. The rules on who may do what to whom are asked in `persistence`,
//! within the transaction of the deed.

use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::one_time::{self, Purpose};
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::{UserId, new_id};
use bulkhead_domain::members::{MemberFields, MemberPatch, MemberStatus};
use bulkhead_domain::scope::Action;
use bulkhead_persistence::credentials::DirectoryEntry;
use bulkhead_persistence::idempotency::{Once, RetryKey};
use bulkhead_persistence::password_resets::NewReset;
use bulkhead_persistence::{Member, MemberChange, Members};

use super::{home, mails, refused};
use crate::context::TenantCtx;
use crate::extract::body::Body;
use crate::extract::id::PathId;
use crate::extract::precondition::IfMatch;
use crate::extract::retry::IdempotencyKey;
use crate::operation::Endpoint;
use crate::problem::Outcome;
use crate::resource::{IF_MATCH, JSON, MERGE_PATCH, TAG, collection, endpoint, list_of, member};
use crate::respond;
use crate::worker::Worker;

const RETRY: &str = "A name for this attempt, so that a retry does the work once.";

/// The operations.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let (one, all) = (member::<Members>, collection::<Members>);
    let mut endpoints = vec![
        list_of::<Members>(),
        endpoint::<Members, _, _>(Method::POST, all(), "create", Action::Write, create)
            .summary("Add a user")
            .about("Without a password: a link is mailed with which the person sets one, good for 7 days.")
            .header("Idempotency-Key", RETRY)
            .takes::<MemberFields>(JSON)
            .answers::<Member>(201, "Added.", &[TAG, ("Location", "Where the new user is.")])
            .refuses(Code::PermissionDenied)
            .refuses(Code::NotOffered)
            .refuses(Code::Duplicate)
            .refuses(Code::IdempotencyKeyReused),
        endpoint::<Members, _, _>(Method::GET, one(), "retrieve", Action::Read, retrieve)
            .summary("Get a user")
            .header("If-None-Match", "Answer 304 if the user still has this entity tag.")
            .answers::<Member>(200, "The user.", &[TAG])
            .answers_plainly(304, "The client has it already.", None),
        endpoint::<Members, _, _>(Method::PATCH, one(), "partial_update", Action::Write, partial_update)
            .summary("Change a user")
            .about(
                "A merge patch (RFC 7396). With another role the user's access tokens end, and its sessions go on with the \
                 new one. Nobody changes a role above the own, or the own.",
            )
            .header("If-Match", IF_MATCH)
            .takes::<MemberPatch>(MERGE_PATCH)
            .answers::<Member>(200, "The user after the change.", &[TAG])
            .refuses(Code::PermissionDenied)
            .refuses(Code::Duplicate)
            .refuses(Code::LastOwner)
            .refuses(Code::Stale),
        endpoint::<Members, _, _>(Method::DELETE, one(), "destroy", Action::Delete, destroy)
            .summary("Delete a user")
            .about("Its sessions and tokens end at once. Refused while other rows name it; deactivate it then.")
            .header("If-Match", IF_MATCH)
            .answers_plainly(204, "Deleted.", None)
            .refuses(Code::PermissionDenied)
            .refuses(Code::LastOwner)
            .refuses(Code::InUse)
            .refuses(Code::Stale),
    ];
    endpoints.extend(deeds());
    endpoints
}

fn deeds() -> [Endpoint; 2] {
    let one = member::<Members>;
    [
        endpoint::<Members, _, _>(
            Method::POST,
            one() + "deactivate/",
            "deactivate_create",
            Action::Write,
            deactivate,
        )
        .summary("Deactivate a user")
        .about("Its sessions and tokens end at once, and it cannot log in until it is activated.")
        .header("Idempotency-Key", RETRY)
        .answers::<Member>(200, "The user, disabled.", &[TAG])
        .refuses(Code::PermissionDenied)
        .refuses(Code::LastOwner)
        .refuses(Code::IdempotencyKeyReused),
        endpoint::<Members, _, _>(
            Method::POST,
            one() + "activate/",
            "activate_create",
            Action::Write,
            activate,
        )
        .summary("Activate a user")
        .header("Idempotency-Key", RETRY)
        .answers::<Member>(200, "The user, active.", &[TAG])
        .refuses(Code::PermissionDenied)
        .refuses(Code::Conflict)
        .refuses(Code::IdempotencyKeyReused),
    ]
}

/// `POST /api/v1/users/`
async fn create(
    ctx: TenantCtx,
    worker: Data<Worker>,
    key: IdempotencyKey,
    body: Body<MemberFields>,
) -> Outcome<HttpResponse> {
    mails::offered(&worker)?;
    let Body { fields, bytes } = body;
    let (tenant, key, id) = (home(&ctx, &worker).await?, key.for_body(&bytes), UserId::generate());
    let mut made = None;
    let once = ctx.db().write_once(key.as_ref(), async |tx| {
        let member = Members::create(tx, id, fields).await?;
        let location = format!("{}{}/", collection::<Members>(), member.id);
        let reply = respond::reply(StatusCode::CREATED, &member, Some(location))?;
        made = Some(member);
        Ok(reply)
    });
    let once = once.await.map_err(refused)?;
    if let (Once::First(_), Some(member)) = (&once, made.filter(|member| member.is_active)) {
        welcome(&worker, &tenant, &member).await;
    }
    Ok(respond::once(once))
}

/// Mails a link with which the person sets its first password. The account is made by now, whatever becomes of the mail: the
/// person can ask for another.
async fn welcome(worker: &Worker, tenant: &DirectoryEntry, member: &Member) {
    let (id, user) = (new_id(), UserId::from_uuid(member.id));
    let token = one_time::generate(Purpose::PasswordReset, tenant.id(), id);
    let new = NewReset { id, digest: token.digest.as_bytes(), expires_at: mails::end() };
    match worker.auth.store_password_reset(tenant.id(), user, new).await {
        Ok(()) => mails::welcome(worker, tenant, (&member.email, &member.username), &token),
        Err(error) => tracing::warn!(%error, user = %member.id, "a new user was not told of its account"),
    }
}

/// `GET /api/v1/users/{id}/`
async fn retrieve(ctx: TenantCtx, id: PathId, request: HttpRequest) -> Outcome<HttpResponse> {
    respond::row(&request, &Members::get(ctx.db(), id.0).await.map_err(refused)?)
}

/// `PATCH /api/v1/users/{id}/`
async fn partial_update(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    expected: IfMatch,
    body: Body<MemberPatch>,
) -> Outcome<HttpResponse> {
    change(&ctx, &worker, id, (None, expected), body.fields).await
}

/// `POST /api/v1/users/{id}/deactivate/`
async fn deactivate(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    key: IdempotencyKey,
) -> Outcome<HttpResponse> {
    set_status(&ctx, &worker, id, key, MemberStatus::Disabled).await
}

/// `POST /api/v1/users/{id}/activate/`
async fn activate(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    key: IdempotencyKey,
) -> Outcome<HttpResponse> {
    set_status(&ctx, &worker, id, key, MemberStatus::Active).await
}

async fn set_status(
    ctx: &TenantCtx,
    worker: &Worker,
    id: PathId,
    key: IdempotencyKey,
    status: MemberStatus,
) -> Outcome<HttpResponse> {
    let patch = MemberPatch { status: Some(status), ..MemberPatch::default() };
    let key = key.for_body(b"");
    change(ctx, worker, id, (key.as_ref(), IfMatch(None)), patch).await
}

/// Changes a person, once under a key if there is one, and ends what must not outlive the change.
async fn change(
    ctx: &TenantCtx,
    worker: &Worker,
    id: PathId,
    (key, expected): (Option<&RetryKey>, IfMatch),
    patch: MemberPatch,
) -> Outcome<HttpResponse> {
    let (tenant, user) = (ctx.principal().tenant, UserId::from_uuid(id.0));
    let (mut over, mut leaves, mut former) = (None, false, None);
    let once = ctx.db().write_once(key, async |tx| {
        let MemberChange { member, ended, outdates_mail, former_email } =
            Members::change(tx, id.0, expected.0, patch).await?;
        if outdates_mail {
            // Before the change counts: afterwards it could fail, and a link in a stranger's mailbox would still work.
            worker.auth.forget_mailed_tokens(tenant, user).await?;
        }
        (over, leaves) = (ended, ended.is_some() && !member.is_active);
        former = former_email.map(|email| (email, member.username.clone()));
        respond::reply(StatusCode::OK, &member, None)
    });
    let once = once.await.map_err(refused)?;
    over.into_iter().for_each(|ended| worker.state.revoke(ended));
    if let (Once::First(_), Some((email, username))) = (&once, former) {
        // Made already, whatever becomes of the mail.
        match home(ctx, worker).await {
            Ok(tenant) => mails::address_changed(worker, &tenant, (&email, &username)),
            Err(error) => tracing::warn!(%error, "nobody was told of another address"),
        }
    }
    if leaves {
        // A link of a person who left holds no longer; to end it as well is to end at once what it opened elsewhere.
        match worker.auth.end_links(tenant, user).await {
            Ok(ended) => ended.into_iter().for_each(|ended| worker.state.revoke(ended)),
            Err(error) => tracing::warn!(%error, "links of a person who left end with their next refresh"),
        }
    }
    Ok(respond::once(once))
}

/// `DELETE /api/v1/users/{id}/`
async fn destroy(
    ctx: TenantCtx,
    worker: Data<Worker>,
    id: PathId,
    expected: IfMatch,
) -> Outcome<HttpResponse> {
    let (tenant, user) = (ctx.principal().tenant, UserId::from_uuid(id.0));
    // Looked at before, because they go with the person.
    let links = worker.auth.halves(tenant, user).await?;
    let ended = ctx.db().write(async |tx| Members::remove(tx, id.0, expected.0).await).await;
    worker.state.revoke(ended.map_err(refused)?);
    for link in links {
        match worker.auth.end_link(tenant, &link).await {
            Ok(ended) => ended.into_iter().for_each(|ended| worker.state.revoke(ended)),
            Err(error) => tracing::warn!(%error, "a link of a person who left ends with its next refresh"),
        }
    }
    Ok(HttpResponse::NoContent().finish())
}
