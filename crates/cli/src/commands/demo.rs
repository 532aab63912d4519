//! The demo tenants: two tenants, a user in each, some rows, and a session for each user. Repeatable: what is there
//! stays as it is. Rows are written through the same door as a request's, with a token that was verified.

mod rows;
mod session;

use bulkhead_auth::token::Tokens;
use bulkhead_domain::person::{Email, Username};
use bulkhead_domain::scope::Role;
use bulkhead_domain::tenant::{Slug, TenantName};
use bulkhead_persistence::credentials::AuthDb;
use bulkhead_persistence::platform::{NewTenant, NewUser, Platform, PlatformError, TenantSummary};
use bulkhead_persistence::tenant_db::Db;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::context::Context;
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;
use crate::{passwords, services};

/// The password of both users. Published, hence never in production.
pub(super) const PASSWORD: &str = "testpass123";

/// One of the two tenants.
struct Demo {
    slug: &'static str,
    name: &'static str,
    domain: &'static str,
    username: &'static str,
    email: &'static str,
}

const DEMOS: [Demo; 2] = [
    Demo {
        slug: "acme",
        name: "Acme Corporation",
        domain: "acme.localhost",
        username: "acme_user",
        email: "user@acme.localhost",
    },
    Demo {
        slug: "beta",
        name: "Beta Industries",
        domain: "beta.localhost",
        username: "beta_user",
        email: "user@beta.localhost",
    },
];

/// What `test_tokens.json` says of one tenant. The names are those that its readers know.
#[derive(Serialize)]
pub(super) struct DemoTokens {
    id: String,
    name: String,
    /// The tenant's short name.
    pub(super) slug: String,
    user: String,
    access_token: String,
    refresh_token: String,
}

impl DemoTokens {
    /// A token for a first try.
    pub(super) fn access_token(&self) -> &str {
        &self.access_token
    }
}

/// Makes sure that the demo tenants are there, and opens a session in each.
///
/// # Errors
/// The database's, or that there is no signing key.
pub(super) async fn create(context: &Context, databases: &Databases<'_>) -> Result<Vec<DemoTokens>, Failure> {
    let mut platform = Platform::connect(&databases.connect(Purpose::Platform)?, &context.operator).await?;
    let pool = services::pool(context, 1);
    let auth = AuthDb::new(databases.connect(Purpose::Auth)?, pool);
    let rows = Db::new(databases.connect(Purpose::App)?, pool);
    let tokens = services::tokens(context)?;
    let mut made = Vec::new();
    for demo in &DEMOS {
        let tenant = settle_tenant(context, &mut platform, demo).await?;
        made.push(open_session(context, &auth, &rows, &tokens, &tenant, demo).await?);
    }
    Ok(made)
}

/// The tenant with its user, made now or before.
async fn settle_tenant(
    context: &Context,
    platform: &mut Platform,
    demo: &Demo,
) -> Result<TenantSummary, Failure> {
    let name = TenantName::Slug(demo.slug.to_owned());
    if let Some(found) = platform.find_tenant(&name).await? {
        let user = new_user(context, demo).await?;
        return match platform.create_user(found.id, &user).await {
            Ok(_) | Err(PlatformError::UsernameTaken | PlatformError::EmailTaken) => Ok(found),
            Err(error) => Err(error.into()),
        };
    }
    let new = NewTenant {
        slug: Slug::parse(demo.slug).ok_or(Failure::DemoData("tenants"))?,
        name: demo.name.to_owned(),
        domain: Some(demo.domain.to_owned()),
        on_trial: true,
        paid_until: None,
        admin: Some(new_user(context, demo).await?),
    };
    match platform.create_tenant(&new).await {
        // Another process was first.
        Ok(_) | Err(PlatformError::SlugTaken) => {}
        Err(error) => return Err(error.into()),
    }
    platform.find_tenant(&name).await?.ok_or(Failure::Platform(PlatformError::UnknownTenant))
}

async fn new_user(context: &Context, demo: &Demo) -> Result<NewUser, Failure> {
    Ok(NewUser {
        username: Username::parse(demo.username).or(Err(Failure::DemoData("users")))?,
        email: Email::parse(demo.email).or(Err(Failure::DemoData("users")))?,
        first_name: "Demo".to_owned(),
        last_name: demo.name.to_owned(),
        role: Role::Admin,
        password_hash: Some(passwords::hash(context, SecretString::from(PASSWORD)).await?),
    })
}

async fn open_session(
    context: &Context,
    auth: &AuthDb,
    rows: &Db,
    tokens: &Tokens,
    tenant: &TenantSummary,
    demo: &Demo,
) -> Result<DemoTokens, Failure> {
    let session = session::open(context, auth, tokens, tenant, demo.username).await?;
    let verified = tokens.verify(session.access.token.expose_secret()).or(Err(Failure::OwnToken))?;
    rows::create(rows.tenant(verified.scope()), demo.slug).await?;
    Ok(DemoTokens {
        id: tenant.id.to_string(),
        name: tenant.name.clone(),
        slug: tenant.slug.clone(),
        user: demo.username.to_owned(),
        access_token: session.access.token.expose_secret().to_owned(),
        refresh_token: session.refresh.expose_secret().to_owned(),
    })
}
