//! What every tenant resource can do, and the one macro that writes the five plain queries of it. A resource whose
//! verb differs writes that verb by hand and leaves the rest to the macro.

use std::future::Future;

use bulkhead_domain::field::Fields;
use bulkhead_domain::list::{ListRequest, Page};
use bulkhead_domain::resource::Resource;
use diesel::sql_types::{BigInt, Bool, Nullable, Timestamptz};
use diesel::{IntoSql as _, QueryResult};
use futures_util::future::join_all;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::{DbError, DbResult, is_consequence};
use crate::session::Session;
use crate::tenant_db::{TenantDb, WriteTx};

/// A row as the API shows it: an explicit list of columns, never `*`.
pub trait View: Serialize + ToSchema + Send + 'static {
    /// The row's id.
    fn id(&self) -> Uuid;
    /// The row's version, which grows with every change.
    fn version(&self) -> i64;
}

/// A kind of row that tenants own and that can be listed.
pub trait Listed: Sized + 'static {
    /// Its name, filters and orderings.
    const RESOURCE: &'static Resource;
    /// A row in a list, and after a change.
    type View: Serialize + ToSchema + Send + 'static;

    /// One page.
    fn list(db: TenantDb<'_>, request: &ListRequest) -> impl Future<Output = DbResult<Page<Self::View>>>;
}

/// A kind of row that tenants work with. Implemented by [`tenant_crud!`](crate::crud::tenant_crud).
pub trait Entity: Listed<View: View> {
    /// A single row; often the same.
    type Detail: View;
    /// The body of POST and PUT.
    type Fields: Fields + ToSchema;
    /// The merge patch of PATCH.
    type Patch: Fields + ToSchema + From<Self::Fields>;

    /// One row. [`DbError::NotFound`] for an unknown id and for another tenant's alike.
    fn get(db: TenantDb<'_>, id: Uuid) -> impl Future<Output = DbResult<Self::Detail>>;

    /// Adds a row under an id of the server's making.
    fn insert(
        tx: &mut WriteTx<'_>,
        id: Uuid,
        fields: Self::Fields,
    ) -> impl Future<Output = DbResult<Self::View>>;

    /// Adds rows under ids of the server's making, all of them or none.
    /// [`DbError::InRow`] says which one was refused.
    fn insert_all(
        tx: &mut WriteTx<'_>,
        rows: Vec<(Uuid, Self::Fields)>,
    ) -> impl Future<Output = DbResult<Vec<Self::View>>>;

    /// Changes a row, if it still is in the expected version.
    fn update(
        tx: &mut WriteTx<'_>,
        id: Uuid,
        expected: Option<i64>,
        patch: Self::Patch,
    ) -> impl Future<Output = DbResult<Self::View>>;

    /// Removes a row, if it still is in the expected version.
    fn delete(tx: &mut WriteTx<'_>, id: Uuid, expected: Option<i64>) -> impl Future<Output = DbResult<()>>;
}

diesel::define_sql_function! {
    /// The expected version, or the row's own when none is expected.
    fn coalesce(expected: Nullable<BigInt>, current: BigInt) -> BigInt;
}

diesel::define_sql_function! {
    /// The moment that is known, or else this one.
    #[sql_name = "coalesce"]
    fn first(known: Nullable<Timestamptz>, now: Timestamptz) -> Timestamptz;
}

/// The moment, or null when it has not come.
pub(crate) fn since<M>(
    has_come: bool,
    moment: M,
) -> diesel::dsl::case_when<diesel::dsl::AsExprOf<bool, Bool>, M, Timestamptz>
where
    M: diesel::Expression<SqlType = Timestamptz>,
{
    diesel::dsl::case_when(has_come.into_sql::<Bool>(), moment)
}

/// Adds many rows: a statement each, so that it is known which one was refused, all sent before the first is answered.
pub(crate) async fn add_all<F, V>(
    tx: &mut WriteTx<'_>,
    rows: Vec<(Uuid, F)>,
    add: impl AsyncFn(Session<'_>, Uuid, F) -> QueryResult<V>,
) -> DbResult<Vec<V>> {
    let outcomes =
        tx.run(async |s| Ok(join_all(rows.into_iter().map(|(id, row)| add(s, id, row))).await)).await?;
    let mut rows = Vec::with_capacity(outcomes.len());
    let mut consequence = None;
    for (at, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(row) => rows.push(row),
            Err(error) if is_consequence(&error) => consequence = Some(error),
            Err(error) => return Err(DbError::InRow(at, Box::new(error.into()))),
        }
    }
    consequence.map_or(Ok(rows), |error| Err(error.into()))
}

/// Writes [`Listed`] and [`View`] for a table.
macro_rules! listed {
    ($name:ident, $resource:expr, $view:ty) => {
        impl $crate::crud::View for $view {
            fn id(&self) -> uuid::Uuid {
                self.id
            }
            fn version(&self) -> i64 {
                self.version
            }
        }

        impl $crate::crud::Listed for $name {
            const RESOURCE: &'static bulkhead_domain::resource::Resource = &$resource;
            type View = $view;

            async fn list(db: TenantDb<'_>, request: &ListRequest) -> DbResult<Page<$view>> {
                $crate::listing::page(db, Self::RESOURCE, request).await
            }
        }
    };
}
pub(crate) use listed;

/// One row of a table.
macro_rules! row {
    ($table:ident, $s:ident, $id:expr) => {
        $table::table.filter($table::tenant_id.eq($s.tenant()).and($table::id.eq($id)))
    };
    ($table:ident, $s:ident, $id:expr, version $expected:ident) => {
        $crate::crud::row!($table, $s, $id)
            .filter($table::version.eq($crate::crud::coalesce($expected, $table::version)))
    };
}
pub(crate) use row;

/// Writes how a row is added, and why one could not be changed.
macro_rules! helpers {
    ($name:ident: $table:ident, $view:ty, $fields:ty, { $($column:ident: $field:ident),+ $(,)? }
     $(, maker $maker:ident)? $(, since $moment:ident: $state:ident = $value:expr)?) => {
        impl $name {
            async fn add(s: $crate::session::Session<'_>, maker: Option<Uuid>, id: Uuid, fields: $fields) -> QueryResult<$view> {
                let now = diesel::dsl::now.into_sql::<diesel::sql_types::Timestamptz>();
                let row = ($table::tenant_id.eq(s.tenant()), $table::id.eq(id), $table::created_at.eq(now),
                    $($table::$maker.eq(maker),)?
                    $($table::$moment.eq($crate::crud::since(fields.$state == $value, now)),)?
                    $($table::$column.eq(fields.$field.for_new(maker)),)+);
                s.one(diesel::insert_into($table::table).values(row).returning(<$view>::as_returning())).await
            }

            async fn why_unchanged(tx: &mut WriteTx<'_>, id: Uuid) -> DbResult<DbError> {
                let exists = async |s: $crate::session::Session<'_>| {
                    s.one(diesel::select(diesel::dsl::exists($crate::crud::row!($table, s, id)))).await
                };
                Ok(if tx.run(exists).await? { DbError::Stale } else { DbError::NotFound })
            }
        }
    };
}
pub(crate) use helpers;

/// Writes [`Entity`] for a table. `column: field` renames. What a resource may add, in this order: `maker` names the column
/// that keeps who made a row; `since` a column that keeps since when a field has a value, and is null while it has another;
/// `then` what is to be done after a change; `detail` the struct and the function that answer a single row.
macro_rules! tenant_crud {
    (@get $table:ident, $view:ty, $db:ident, $id:ident) => {
        $db.read(async |s| s.one($crate::crud::row!($table, s, $id).select(<$view>::as_select())).await).await
    };
    (@get $table:ident, $view:ty, $db:ident, $id:ident, $get:path) => { $get($db, $id).await };
    (@detail $view:ty) => { $view };
    (@detail $view:ty, $detail:ty) => { $detail };
    ($(#[$doc:meta])* $name:ident: $table:ident, $resource:expr, $view:ty, $fields:ty, $patch:ty,
     { $($column:ident: $field:ident),+ $(,)? } $(, maker $maker:ident)? $(, since $moment:ident: $state:ident = $value:expr)?
     $(, then $then:path)? $(, detail $detail:ty = $get:path)?) => {
        $(#[$doc])*
        pub struct $name;

        $crate::crud::listed!($name, $resource, $view);
        $crate::crud::helpers!($name: $table, $view, $fields, { $($column: $field),+ }
            $(, maker $maker)? $(, since $moment: $state = $value)?);

        impl $crate::crud::Entity for $name {
            type Detail = $crate::crud::tenant_crud!(@detail $view $(, $detail)?);
            type Fields = $fields;
            type Patch = $patch;

            async fn get(db: TenantDb<'_>, id: Uuid) -> DbResult<Self::Detail> {
                $crate::crud::tenant_crud!(@get $table, $view, db, id $(, $get)?)
            }

            async fn insert(tx: &mut WriteTx<'_>, id: Uuid, fields: $fields) -> DbResult<$view> {
                let maker = tx.maker();
                tx.run(async |s| Self::add(s, maker, id, fields).await).await
            }

            async fn insert_all(tx: &mut WriteTx<'_>, rows: Vec<(Uuid, $fields)>) -> DbResult<Vec<$view>> {
                let maker = tx.maker();
                let add = async |s: $crate::session::Session<'_>, id, row| Self::add(s, maker, id, row).await;
                $crate::crud::add_all(tx, rows, add).await
            }

            async fn update(tx: &mut WriteTx<'_>, id: Uuid, expected: Option<i64>, patch: $patch) -> DbResult<$view> {
                let changed = tx.run(async |s| {
                    let changes = ($(patch.$field.and_then(Field::for_change).map(|v| $table::$column.eq(v)),)+);
                    let changes = (changes, $table::version.eq($table::version + 1), $table::updated_at.eq(diesel::dsl::now),
                        $(patch.$state.map(|v| $table::$moment.eq($crate::crud::since(v == $value, $crate::crud::first($table::$moment, diesel::dsl::now)))),)?);
                    let update = diesel::update($crate::crud::row!($table, s, id, version expected)).set(changes);
                    s.optional($crate::kept::kept(update.returning(<$view>::as_returning()))).await
                }).await?;
                let Some(row) = changed else { return Err(Self::why_unchanged(tx, id).await?) };
                $($then(tx, &row).await?;)?
                Ok(row)
            }

            async fn delete(tx: &mut WriteTx<'_>, id: Uuid, expected: Option<i64>) -> DbResult<()> {
                let delete = async |s: $crate::session::Session<'_>| {
                    s.execute(diesel::delete($crate::crud::row!($table, s, id, version expected))).await
                };
                if tx.run(delete).await? == 0 { Err(Self::why_unchanged(tx, id).await?) } else { Ok(()) }
            }
        }
    };
}
pub(crate) use tenant_crud;
