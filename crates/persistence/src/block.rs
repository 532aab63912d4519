//! Sends a whole read transaction in one round trip: `BEGIN READ ONLY; SET LOCAL ..`, the statements and `COMMIT` are
//! written one after the other before the first reply is awaited (`PERFORMANCE.md`: 0.60 of a bare read instead of 0.36).

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use bulkhead_domain::ids::TenantId;
use diesel::QueryResult;
use diesel_async::SimpleAsyncConnection;
use futures_util::future::maybe_done;
use tokio::task::coop::unconstrained;

use crate::error::{DbError, DbResult};
use crate::pool::{Connection, Pool};
use crate::session::Session;

/// What opens a transaction of `tenant`: one message of the simple protocol. Formatting is safe, a UUID is hex and
/// hyphens. `SET LOCAL` and not `set_config`, because it is the only form that Citus forwards to its shards.
pub(crate) fn opening(tenant: TenantId, mode: &str) -> String {
    format!("BEGIN {mode}; SET LOCAL app.tenant_id = '{tenant}'")
}

/// Runs `work` in a read-only transaction of `tenant`.
///
/// `work` must send all its statements when it is first polled: one statement, or several that are joined. A statement
/// that comes later would run behind the COMMIT; it would see no rows, and it is reported as a defect.
pub(crate) async fn read<T>(
    pool: &Pool,
    tenant: TenantId,
    work: impl AsyncFnOnce(Session<'_>) -> QueryResult<T>,
) -> DbResult<T> {
    let checkout = pool.take(tenant).await?;
    let opening = opening(tenant, "READ ONLY");
    let result = send(checkout.connection()?, tenant, Some(&opening), work).await?;
    checkout.finish();
    Ok(result?)
}

/// Sends an optional opening, the statements of `work`, and COMMIT, each as soon as its place in the order allows.
///
/// The outer error means that the connection is in an unknown state and must go; the inner one that a statement failed
/// in a transaction that has ended.
pub(crate) async fn send<T>(
    connection: &Connection,
    tenant: TenantId,
    opening: Option<&str>,
    work: impl AsyncFnOnce(Session<'_>) -> QueryResult<T>,
) -> DbResult<QueryResult<T>> {
    let watch = &connection.watch;
    watch.start();
    let (mut first, mut last) = (&connection.raw, &connection.raw);
    let mut begin = pin!(maybe_done(async {
        match opening {
            Some(opening) => first.batch_execute(opening).await,
            None => Ok(()),
        }
    }));
    let mut work = pin!(maybe_done(work(Session::new(connection, tenant))));
    let mut commit = pin!(maybe_done(last.batch_execute("COMMIT")));
    let mut closing = false;

    // A task that has used up its cooperative budget finds even a free lock busy; the order would then be another.
    unconstrained(poll_fn(|context| {
        // The order of these polls is the order of the messages on the wire.
        let begun = begin.as_mut().poll(context).is_ready();
        let worked = work.as_mut().poll(context).is_ready();
        closing = closing || worked || !watch.preparing();
        let committed = closing && commit.as_mut().poll(context).is_ready();
        if closing {
            watch.seal();
        }
        if begun && worked && committed { Poll::Ready(()) } else { Poll::Pending }
    }))
    .await;

    if watch.was_late() {
        return Err(DbError::Internal("a statement came after its transaction".to_owned()));
    }
    let unfinished = || DbError::Internal("a transaction ended without a result".to_owned());
    begin.take_output().ok_or_else(unfinished)??;
    commit.take_output().ok_or_else(unfinished)??;
    work.take_output().ok_or_else(unfinished)
}
