//! Making many rows at once: one operation, for every resource that offers it. All of them are made, or none.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use bulkhead_domain::code::Code;
use bulkhead_domain::field::Rows;
use bulkhead_domain::ids::new_id;
use bulkhead_domain::scope::Action;
use bulkhead_persistence::crud::Entity;
use serde::Serialize;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::context::TenantCtx;
use crate::extract::body::Body;
use crate::extract::retry::IdempotencyKey;
use crate::operation::Endpoint;
use crate::problem::Outcome;
use crate::resource::{JSON, collection, endpoint, refused};
use crate::respond;

/// The rows that were made, in the order of the body.
#[derive(Serialize)]
struct Made<T> {
    results: Vec<T>,
}

/// Written out by hand, because a derived schema has one name for the rows of all resources.
impl<T: ToSchema> PartialSchema for Made<T> {
    fn schema() -> RefOr<Schema> {
        let rows = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        RefOr::T(ObjectBuilder::new().property("results", rows).required("results").build().into())
    }
}

impl<T: ToSchema> ToSchema for Made<T> {
    fn name() -> Cow<'static, str> {
        format!("Made{}Rows", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
        schemas.push((T::name().into_owned(), T::schema()));
    }
}

/// `POST /api/v1/{resource}/bulk/`
pub(crate) fn bulk<R: Entity>() -> Endpoint {
    let path = collection::<R>() + "bulk/";
    endpoint::<R, _, _>(Method::POST, path, "bulk_create", Action::Write, create_all::<R>)
        .summary(format!("Create many {}", R::RESOURCE.name.replace('-', " ")))
        .about("All rows are made, or none. What is wrong with one is said under its place: `rows.3.title`.")
        .header("Idempotency-Key", "A name for this attempt, so that a retry does not create twice.")
        .takes::<Rows<R::Fields>>(JSON)
        .answers::<Made<R::View>>(201, "Created, in the order of the body.", &[])
        .refuses(Code::Duplicate)
        .refuses(Code::IdempotencyKeyReused)
}

async fn create_all<R: Entity>(
    ctx: TenantCtx,
    key: IdempotencyKey,
    body: Body<Rows<R::Fields>>,
) -> Outcome<HttpResponse> {
    let Body { fields: Rows(rows), bytes } = body;
    let key = key.for_body(&bytes);
    let once = ctx.db().write_once(key.as_ref(), async |tx| {
        // Ids grow with the order of the rows, so that lists show them in it too.
        let rows = rows.into_iter().map(|row| (new_id(), row)).collect();
        let results = R::insert_all(tx, rows).await?;
        respond::document(StatusCode::CREATED, &Made { results }, [])
    });
    Ok(respond::once(once.await.map_err(refused::<R>)?))
}
