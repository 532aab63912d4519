//! Passwords that are set: by their person, who knows the old one, or by whoever holds a mailed token. What was set ends every
//! session, because somebody else may have opened one.

use bulkhead_domain::ids::{FamilyId, TenantId, UserId};
use bulkhead_domain::person::normalize_name;
use bulkhead_domain::revocation::Revocation;
use bulkhead_domain::tenant::TenantScope;
use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use futures_util::future::try_join;
use serde_json::json;
use uuid::Uuid;

use crate::audit::Actor;
use crate::block;
use crate::credentials::{Account, AuthDb, DirectoryEntry};
use crate::error::{DbError, DbResult};
use crate::kept::kept;
use crate::schema::{
    email_changes as changes, password_resets as resets, tenants, user_credentials as credentials, users,
};
use crate::write::{WriteTx, write};

/// A token by which a person may set its password, once.
#[derive(Clone, Copy)]
pub struct NewReset<'a> {
    /// The row's id, which the token names.
    pub id: Uuid,
    /// SHA-256 of the token.
    pub digest: &'a [u8; 32],
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

impl AuthDb {
    /// Stores the token by which a person may set its password, in the place of those that end no later: anybody may ask for
    /// one, and must not take away what an administrator or an operator has sent for longer.
    ///
    /// # Errors
    /// [`DbError::BadReference`] when there is no such person any more; the database is away.
    pub async fn store_password_reset(
        &self,
        tenant: TenantId,
        user: UserId,
        new: NewReset<'_>,
    ) -> DbResult<()> {
        write(&self.pool, tenant, Actor::System, async |tx| tx.store_password_reset(user, new).await).await
    }

    /// Ends the mailed tokens by which a person's password or address may be set.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_mailed_tokens(&self, tenant: TenantId, user: UserId) -> DbResult<()> {
        write(&self.pool, tenant, Actor::System, async |tx| tx.forget_mailed_tokens(user).await).await
    }

    /// Whether such a token was stored since.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn has_recent_reset(
        &self,
        tenant: TenantId,
        user: UserId,
        since: DateTime<Utc>,
    ) -> DbResult<bool> {
        block::read(&self.pool, tenant, async |s| {
            let mine = resets::tenant_id.eq(s.tenant()).and(resets::user_id.eq(user.uuid()));
            let recent = resets::table.filter(mine.and(resets::created_at.gt(since)));
            s.one(diesel::select(diesel::dsl::exists(recent))).await
        })
        .await
    }

    /// For whom a token may set a password, if it still may.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn password_reset(
        &self,
        tenant: TenantId,
        id: Uuid,
        digest: &[u8; 32],
    ) -> DbResult<Option<(DirectoryEntry, Account)>> {
        block::read(&self.pool, tenant, async |s| {
            let entry = tenants::table.filter(tenants::id.eq(s.tenant())).select(DirectoryEntry::as_select());
            let of_user = users::tenant_id.eq(resets::tenant_id).and(users::id.eq(resets::user_id));
            let found = resets::table
                .inner_join(users::table.on(of_user))
                .filter(resets::tenant_id.eq(s.tenant()).and(resets::id.eq(id)))
                .filter(resets::token_hash.eq(&digest[..]).and(resets::expires_at.gt(now)))
                .select(Account::as_select());
            let (entry, account) = try_join(s.optional(entry), s.optional(found)).await?;
            Ok(entry.zip(account))
        })
        .await
    }

    /// Sets the password that a token is for. The token, and every other of its person, is gone with it.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when the token was used or has expired; the database is away.
    pub async fn use_password_reset(
        &self,
        tenant: TenantId,
        id: Uuid,
        digest: &[u8; 32],
        hash: &str,
    ) -> DbResult<(UserId, Revocation)> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            let user = tx
                .run(async |s| {
                    let token = resets::table
                        .filter(resets::tenant_id.eq(s.tenant()).and(resets::id.eq(id)))
                        .filter(resets::token_hash.eq(&digest[..]).and(resets::expires_at.gt(now)));
                    s.one::<_, Uuid>(diesel::delete(token).returning(resets::user_id)).await
                })
                .await?;
            let user = UserId::from_uuid(user);
            let ended = tx.set_password(user, hash, None).await?;
            tx.audit("user.password_reset", json!({ "user": user })).await?;
            Ok((user, ended))
        })
        .await
    }

    /// Changes a person's password, if its hash still is `before`. The session `kept` goes on, all others end.
    ///
    /// # Errors
    /// [`DbError::Stale`] when it was changed meanwhile; the database is away.
    pub async fn change_password(
        &self,
        scope: TenantScope,
        kept_session: Option<FamilyId>,
        before: &str,
        hash: &str,
    ) -> DbResult<Revocation> {
        let user = UserId::from_uuid(scope.actor());
        write(&self.pool, scope.tenant(), Actor::of(scope), async |tx| {
            let same = tx
                .run(async |s| {
                    let mine =
                        credentials::tenant_id.eq(s.tenant()).and(credentials::user_id.eq(user.uuid()));
                    let same = credentials::table.filter(mine.and(credentials::password_hash.eq(before)));
                    s.optional::<_, Uuid>(same.select(credentials::user_id).for_update()).await
                })
                .await?;
            same.ok_or(DbError::Stale)?;
            let ended = tx.set_password(user, hash, kept_session).await?;
            tx.audit("user.password_change", json!({ "user": user })).await?;
            Ok(ended)
        })
        .await
    }

    /// Stores another hash of the same password, unless the password was changed meanwhile.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn rehash_password(
        &self,
        tenant: TenantId,
        user: UserId,
        before: &str,
        hash: &str,
    ) -> DbResult<()> {
        write(&self.pool, tenant, Actor::System, async |tx| {
            tx.run(async |s| {
                let mine = credentials::tenant_id.eq(s.tenant()).and(credentials::user_id.eq(user.uuid()));
                let same = credentials::table.filter(mine.and(credentials::password_hash.eq(before)));
                s.execute(kept(diesel::update(same).set(credentials::password_hash.eq(hash)))).await
            })
            .await
            .map(drop)
        })
        .await
    }

    /// The person with this name or address, whether it has a password or not.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn find_person(&self, tenant: TenantId, name: &str) -> DbResult<Option<Account>> {
        block::read(&self.pool, tenant, async |s| {
            let found = users::table
                .filter(users::tenant_id.eq(s.tenant()))
                .filter(users::username_norm.eq(name).or(users::email_norm.eq(name)))
                .order(users::email_norm.eq(name).desc());
            s.optional(found.select(Account::as_select()).limit(1)).await
        })
        .await
    }
}

impl WriteTx<'_> {
    /// Stores the token by which an active person of this user name or address may set its password, in the place of earlier
    /// ones, because an operator says so.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when there is no such person; the database is away.
    pub async fn allow_password_reset(&mut self, name: &str, new: NewReset<'_>) -> DbResult<UserId> {
        let name = normalize_name(name);
        let user = self
            .run(async |s| {
                let named = users::username_norm.eq(&name).or(users::email_norm.eq(&name));
                let found = users::table
                    .filter(users::tenant_id.eq(s.tenant()).and(users::status.eq("active")).and(named))
                    .order(users::email_norm.eq(&name).desc());
                s.one::<_, Uuid>(found.select(users::id).limit(1)).await
            })
            .await?;
        let user = UserId::from_uuid(user);
        self.forget_mailed_tokens(user).await?;
        self.store_password_reset(user, new).await?;
        self.audit("user.password_token", json!({ "user": user })).await?;
        Ok(user)
    }

    async fn store_password_reset(&mut self, user: UserId, new: NewReset<'_>) -> DbResult<()> {
        self.run(async |s| {
            let mine = resets::tenant_id.eq(s.tenant()).and(resets::user_id.eq(user.uuid()));
            let row = (
                resets::tenant_id.eq(s.tenant()),
                resets::id.eq(new.id),
                resets::user_id.eq(user.uuid()),
                resets::token_hash.eq(&new.digest[..]),
                resets::expires_at.eq(new.expires_at),
            );
            let sooner = mine.and(resets::expires_at.le(new.expires_at));
            let removed = s.execute(diesel::delete(resets::table.filter(sooner)));
            try_join(removed, s.execute(diesel::insert_into(resets::table).values(row))).await.map(drop)
        })
        .await
    }

    /// Ends the mailed tokens by which a person's password or address may be set.
    pub(crate) async fn forget_mailed_tokens(&mut self, user: UserId) -> DbResult<()> {
        self.run(async |s| {
            let of_resets = resets::tenant_id.eq(s.tenant()).and(resets::user_id.eq(user.uuid()));
            let of_changes = changes::tenant_id.eq(s.tenant()).and(changes::user_id.eq(user.uuid()));
            let resets = s.execute(diesel::delete(resets::table.filter(of_resets)));
            try_join(resets, s.execute(diesel::delete(changes::table.filter(of_changes)))).await.map(drop)
        })
        .await
    }

    /// Sets a password and ends the person's sessions, but for the one `kept`, and what was mailed to it before.
    async fn set_password(
        &mut self,
        user: UserId,
        hash: &str,
        kept_session: Option<FamilyId>,
    ) -> DbResult<Revocation> {
        self.run(async |s| {
            let row = (
                credentials::tenant_id.eq(s.tenant()),
                credentials::user_id.eq(user.uuid()),
                credentials::password_hash.eq(hash),
            );
            let set = diesel::insert_into(credentials::table)
                .values(row)
                .on_conflict((credentials::tenant_id, credentials::user_id))
                .do_update()
                .set((credentials::password_hash.eq(hash), credentials::changed_at.eq(now)));
            s.execute(kept(set)).await.map(drop)
        })
        .await?;
        self.forget_mailed_tokens(user).await?;
        self.end_sessions_of(user, kept_session).await
    }
}
