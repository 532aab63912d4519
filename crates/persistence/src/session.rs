//! The statements of one transaction. A [`Session`] can only be had from a transaction that has set the tenant, so a
//! query that is not inside one has nothing to run on.

use bulkhead_domain::ids::TenantId;
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::result::OptionalExtension;
use diesel_async::methods::{ExecuteDsl, LoadQuery};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::pool::Connection;

/// Runs statements within an open transaction of one tenant. Every method sends its statement the first time it is
/// polled, so futures that are joined travel together.
#[derive(Clone, Copy)]
pub(crate) struct Session<'c> {
    connection: &'c Connection,
    tenant: TenantId,
}

impl<'c> Session<'c> {
    pub(crate) const fn new(connection: &'c Connection, tenant: TenantId) -> Self {
        Self { connection, tenant }
    }

    /// The tenant, for the explicit `tenant_id = $n` that every statement carries beside the policy.
    pub(crate) const fn tenant(self) -> Uuid {
        self.tenant.uuid()
    }

    /// Whether the connection may keep another statement prepared that only some clients send.
    pub(crate) fn has_room(self) -> bool {
        self.connection.watch.has_room()
    }

    /// Every row.
    pub(crate) async fn many<'q, Q, T>(self, query: Q) -> QueryResult<Vec<T>>
    where
        Q: QueryFragment<Pg> + LoadQuery<'q, &'c AsyncPgConnection, T> + 'q,
        T: Send,
    {
        self.note(&query)?;
        let mut connection = &self.connection.raw;
        query.load(&mut connection).await
    }

    /// The one row, or `NotFound`.
    pub(crate) async fn one<'q, Q, T>(self, query: Q) -> QueryResult<T>
    where
        Q: QueryFragment<Pg> + LoadQuery<'q, &'c AsyncPgConnection, T> + 'q,
        T: Send,
    {
        self.note(&query)?;
        let mut connection = &self.connection.raw;
        query.get_result(&mut connection).await
    }

    /// The one row, or none.
    pub(crate) async fn optional<'q, Q, T>(self, query: Q) -> QueryResult<Option<T>>
    where
        Q: QueryFragment<Pg> + LoadQuery<'q, &'c AsyncPgConnection, T> + 'q,
        T: Send,
    {
        self.one(query).await.optional()
    }

    /// The number of rows that were touched.
    pub(crate) async fn execute<Q>(self, query: Q) -> QueryResult<usize>
    where
        Q: QueryFragment<Pg> + QueryId + ExecuteDsl<&'c AsyncPgConnection>,
    {
        self.note(&query)?;
        let mut connection = &self.connection.raw;
        query.execute(&mut connection).await
    }

    /// A statement that diesel will not keep prepared costs a round trip each time; the block must wait for it.
    fn note(self, query: &impl QueryFragment<Pg>) -> QueryResult<()> {
        if !query.is_safe_to_cache_prepared(&Pg)? {
            self.connection.watch.must_prepare();
        }
        Ok(())
    }
}
