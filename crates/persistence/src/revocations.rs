//! Revocations as they are stored: written with the change that they tell of, read by every server a few times a second.

use std::time::Duration;

use bulkhead_domain::clock::now;
use bulkhead_domain::ids::{ClientId, FamilyId, SecretId, TenantId, UserId, new_id};
use bulkhead_domain::revocation::{Revocation, Subject};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::{self, IntervalDsl};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use uuid::Uuid;

use crate::block;
use crate::credentials::AuthDb;
use crate::error::DbResult;
use crate::schema::revocations;
use crate::session::Session;
use crate::write::WriteTx;

/// Rows older than any token can be. They are swept away while the tenant is at work.
const KEPT: TimeDelta = TimeDelta::days(2);

impl AuthDb {
    /// What was revoked within the last `window`, by the database's clock, of every tenant.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn recent_revocations(&self, window: Duration) -> DbResult<Vec<Revocation>> {
        type Row = (Uuid, String, Uuid, i64);
        let nobody = TenantId::from_uuid(Uuid::nil());
        let columns = (revocations::tenant_id, revocations::kind, revocations::subject, revocations::epoch);
        let window = i64::try_from(window.as_secs()).unwrap_or(i64::MAX).seconds();
        let since = dsl::now.into_sql::<Timestamptz>() - window;
        let recent = revocations::table
            .filter(revocations::revoked_at.gt(since))
            // Some are written in advance, for the end of a secret.
            .filter(revocations::revoked_at.le(clock_timestamp()))
            .select(columns);
        let rows: Vec<Row> = block::read(&self.pool, nobody, async |s| s.many(recent).await).await?;
        Ok(rows.into_iter().filter_map(revocation).collect())
    }
}

fn revocation((tenant, kind, subject, epoch): (Uuid, String, Uuid, i64)) -> Option<Revocation> {
    let subject = match kind.as_str() {
        "tenant" => Subject::Tenant,
        "user" => Subject::User(UserId::from_uuid(subject)),
        "client" => Subject::Client(ClientId::from_uuid(subject)),
        "session" => Subject::Session(FamilyId::from_uuid(subject)),
        "secret" => Subject::Secret(SecretId::from_uuid(subject)),
        "token" => Subject::Token(subject),
        // Written by a newer version, which also knows how to end such a token.
        _ => return None,
    };
    Some(Revocation { tenant: TenantId::from_uuid(tenant), subject, epoch })
}

diesel::define_sql_function! {
    /// The time at this moment. `now()` is the time of BEGIN: a transaction that had to wait for a lock would write a
    /// revocation that is too old already to be asked for.
    fn clock_timestamp() -> Timestamptz;
}

/// A row of the table, for an INSERT.
pub(crate) type NewRow = (
    dsl::Eq<revocations::tenant_id, Uuid>,
    dsl::Eq<revocations::id, Uuid>,
    dsl::Eq<revocations::kind, &'static str>,
    dsl::Eq<revocations::subject, Uuid>,
    dsl::Eq<revocations::epoch, i64>,
    dsl::Eq<revocations::revoked_at, clock_timestamp>,
);

/// The row that stores a revocation.
pub(crate) fn row(revocation: &Revocation) -> NewRow {
    let (kind, subject) = match revocation.subject {
        Subject::Tenant => ("tenant", revocation.tenant.uuid()),
        Subject::User(user) => ("user", user.uuid()),
        Subject::Client(client) => ("client", client.uuid()),
        Subject::Session(session) => ("session", session.uuid()),
        Subject::Secret(secret) => ("secret", secret.uuid()),
        Subject::Token(token) => ("token", token),
    };
    (
        revocations::tenant_id.eq(revocation.tenant.uuid()),
        revocations::id.eq(new_id()),
        revocations::kind.eq(kind),
        revocations::subject.eq(subject),
        revocations::epoch.eq(revocation.epoch),
        revocations::revoked_at.eq(clock_timestamp()),
    )
}

impl WriteTx<'_> {
    /// Ends tokens of `subject` with this transaction.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn revoke(&mut self, subject: Subject, epoch: i64) -> DbResult<Revocation> {
        let ended = Revocation { tenant: self.tenant(), subject, epoch };
        let row = row(&ended);
        self.run(async |s| s.execute(diesel::insert_into(revocations::table).values(row)).await).await?;
        Ok(ended)
    }

    /// Ends tokens of `subject` at a time that lies ahead. Servers hear of it then.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn revoke_at(&mut self, subject: Subject, at: DateTime<Utc>) -> DbResult<()> {
        let (tenant, id, kind, subject, epoch, _) =
            row(&Revocation { tenant: self.tenant(), subject, epoch: 0 });
        let row = (tenant, id, kind, subject, epoch, revocations::revoked_at.eq(at));
        self.run(async |s| s.execute(diesel::insert_into(revocations::table).values(row)).await)
            .await
            .map(drop)
    }
}

/// Stores a revocation of the transaction's tenant, and forgets old ones, which a request may not.
pub(crate) async fn record(session: Session<'_>, revocation: &Revocation) -> QueryResult<()> {
    sweep(session).await?;
    session.execute(diesel::insert_into(revocations::table).values(row(revocation))).await.map(drop)
}

/// Forgets revocations of the tenant that no token can be older than.
pub(crate) async fn sweep(session: Session<'_>) -> QueryResult<()> {
    let mine = revocations::tenant_id.eq(session.tenant());
    let old = revocations::table.filter(mine.and(revocations::revoked_at.lt(now() - KEPT)));
    session.execute(diesel::delete(old)).await.map(drop)
}
