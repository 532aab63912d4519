//! What every tenant resource can do, and the one macro that writes the five plain queries of it. A resource whose
//! verb differs writes that verb by hand and leaves the rest to the macro.

use std::future::Future;

use bulkhead_domain::field::Fields;
use bulkhead_domain::list::{ListRequest, Page};
use bulkhead_domain::resource::Resource;
use diesel::sql_types::{BigInt, Nullable};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::DbResult;
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

    /// One row. [`DbError::NotFound`](crate::error::DbError::NotFound) for an unknown id and for another tenant's alike.
    fn get(db: TenantDb<'_>, id: Uuid) -> impl Future<Output = DbResult<Self::Detail>>;

    /// Adds a row under an id of the server's making.
    fn insert(
        tx: &mut WriteTx<'_>,
        id: Uuid,
        fields: Self::Fields,
    ) -> impl Future<Output = DbResult<Self::View>>;

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

/// Writes [`Entity`] for a table. `column: field` renames; `detail` says which struct and function answer a single row.
macro_rules! tenant_crud {
    (@get $table:ident, $view:ty, $db:ident, $id:ident) => {
        $db.read(async |s| {
            let row = $table::table.filter($table::tenant_id.eq(s.tenant()).and($table::id.eq($id)));
            s.one(row.select(<$view>::as_select())).await
        }).await
    };
    (@get $table:ident, $view:ty, $db:ident, $id:ident, $get:path) => { $get($db, $id).await };
    (@detail $view:ty) => { $view };
    (@detail $view:ty, $detail:ty) => { $detail };
    ($(#[$doc:meta])* $name:ident: $table:ident, $resource:expr, $view:ty, $fields:ty, $patch:ty,
     { $($column:ident: $field:ident),+ $(,)? } $(, detail $detail:ty = $get:path)?) => {
        $(#[$doc])*
        pub struct $name;

        impl $crate::crud::View for $view {
            fn id(&self) -> uuid::Uuid { self.id }
            fn version(&self) -> i64 { self.version }
        }

        impl $crate::crud::Listed for $name {
            const RESOURCE: &'static bulkhead_domain::resource::Resource = &$resource;
            type View = $view;

            async fn list(db: TenantDb<'_>, request: &ListRequest) -> DbResult<Page<$view>> {
                $crate::listing::page(db, Self::RESOURCE, request).await
            }
        }

        impl $crate::crud::Entity for $name {
            type Detail = $crate::crud::tenant_crud!(@detail $view $(, $detail)?);
            type Fields = $fields;
            type Patch = $patch;

            async fn get(db: TenantDb<'_>, id: Uuid) -> DbResult<Self::Detail> {
                $crate::crud::tenant_crud!(@get $table, $view, db, id $(, $get)?)
            }

            async fn insert(tx: &mut WriteTx<'_>, id: Uuid, fields: $fields) -> DbResult<$view> {
                tx.run(async |s| {
                    let row = ($table::tenant_id.eq(s.tenant()), $table::id.eq(id),
                        $($table::$column.eq(fields.$field.into_column()),)+);
                    s.one(diesel::insert_into($table::table).values(row).returning(<$view>::as_returning())).await
                }).await
            }

            async fn update(tx: &mut WriteTx<'_>, id: Uuid, expected: Option<i64>, patch: $patch) -> DbResult<$view> {
                let changed = tx.run(async |s| {
                    let row = $table::table.filter($table::tenant_id.eq(s.tenant()).and($table::id.eq(id)))
                        .filter($table::version.eq($crate::crud::coalesce(expected, $table::version)));
                    let changes = ($(patch.$field.map(|v| $table::$column.eq(v.into_column())),)+);
                    let changes = (changes, $table::version.eq($table::version + 1), $table::updated_at.eq(diesel::dsl::now));
                    s.optional($crate::kept::kept(diesel::update(row).set(changes).returning(<$view>::as_returning()))).await
                }).await?;
                match changed {
                    Some(row) => Ok(row),
                    None => Err(Self::why_unchanged(tx, id).await?),
                }
            }

            async fn delete(tx: &mut WriteTx<'_>, id: Uuid, expected: Option<i64>) -> DbResult<()> {
                let removed = tx.run(async |s| {
                    let row = $table::table.filter($table::tenant_id.eq(s.tenant()).and($table::id.eq(id)))
                        .filter($table::version.eq($crate::crud::coalesce(expected, $table::version)));
                    s.execute(diesel::delete(row)).await
                }).await?;
                if removed == 0 { Err(Self::why_unchanged(tx, id).await?) } else { Ok(()) }
            }
        }

        impl $name {
            async fn why_unchanged(tx: &mut WriteTx<'_>, id: Uuid) -> DbResult<DbError> {
                let exists = tx.run(async |s| {
                    let row = $table::table.filter($table::tenant_id.eq(s.tenant()).and($table::id.eq(id)));
                    s.one(diesel::select(diesel::dsl::exists(row))).await
                }).await?;
                Ok(if exists { DbError::Stale } else { DbError::NotFound })
            }
        }
    };
}
pub(crate) use tenant_crud;
