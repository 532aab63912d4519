//! Search: what was typed becomes a query of the index, and the functions that may use it are called (ADR 11). They answer
//! ids and ranks; the rows are read here, under the caller's own policies.

use bulkhead_domain::list::{Page, Value, Window};
use bulkhead_domain::resource::Resource;
use bulkhead_domain::search::{Term, Terms, Texts};
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use crate::crud::Listed;
use crate::error::DbResult;
use crate::tenant_db::TenantDb;

macro_rules! all {
    ($($name:ident: $entity:ident),+ $(,)?) => { &[$(<crate::$entity as Listed>::RESOURCE),+] };
}
const RESOURCES: &[&Resource] = bulkhead_domain::for_each_resource!(all);

/// Every resource that is searched by words. The lint holds the database to them.
pub fn searched() -> impl Iterator<Item = (&'static Resource, Texts)> {
    RESOURCES.iter().filter_map(|resource| Some((*resource, resource.texts?)))
}

/// Least rank of a row that has what was looked for; below are those whose title only resembles it.
const FOUND: i64 = 1_000_000;

/// How much of a row's text is read to show where the words are, in characters: some two printed pages. Looking through them is
/// work of the server's own, which no other request of the worker can interrupt.
const SHOWN: &str = "4000";

/// A page of what was found.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// What is looked for.
    pub terms: Terms,
    /// The tables to look in.
    pub tables: Vec<&'static str>,
    /// Where the page starts.
    pub window: Window,
    /// Rows per page.
    pub size: u16,
}

/// A row that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The table that it is in.
    pub table: String,
    /// Its id.
    pub id: Uuid,
    /// Its title.
    pub title: String,
    /// The beginning of its text.
    pub body: String,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// How well it fits; only for comparing it with others of the same search.
    pub rank: i64,
}

/// What the index is asked: the terms as a `tsquery`, with `~` where the function puts the tenant's tag. None without words.
pub(crate) fn words_of(terms: &Terms) -> Option<String> {
    let alternatives = terms.alternatives.iter().map(|terms| {
        let terms: Vec<String> = terms.iter().map(term).collect();
        format!("({})", terms.join(" & "))
    });
    let alternatives: Vec<String> = alternatives.collect();
    (!alternatives.is_empty()).then(|| alternatives.join(" | "))
}

/// Its words hold no character that means anything in a query: all of those separate words.
fn term(term: &Term) -> String {
    let words =
        term.words.iter().map(|word| format!("'~{}'{}", word.text, if word.open { ":*" } else { "" }));
    let words: Vec<String> = words.collect();
    format!("{}({})", if term.excluded { "!" } else { "" }, words.join(" <-> "))
}

/// `bulkhead.search_{table}(words, start, null)`: the rows that have the words, or whose title begins like this.
pub(crate) fn push_call<'b>(
    out: &mut AstPass<'_, 'b, Pg>,
    resource: &Resource,
    words: Option<&'b String>,
    start: &'b String,
) -> QueryResult<()> {
    out.push_sql("bulkhead.");
    out.push_identifier(&format!("search_{}", resource.table))?;
    out.push_sql("(");
    match words {
        Some(words) => out.push_bind_param::<Text, _>(words)?,
        None => out.push_sql("NULL"),
    }
    out.push_sql(", ");
    out.push_bind_param::<Text, _>(start)?;
    out.push_sql(", NULL)");
    Ok(())
}

/// Finds rows in several tables at once, in one round trip. Where nothing at all has what was looked for, rows whose titles
/// resemble it are found instead.
///
/// # Errors
/// When the database is away, or takes too long.
pub async fn search(db: TenantDb<'_>, request: &SearchRequest) -> DbResult<Page<Hit>> {
    let words = words_of(&request.terms);
    let (position, backwards) = match &request.window {
        Window::After(position) => (Some(position), false),
        Window::Before(position) => (Some(position), true),
        Window::Start | Window::Offset(_) => (None, false),
    };
    let rank = position.map(|position| match position.value {
        Some(Value::Integer(rank)) => rank,
        _ => 0,
    });
    let limit = i64::from(request.size) + 1;
    let rows: Vec<Row> = db
        .read(async |session| {
            let (tenant, id) = (session.tenant(), position.map(|position| position.id));
            session.many(SearchQuery { request, tenant, words, rank, id, backwards, limit }).await
        })
        .await?;
    let count = rows.first().map(|row| row.0);
    let mut rows: Vec<Hit> = rows.into_iter().filter_map(hit).collect();
    let size = usize::from(request.size);
    let more = rows.len() > size;
    if backwards {
        // In the order shown, whatever way they were read: the one too many comes first.
        rows.drain(..rows.len().saturating_sub(size));
    } else {
        rows.truncate(size);
    }
    Ok(Page { rows, more, count })
}

/// The count, which is the same in each row, and a hit, which the only row of an empty page lacks.
type Row =
    (i64, Option<String>, Option<Uuid>, Option<i64>, Option<String>, Option<String>, Option<DateTime<Utc>>);

fn hit((_, table, id, rank, title, body, updated_at): Row) -> Option<Hit> {
    Some(Hit { table: table?, id: id?, title: title?, body: body?, updated_at: updated_at?, rank: rank? })
}

/// One statement for every search, so that each connection prepares one: which tables it looks in are values.
struct SearchQuery<'a> {
    request: &'a SearchRequest,
    tenant: Uuid,
    words: Option<String>,
    rank: Option<i64>,
    id: Option<Uuid>,
    backwards: bool,
    limit: i64,
}

impl SearchQuery<'_> {
    /// What was asked, in one row, so that every value is bound once.
    fn push_asked<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH asked AS MATERIALIZED (SELECT ");
        out.push_bind_param::<SqlUuid, _>(&self.tenant)?;
        out.push_sql(" AS tenant, ");
        out.push_bind_param::<Array<Text>, _>(&self.request.tables)?;
        out.push_sql(" AS tables, ");
        out.push_bind_param::<Nullable<Text>, _>(&self.words)?;
        out.push_sql(" AS words, ");
        out.push_bind_param::<Text, _>(&self.request.terms.text)?;
        out.push_sql(" AS text, ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.rank)?;
        out.push_sql(" AS rank, ");
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.id)?;
        out.push_sql(" AS id, ");
        out.push_bind_param::<Bool, _>(&self.backwards)?;
        out.push_sql(" AS backwards)");
        Ok(())
    }
}

/// Each searched table's rows, from a function that runs only when the table is asked for.
fn push_found(out: &mut AstPass<'_, '_, Pg>, arguments: &str, condition: &str) -> QueryResult<()> {
    for (place, (resource, _)) in searched().enumerate() {
        out.push_sql(if place == 0 { "SELECT '" } else { " UNION ALL SELECT '" });
        out.push_sql(resource.table);
        out.push_sql("' AS of, f.id, f.rank FROM asked CROSS JOIN LATERAL bulkhead.");
        out.push_identifier(&format!("search_{}", resource.table))?;
        out.push_sql("(");
        out.push_sql(arguments);
        out.push_sql(") AS f WHERE '");
        out.push_sql(resource.table);
        out.push_sql("' = ANY (asked.tables) AND ");
        out.push_sql(condition);
    }
    Ok(())
}

/// What is shown of a row, read by the caller's role under its policies.
fn push_rows(out: &mut AstPass<'_, '_, Pg>) -> QueryResult<()> {
    for (place, (resource, texts)) in searched().enumerate() {
        out.push_sql(if place == 0 { "SELECT r." } else { " UNION ALL SELECT r." });
        out.push_identifier(texts.title)?;
        out.push_sql(" AS title, left(concat_ws(' '");
        for column in texts.body {
            out.push_sql(", r.");
            out.push_identifier(column)?;
        }
        // One that is skipped, because there may be no column.
        out.push_sql(", NULL), ");
        out.push_sql(SHOWN);
        out.push_sql(") AS body, r.updated_at FROM bulkhead.");
        out.push_identifier(resource.table)?;
        out.push_sql(" AS r WHERE top.of = '");
        out.push_sql(resource.table);
        out.push_sql("' AND r.tenant_id = asked.tenant AND r.id = top.id");
    }
    Ok(())
}

impl QueryFragment<Pg> for SearchQuery<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.push_asked(&mut out)?;
        out.push_sql(", found AS MATERIALIZED (");
        push_found(
            &mut out,
            "asked.words, asked.text, NULL",
            &format!("(asked.rank IS NULL OR asked.rank >= {FOUND})"),
        )?;
        out.push_sql("), matches AS MATERIALIZED (SELECT * FROM found UNION ALL ");
        // A page behind one of them goes on with them, whatever was added meanwhile.
        let alike =
            format!("(asked.rank < {FOUND} OR asked.rank IS NULL AND NOT EXISTS (SELECT FROM found))");
        push_found(&mut out, "NULL, NULL, asked.text", &alike)?;
        out.push_sql(
            "), top AS (SELECT matches.* FROM matches, asked WHERE asked.rank IS NULL OR CASE WHEN asked.backwards \
             THEN (matches.rank, matches.id) > (asked.rank, asked.id) ELSE (matches.rank, matches.id) < (asked.rank, asked.id) END \
             ORDER BY CASE WHEN asked.backwards THEN matches.rank END, CASE WHEN asked.backwards THEN matches.id END, \
             matches.rank DESC, matches.id DESC LIMIT ",
        );
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(
            ") SELECT counted.n, top.of, top.id, top.rank, shown.title, shown.body, shown.updated_at \
             FROM asked CROSS JOIN (SELECT count(*) AS n FROM matches) AS counted \
             LEFT JOIN (top CROSS JOIN LATERAL (",
        );
        push_rows(&mut out)?;
        out.push_sql(") AS shown) ON true ORDER BY top.rank DESC, top.id DESC");
        Ok(())
    }
}

impl Query for SearchQuery<'_> {
    type SqlType = (
        BigInt,
        Nullable<Text>,
        Nullable<SqlUuid>,
        Nullable<BigInt>,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Timestamptz>,
    );
}

impl QueryId for SearchQuery<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

#[cfg(test)]
mod tests {
    use bulkhead_domain::search::Terms;

    use super::words_of;

    #[test]
    fn words_are_quoted_and_only_we_write_operators() {
        let asked = |text: &str| words_of(&Terms::parse(text).expect("searchable"));
        assert_eq!(
            asked("cover \"first draft\" -old or she").as_deref(),
            Some("(('~cover') & ('~first' <-> '~draft') & !('~old')) | (('~she':*))")
        );
        assert_eq!(asked("a' | b:* & !c\\"), asked("a b c \\"), "what is no word separates words");
        assert_eq!(asked("&|!"), None);
    }
}
