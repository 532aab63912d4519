//! Joining a tenant with a mailed token: finding the invitation, becoming a member by it, and asking for one where the
//! tenant is open. It runs as the role that may write credentials, because nobody has proved more than that it reads the
//! address's mail.

use bulkhead_domain::ids::{TenantId, UserId};
use bulkhead_domain::person::{Email, Username};
use diesel::dsl::now;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Text, Timestamptz, Uuid as SqlUuid};
use futures_util::future::try_join;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use uuid::Uuid;

use crate::audit::Actor;
use crate::block;
use crate::credentials::{Account, AuthDb};
use crate::error::{DbError, DbResult};
use crate::invitations::{NewInvitation, revoked};
use crate::kept::kept;
use crate::schema::{invitations, user_credentials, users};
use crate::write::{WriteTx, write};

/// An invitation that can be accepted.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = invitations, check_for_backend(Pg))]
pub struct OpenInvitation {
    /// The address that was invited.
    pub email: String,
    email_norm: String,
    /// The first name that the inviter wrote.
    pub first_name: String,
    /// The last name that the inviter wrote.
    pub last_name: String,
    role: String,
    invited_by: Option<Uuid>,
}

impl OpenInvitation {
    /// Whether nobody invites but whoever registered: that counts only while the tenant is open.
    #[must_use]
    pub const fn is_asked_for(&self) -> bool {
        self.invited_by.is_none()
    }
}

/// Whoever accepts.
pub struct Joiner {
    /// The name to log in with.
    pub username: Username,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The password's hash, in PHC form.
    pub password_hash: SecretString,
}

/// Asks for an invitation where nobody knows the address, and for nothing where somebody does. Both write as much.
const ASK: &str = "INSERT INTO invitations (tenant_id, id, email, email_norm, first_name, last_name, role, token_hash, expires_at) \
                   SELECT $1, $2, $3, $4, $5, $6, 'member', $7, $8 \
                   WHERE NOT EXISTS (SELECT FROM users WHERE tenant_id = $1 AND email_norm = $4)";

/// Removes what was asked for and not accepted in time: some, so that whoever pays for it does not wait, and more than one, so
/// that there are never more than were asked for within the lifetime of one.
const SWEEP: &str = "DELETE FROM invitations WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM invitations \
                     WHERE tenant_id = $1 AND status <> 'accepted' AND invited_by IS NULL AND expires_at < now() \
                     LIMIT 20 FOR UPDATE SKIP LOCKED)";

impl AuthDb {
    /// The invitation that a token belongs to, if it can still be accepted.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_invitation(
        &self,
        tenant: TenantId,
        id: Uuid,
        digest: &[u8; 32],
    ) -> DbResult<Option<OpenInvitation>> {
        block::read(&self.pool, tenant, async |s| {
            let open = invitations::table
                .filter(invitations::tenant_id.eq(s.tenant()).and(invitations::id.eq(id)))
                .filter(invitations::token_hash.eq(&digest[..]).and(invitations::status.eq("open")))
                .filter(invitations::expires_at.gt(now));
            s.optional(open.select(OpenInvitation::as_select())).await
        })
        .await
    }

    /// Makes a member of whoever was invited. Of any number of simultaneous attempts with one token, one gets through.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when the invitation can no longer be accepted; [`DbError::Duplicate`] when the user name or
    /// the address is taken; the database is away.
    pub async fn accept_invitation(
        &self,
        tenant: TenantId,
        id: Uuid,
        digest: &[u8; 32],
        joiner: &Joiner,
    ) -> DbResult<Account> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            let invitation = take(tx, id, digest).await?;
            let user = UserId::generate();
            let account = admit(tx, user, &invitation, joiner).await?;
            // Any other invitation of the address has nobody to accept it any more.
            tx.run(async |s| {
                let others = invitations::table
                    .filter(invitations::tenant_id.eq(s.tenant()).and(invitations::status.eq("open")))
                    .filter(invitations::email_norm.eq(&invitation.email_norm));
                s.execute(kept(diesel::update(others).set(revoked()))).await
            })
            .await?;
            let target = json!({
                "invitation": id, "user": user.uuid(), "username": account.username, "email": account.email,
                "role": invitation.role,
            });
            tx.audit("invitation.accept", target).await?;
            Ok(account)
        })
        .await
    }

    /// Notes that somebody wants to register, and keeps an invitation for the address unless it is a member's; then, the
    /// address as the member has it. The work is the same in both cases, so that its time does not tell them apart.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn ask_to_join(
        &self,
        tenant: TenantId,
        asked: NewInvitation<'_>,
        email: &Email,
        (first_name, last_name): (&str, &str),
    ) -> DbResult<Option<String>> {
        let NewInvitation { id, digest, expires_at } = asked;
        write(&self.pool, tenant, Actor::System, async |tx| {
            tx.run(async |s| {
                // Whoever was invited by somebody keeps that invitation: a stranger must not take it away.
                let older = invitations::table
                    .filter(invitations::tenant_id.eq(s.tenant()).and(invitations::status.ne("accepted")))
                    .filter(invitations::email_norm.eq(email.norm()).and(invitations::invited_by.is_null()));
                let sweep = diesel::sql_query(SWEEP).bind::<SqlUuid, _>(s.tenant());
                try_join(s.execute(diesel::delete(older)), s.execute(sweep)).await.map(drop)
            })
            .await?;
            // Not in the audit trail, which nobody could read any more if strangers wrote into it; accepting is.
            tx.run(async |s| {
                let ask = diesel::sql_query(ASK)
                    .bind::<SqlUuid, _>(s.tenant())
                    .bind::<SqlUuid, _>(id)
                    .bind::<Text, _>(email.as_str())
                    .bind::<Text, _>(email.norm())
                    .bind::<Text, _>(first_name)
                    .bind::<Text, _>(last_name)
                    .bind::<Binary, _>(&digest[..])
                    .bind::<Timestamptz, _>(expires_at);
                let member = users::table
                    .filter(users::tenant_id.eq(s.tenant()).and(users::email_norm.eq(email.norm())));
                let (_, known) = try_join(s.execute(ask), s.optional(member.select(users::email))).await?;
                Ok(known)
            })
            .await
        })
        .await
    }
}

/// Marks the invitation as accepted, if it still can be.
async fn take(tx: &mut WriteTx<'_>, id: Uuid, digest: &[u8; 32]) -> DbResult<OpenInvitation> {
    let taken = tx
        .run(async |s| {
            let open = invitations::table
                .filter(invitations::tenant_id.eq(s.tenant()).and(invitations::id.eq(id)))
                .filter(invitations::token_hash.eq(&digest[..]).and(invitations::status.eq("open")))
                .filter(invitations::expires_at.gt(now));
            let changes = (
                invitations::status.eq("accepted"),
                invitations::version.eq(invitations::version + 1),
                invitations::updated_at.eq(now),
            );
            let update = diesel::update(open).set(changes).returning(OpenInvitation::as_returning());
            s.optional(kept(update)).await
        })
        .await?;
    taken.ok_or(DbError::NotFound)
}

/// Adds the person with its password.
async fn admit(
    tx: &mut WriteTx<'_>,
    user: UserId,
    invitation: &OpenInvitation,
    joiner: &Joiner,
) -> DbResult<Account> {
    tx.run(async |s| {
        let person = (
            users::tenant_id.eq(s.tenant()),
            users::id.eq(user.uuid()),
            users::username.eq(joiner.username.as_str()),
            users::username_norm.eq(joiner.username.norm()),
            users::email.eq(&invitation.email),
            users::email_norm.eq(&invitation.email_norm),
            users::first_name.eq(&joiner.first_name),
            users::last_name.eq(&joiner.last_name),
            users::role.eq(&invitation.role),
        );
        let insert = diesel::insert_into(users::table).values(person).returning(Account::as_returning());
        let password = (
            user_credentials::tenant_id.eq(s.tenant()),
            user_credentials::user_id.eq(user.uuid()),
            user_credentials::password_hash.eq(joiner.password_hash.expose_secret()),
        );
        let keep = s.execute(diesel::insert_into(user_credentials::table).values(password));
        try_join(s.one(insert), keep).await.map(|(account, _)| account)
    })
    .await
}
