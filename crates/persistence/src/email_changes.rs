//! Addresses that people want in the place of theirs, until they show that mail to them arrives. The change itself is the
//! request role's, in `users`: the role for credentials cannot write who somebody is.

use bulkhead_domain::ids::{TenantId, UserId};
use bulkhead_domain::person::Email;
use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;

use crate::audit::Actor;
use crate::block;
use crate::credentials::AuthDb;
use crate::error::{DbError, DbResult};
use crate::kept::kept;
use crate::schema::email_changes as changes;
use crate::write::write;

impl AuthDb {
    /// Stores the address that a person wants and the SHA-256 of the token that is mailed there, in the place of an earlier one.
    ///
    /// # Errors
    /// [`DbError::BadReference`] when there is no such person any more; the database is
    /// away.
    pub async fn store_email_change(
        &self,
        tenant: TenantId,
        user: UserId,
        email: &Email,
        (digest, expires_at): (&[u8; 32], DateTime<Utc>),
    ) -> DbResult<()> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            tx.run(async |s| {
                let told = (
                    changes::email.eq(email.as_str()),
                    changes::token_hash.eq(&digest[..]),
                    changes::expires_at.eq(expires_at),
                );
                let row = (changes::tenant_id.eq(s.tenant()), changes::user_id.eq(user.uuid()), told);
                let stored = diesel::insert_into(changes::table)
                    .values(row)
                    .on_conflict((changes::tenant_id, changes::user_id))
                    .do_update()
                    .set(told);
                s.execute(kept(stored)).await.map(drop)
            })
            .await
        })
        .await
    }

    /// The address that a person wants, if this is the token that was mailed there, and still may be used.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn email_change(
        &self,
        tenant: TenantId,
        user: UserId,
        digest: &[u8; 32],
    ) -> DbResult<Option<Email>> {
        let email: Option<String> = block::read(&self.pool, tenant, async |s| {
            let mine = changes::tenant_id.eq(s.tenant()).and(changes::user_id.eq(user.uuid()));
            let sound = changes::token_hash.eq(&digest[..]).and(changes::expires_at.gt(now));
            s.optional(changes::table.filter(mine.and(sound)).select(changes::email)).await
        })
        .await?;
        let read = |email: String| Email::parse(&email).map_err(|error| DbError::Internal(error.to_string()));
        email.map(read).transpose()
    }

    /// Uses the token up, and what was mailed to the address before with it.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when it was used or has expired meanwhile; the database is away.
    pub async fn take_email_change(&self, tenant: TenantId, user: UserId, digest: &[u8; 32]) -> DbResult<()> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            let taken = tx
                .run(async |s| {
                    let mine = changes::tenant_id.eq(s.tenant()).and(changes::user_id.eq(user.uuid()));
                    let sound = changes::token_hash.eq(&digest[..]).and(changes::expires_at.gt(now));
                    s.execute(diesel::delete(changes::table.filter(mine.and(sound)))).await
                })
                .await?;
            if taken == 0 {
                return Err(DbError::NotFound);
            }
            // What was mailed to the address before must not outlive it.
            tx.forget_mailed_tokens(user).await
        })
        .await
    }
}
