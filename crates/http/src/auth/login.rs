//! Log-in with a password. Tenant and name are one key: whoever is not of the tenant is nobody there, and gets the same
//! answer after the same work as somebody with a wrong password.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_auth::password::{HashError, Verdict};
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::TenantId;
use bulkhead_domain::person::normalize_name;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::error::DbError;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::reply::tokens;
use crate::context::host_of;
use crate::extract::form::{Members, complaint};
use crate::problem::{Outcome, Problem};
use crate::session::{SessionError, open_session};
use crate::worker::Worker;

/// The longest name that is looked up; longer ones belong to nobody.
const LONGEST_NAME: usize = 254;

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
}

/// `POST /api/v1/auth/token/`
pub(crate) async fn log_in(
    request: HttpRequest,
    worker: Data<Worker>,
    mut members: Members,
) -> Outcome<HttpResponse> {
    let name = match members.optional("username")? {
        Some(name) => Some(name),
        None => members.optional("email")?,
    };
    let name = name.ok_or_else(|| complaint("username", "This field is required."))?;
    let password = SecretString::from(members.required("password")?);
    let tenant_name = match members.optional("tenant")? {
        Some(text) => TenantName::from_body(&text),
        None => host_of(&request)
            .map(TenantName::Host)
            .ok_or_else(|| complaint("tenant", "This field is required."))?,
    };

    let name = normalize_name(&name);
    // Without the tenant: it has several spellings, and each would be a limit of its own.
    worker.limits.attempt(&request, &name)?;
    let tenant = worker.auth.find_tenant(&tenant_name).await?;
    // Nobody's tenant is searched as well, so that an unknown tenant takes as long as a known one.
    let searched = tenant.as_ref().map_or(TenantId::from_uuid(Uuid::nil()), |tenant| tenant.id());
    let name = if name.len() > LONGEST_NAME { "" } else { &name };
    let found = worker.auth.find_account(searched, name).await?;
    let (account, hash) = found.map_or((None, None), |(account, hash)| (Some(account), Some(hash)));
    let verdict = worker.services.hasher.verify(password, hash).await.map_err(|error| not_hashed(&error))?;
    let (Some(tenant), Some(account), Verdict::Match | Verdict::MatchNeedsRehash) =
        (tenant, account, verdict)
    else {
        return Err(refused());
    };
    // Only who knows the password may learn why it does not help.
    if !account.is_active() {
        return Err(refused());
    }
    if !tenant.is_active() {
        return Err(Problem::new(Code::TenantInactive, "The tenant is suspended."));
    }

    let lifetime = worker.services.refresh.lifetime;
    let session = open_session(&worker.auth, &worker.tokens(), lifetime, &tenant, &account).await;
    match session {
        Ok(session) => Ok(tokens(&session)),
        // The user was removed since the password was checked.
        Err(SessionError::Database(DbError::BadReference(_))) => Err(refused()),
        Err(error) => Err(error.into()),
    }
}

fn refused() -> Problem {
    Problem::new(Code::AuthenticationFailed, "No active account found with the given credentials")
        .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"api\"")
}

/// A password that could never have been set is a wrong one.
fn not_hashed(error: &HashError) -> Problem {
    match error {
        HashError::Unusable(_) => refused(),
        HashError::Busy => Problem::unavailable(&"too many log-ins at once"),
        HashError::Internal(_) => Problem::internal(error),
    }
}
