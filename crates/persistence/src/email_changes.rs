//! Addresses that people want in the place of theirs, until they show that mail to them arrives. The change itself is the
//! request role's, in `users`: the role for credentials cannot write who somebody is.

use bulkhead_domain::ids::{TenantId, UserId};
use bulkhead_domain::person::Email;
use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;

use crate::audit::Actor;
use crate::credentials::AuthDb;
use crate::error::DbResult;
use crate::kept::kept;
use crate::schema::email_changes as changes;
use crate::write::write;

impl AuthDb {
    /// Stores the address that a person wants and the SHA-256 of the token that is mailed there, in the place of an earlier one.
    ///
    /// # Errors
    /// [`DbError::BadReference`](crate::error::DbError::BadReference) when there is no such person any more; the database is
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

    /// The address that a person wanted, if this is the token that was mailed there. It is used up, and so is
    /// what was mailed to the address before.
    ///
    /// # Errors
    /// [`DbError::NotFound`](crate::error::DbError::NotFound) when it is not, was used or has expired; the database is away.
    pub async fn take_email_change(
        &self,
        tenant: TenantId,
        user: UserId,
        digest: &[u8; 32],
    ) -> DbResult<String> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            let email = tx
                .run(async |s| {
                    let mine = changes::tenant_id.eq(s.tenant()).and(changes::user_id.eq(user.uuid()));
                    let sound = changes::token_hash.eq(&digest[..]).and(changes::expires_at.gt(now));
                    let taken = diesel::delete(changes::table.filter(mine.and(sound)));
                    s.one(taken.returning(changes::email)).await
                })
                .await?;
            // What was mailed to the address before must not outlive it.
            tx.forget_mailed_tokens(user).await?;
            Ok(email)
        })
        .await
    }
}
