//! Exchange of a refresh token for a new pair.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use bulkhead_auth::refresh::RefreshToken;
use bulkhead_domain::code::Code;
use bulkhead_domain::revocation::{Revocation, Subject};
use bulkhead_persistence::credentials::{Rotation, RotationOf};
use serde::Deserialize;
use utoipa::ToSchema;

use super::reply::tokens;
use crate::extract::form::Members;
use crate::problem::{Outcome, Problem};
use crate::session::{Session, access_token};
use crate::worker::Worker;

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
pub(crate) struct RefreshRequest {
    /// The refresh token.
    refresh: String,
}

/// `POST /api/v1/auth/token/refresh/`
pub(crate) async fn refresh(worker: Data<Worker>, mut members: Members) -> Outcome<HttpResponse> {
    let presented = RefreshToken::parse(&members.required("refresh")?).ok_or_else(refused)?;
    let signing = Arc::clone(&worker.services.keyring.current());
    let successors: Vec<_> = signing.peppers.iter().map(|pepper| presented.successor(pepper)).collect();
    let digests: Vec<[u8; 32]> = successors.iter().map(|successor| *successor.digest.as_bytes()).collect();
    let (lineage, digest) = (presented.lineage(), presented.digest());
    let hashes = RotationOf {
        lineage: lineage.as_bytes(),
        presented: digest.as_bytes(),
        successors: &digests,
        grace: worker.services.refresh.grace,
    };
    let (tenant, family) = (presented.tenant(), presented.family());
    match worker.auth.rotate(tenant, family, hashes).await.map_err(Problem::busy_is_unavailable)? {
        Rotation::Rotated { holder, successor } => {
            let successor = successors.into_iter().nth(successor);
            let refresh =
                successor.ok_or_else(|| Problem::internal(&"a successor that nobody offered"))?.plain;
            let access = access_token(&signing.tokens, &holder.tenant, &holder.account, family)?;
            Ok(tokens(&Session { access, refresh, ends: holder.ends }))
        }
        Rotation::Replayed => {
            worker.state.revoke(Revocation { tenant, subject: Subject::Session(family), epoch: 0 });
            tracing::warn!(security = true, %tenant, session = %family, "a used refresh token came back; session revoked");
            Err(refused())
        }
        Rotation::Refused => Err(refused()),
    }
}

fn refused() -> Problem {
    Problem::new(Code::TokenNotValid, "Token is invalid or expired")
        .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"api\", error=\"invalid_token\"")
}
