//! Log-in: a password, and the code of a second factor where there is one, in one step or in two.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_persistence::credentials::{Account, DirectoryEntry};
use bulkhead_persistence::error::DbError;
use bulkhead_persistence::families::Origin;
use serde::Deserialize;
use utoipa::ToSchema;

use super::factor;
use super::identify::{Claimed, Identified, identify, refused};
use super::reply::{Keeping, tokens};
use crate::extract::form::Members;
use crate::problem::{Outcome, Problem};
use crate::session::{SessionError, open_session};
use crate::worker::Worker;

/// A person's credentials. Either `username` or `email` must be there; each may hold either.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
pub(crate) struct LoginRequest {
    /// The user name, or the e-mail address.
    #[schema(required = false)]
    username: Option<String>,
    /// The e-mail address, or the user name.
    #[schema(required = false)]
    email: Option<String>,
    /// The password.
    password: String,
    /// The tenant's slug or id. May be left out on a host that belongs to a tenant.
    #[schema(required = false)]
    tenant: Option<String>,
    /// A code of the second factor, or a recovery code. Without it, an account with a second factor gets a challenge.
    #[schema(required = false)]
    code: Option<String>,
    /// `cookie`: keep the refresh token in a cookie instead of the answer.
    #[schema(required = false)]
    refresh_in: Option<String>,
}

/// `POST /api/v1/auth/token/`
pub(crate) async fn log_in(
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let claimed = Claimed::read(&request, &mut members)?;
    let code = members.optional("code")?;
    let keeping = Keeping::read(&request, &worker, &mut members)?;
    let Identified { tenant, known, attempt } = identify(&worker, &request, claimed).await?;
    if let Some(stored) = &known.second_factor {
        match code {
            None => return Err(factor::challenge(&worker, &tenant, &known.account)?),
            Some(code) => factor::check(&worker, &tenant, &known.account, stored, &code).await?,
        }
    }
    let origin = attempt.opens(&worker, &request);
    opened(&worker, &tenant, &known.account, &origin, keeping).await
}

/// Opens a session and answers with its tokens.
pub(crate) async fn opened(
    worker: &Worker,
    tenant: &DirectoryEntry,
    account: &Account,
    origin: &Origin,
    keeping: Keeping,
) -> Outcome<HttpResponse> {
    let lifetime = worker.services.refresh.lifetime;
    match open_session(&worker.auth, &worker.tokens(), lifetime, tenant, account, origin).await {
        Ok(session) => Ok(tokens(&session, keeping)),
        // The user was removed since it proved who it is.
        Err(SessionError::Database(DbError::BadReference(_))) => Err(refused()),
        Err(error) => Err(Problem::from(error)),
    }
}
