//! Statements that stay prepared although diesel would not keep them. It takes every UPDATE and every upsert for one that
//! may differ each time; ours have few shapes, and preparing one anew costs a round trip and most of its CPU time.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement to keep prepared, by its text.
pub(crate) struct Kept<Q>(Q);

/// Keeps a statement prepared. Only for one whose shapes are few, whatever clients send.
pub(crate) const fn kept<Q>(statement: Q) -> Kept<Q> {
    Kept(statement)
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Kept<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q: Query> Query for Kept<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> QueryId for Kept<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
