//! Lists: turns a [`ListRequest`] into SQL. Every word of SQL here is a constant or comes from a resource's own
//! constants; every value is a bind. The selected columns are typed by diesel, from the same struct as single rows.

use bulkhead_domain::list::{Condition, Counting, ListRequest, Page, Test, Value, Window};
use bulkhead_domain::resource::Resource;
use diesel::deserialize::FromSqlRow;
use diesel::expression::{Expression, QueryMetadata};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::CompatibleType;
use diesel::sql_types::{BigInt, Bool, Date, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, Selectable};
use futures_util::future::try_join;
use uuid::Uuid;

use crate::error::DbResult;
use crate::search;
use crate::tenant_db::TenantDb;

/// Reads one page and its count in one round trip.
pub(crate) async fn page<R, ST>(
    db: TenantDb<'_>,
    resource: &Resource,
    request: &ListRequest,
) -> DbResult<Page<R>>
where
    R: Selectable<Pg> + FromSqlRow<ST, Pg> + Send + 'static,
    R::SelectExpression: Expression<SqlType = ST> + QueryFragment<Pg> + Send,
    ST: CompatibleType<R, Pg, SqlType = ST> + Send + 'static,
    Pg: QueryMetadata<ST>,
{
    let words = request.search.as_ref().and_then(search::words_of);
    let (mut rows, count) = db
        .read(async |session| {
            let (tenant, has_room) = (session.tenant(), session.has_room());
            let list = List { resource, request, words: &words, tenant, has_room };
            let rows = session.many::<_, R>(PageQuery::<R>::new(list));
            if request.counting == Counting::Off {
                return Ok((rows.await?, None));
            }
            let (rows, count) = try_join(rows, session.one::<_, i64>(CountQuery { list })).await?;
            Ok((rows, Some(count)))
        })
        .await?;
    let size = usize::from(request.size);
    let more = rows.len() > size;
    rows.truncate(size);
    if matches!(request.window, Window::Before(_)) {
        rows.reverse();
    }
    Ok(Page { rows, more, count })
}

/// What a list is of.
#[derive(Clone, Copy)]
struct List<'a> {
    resource: &'a Resource,
    request: &'a ListRequest,
    /// What is looked for by words, as the index understands it.
    words: &'a Option<String>,
    tenant: Uuid,
    /// Whether the connection has room for an uncommon statement.
    has_room: bool,
}

impl List<'_> {
    /// Whether to keep the statement prepared: always a shape that clients ask for all the time, any other while there is
    /// room. There are tens of thousands of combinations of filters, and whoever sends them all must not fill a backend's
    /// memory.
    fn is_kept(&self) -> bool {
        let request = self.request;
        let plain = request.search.is_none() && request.descending && request.ordering.name == "created_at";
        let narrow = match request.conditions.as_slice() {
            [] => true,
            [only] => only.test == Test::Equals,
            _ => false,
        };
        let common = plain && narrow && matches!(request.window, Window::Start | Window::After(_));
        common || self.has_room
    }

    fn push_table(&self, out: &mut AstPass<'_, '_, Pg>) -> QueryResult<()> {
        out.push_identifier(self.resource.table)
    }

    fn push_column(&self, out: &mut AstPass<'_, '_, Pg>, column: &str) -> QueryResult<()> {
        self.push_table(out)?;
        out.push_sql(".");
        out.push_identifier(column)
    }

    /// ` FROM t WHERE tenant_id = $ AND ..`: the first barrier, then the filters, then the search.
    fn push_from_where<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(" FROM ");
        self.push_table(out)?;
        out.push_sql(" WHERE ");
        self.push_column(out, "tenant_id")?;
        out.push_sql(" = ");
        out.push_bind_param::<SqlUuid, _>(&self.tenant)?;
        for Condition { column, test, value } in &self.request.conditions {
            out.push_sql(" AND ");
            self.push_column(out, column)?;
            out.push_sql(match test {
                Test::Equals => " = ",
                Test::AtLeast => " >= ",
                Test::Below => " < ",
            });
            push_value(out, value)?;
        }
        self.push_search(out)
    }

    fn push_search<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let (Some(terms), Some(column)) = (&self.request.search, self.resource.search_column) else {
            return Ok(());
        };
        out.push_sql(" AND ");
        if self.resource.texts.is_some() {
            self.push_column(out, "id")?;
            out.push_sql(" IN (SELECT found.id FROM ");
            search::push_call(out, self.resource, self.words.as_ref(), &terms.text)?;
            out.push_sql(" AS found)");
            return Ok(());
        }
        self.push_column(out, column)?;
        // The column holds the text in lower case. `^@` is leakproof, so the index serves it under RLS.
        out.push_sql(" ^@ lower(");
        out.push_bind_param::<Text, _>(&terms.text)?;
        out.push_sql(")");
        Ok(())
    }
}

fn push_value<'b>(out: &mut AstPass<'_, 'b, Pg>, value: &'b Value) -> QueryResult<()> {
    match value {
        Value::Text(text) => out.push_bind_param::<Text, _>(text),
        Value::Id(id) => out.push_bind_param::<SqlUuid, _>(id),
        Value::Instant(time) => out.push_bind_param::<Timestamptz, _>(time),
        Value::Day(day) => out.push_bind_param::<Date, _>(day),
        Value::Integer(number) => out.push_bind_param::<BigInt, _>(number),
        Value::Switch(switch) => out.push_bind_param::<Bool, _>(switch),
    }
}

/// One page: one row more than asked for, so that it is known whether another page follows.
struct PageQuery<'a, R: Selectable<Pg>> {
    list: List<'a>,
    columns: R::SelectExpression,
}

impl<'a, R: Selectable<Pg>> PageQuery<'a, R> {
    fn new(list: List<'a>) -> Self {
        Self { list, columns: R::construct_selection() }
    }

    /// The limit, at least one more than the page has. A literal, because PostgreSQL makes no good plan for a limit that
    /// it does not know and plans each execution anew instead; and one of a few, because each is a statement to prepare.
    const fn limit(&self) -> &'static str {
        match self.list.request.size {
            0..=10 => " LIMIT 11",
            11..=20 => " LIMIT 21",
            21..=50 => " LIMIT 51",
            51..=100 => " LIMIT 101",
            _ => " LIMIT 201",
        }
    }

    /// Whether the rows are read from high to low: the page before a row is read backwards.
    const fn reads_down(&self) -> bool {
        self.list.request.descending != matches!(self.list.request.window, Window::Before(_))
    }

    /// Continues behind a row of the order `(column, id)`; nulls are last in the client's order.
    fn push_position<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let (list, request) = (&self.list, self.list.request);
        let (position, backwards) = match &request.window {
            Window::After(position) => (position, false),
            Window::Before(position) => (position, true),
            Window::Start | Window::Offset(_) => return Ok(()),
        };
        let past = if self.reads_down() { " < " } else { " > " };
        let column = request.ordering.name;
        match &position.value {
            Some(value) => {
                out.push_sql(" AND ((");
                list.push_column(out, column)?;
                out.push_sql(", ");
                list.push_column(out, "id")?;
                out.push_sql(")");
                out.push_sql(past);
                out.push_sql("(");
                push_value(out, value)?;
                out.push_sql(", ");
                out.push_bind_param::<SqlUuid, _>(&position.id)?;
                out.push_sql(")");
                if request.ordering.nullable && !backwards {
                    out.push_sql(" OR ");
                    list.push_column(out, column)?;
                    out.push_sql(" IS NULL");
                }
            }
            None => {
                out.push_sql(" AND ((");
                list.push_column(out, column)?;
                out.push_sql(" IS NULL AND ");
                list.push_column(out, "id")?;
                out.push_sql(past);
                out.push_bind_param::<SqlUuid, _>(&position.id)?;
                out.push_sql(")");
                if backwards {
                    out.push_sql(" OR ");
                    list.push_column(out, column)?;
                    out.push_sql(" IS NOT NULL");
                }
            }
        }
        out.push_sql(")");
        Ok(())
    }

    fn push_order(&self, out: &mut AstPass<'_, '_, Pg>) -> QueryResult<()> {
        let request = self.list.request;
        let direction = if self.reads_down() { " DESC" } else { " ASC" };
        out.push_sql(" ORDER BY ");
        self.list.push_column(out, request.ordering.name)?;
        out.push_sql(direction);
        if request.ordering.nullable {
            let backwards = matches!(request.window, Window::Before(_));
            out.push_sql(if backwards { " NULLS FIRST" } else { " NULLS LAST" });
        }
        out.push_sql(", ");
        self.list.push_column(out, "id")?;
        out.push_sql(direction);
        Ok(())
    }
}

impl<R: Selectable<Pg>> QueryFragment<Pg> for PageQuery<'_, R>
where
    R::SelectExpression: QueryFragment<Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.columns.walk_ast(out.reborrow())?;
        if !self.list.is_kept() {
            out.unsafe_to_cache_prepared();
        }
        self.list.push_from_where(&mut out)?;
        self.push_position(&mut out)?;
        self.push_order(&mut out)?;
        out.push_sql(self.limit());
        if let Window::Offset(offset) = &self.list.request.window {
            out.push_sql(" OFFSET ");
            out.push_bind_param::<BigInt, _>(offset)?;
        }
        Ok(())
    }
}

impl<R: Selectable<Pg>> Query for PageQuery<'_, R> {
    type SqlType = <R::SelectExpression as Expression>::SqlType;
}

impl<R: Selectable<Pg>> QueryId for PageQuery<'_, R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// How many rows there are, counting no further than one past the cap.
struct CountQuery<'a> {
    list: List<'a>,
}

impl CountQuery<'_> {
    const LIMIT: &'static str = " LIMIT 10001";
}

impl QueryFragment<Pg> for CountQuery<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM (SELECT 1");
        if !self.list.is_kept() {
            out.unsafe_to_cache_prepared();
        }
        self.list.push_from_where(&mut out)?;
        if self.list.request.counting == Counting::Capped {
            // One more than the cap of `domain::list`, which a test holds to it.
            out.push_sql(Self::LIMIT);
        }
        out.push_sql(") AS counted");
        Ok(())
    }
}

impl Query for CountQuery<'_> {
    type SqlType = BigInt;
}

impl QueryId for CountQuery<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

#[cfg(test)]
mod tests {
    use bulkhead_domain::list::{COUNT_CAP, MAX_PAGE_SIZE};

    use super::CountQuery;

    #[test]
    fn the_literal_limits_are_those_of_the_domain() {
        assert_eq!(CountQuery::LIMIT, format!(" LIMIT {}", COUNT_CAP + 1));
        assert_eq!(MAX_PAGE_SIZE, 200, "the largest page must fit the largest limit of `PageQuery::limit`");
    }
}
