//! `bulkhead create-user`: a person in a tenant, with a role and a password.

use bulkhead_domain::person::{Email, NameError, Username};
use bulkhead_domain::scope::Role;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::platform::{NewUser, Platform, PlatformError};
use clap::Args;
use serde_json::json;

use super::first_password::{self, FirstPassword};
use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;

/// Its arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bulkhead create-user --tenant acme --username bob --email bob@example.com --role viewer

The password is asked for twice, without echo, or read with --password-stdin. It is never an argument. With
--one-time-token nobody but the user ever knows it.")]
pub(crate) struct CreateUserArguments {
    /// The tenant, by slug or id
    #[arg(long)]
    tenant: String,
    /// Name to log in with, unique within the tenant
    #[arg(long, value_parser = parse_username)]
    username: Username,
    /// E-mail address, unique within the tenant
    #[arg(long, value_parser = parse_email)]
    email: Email,
    /// owner, admin, member or viewer
    #[arg(long, default_value = "member", value_parser = parse_role)]
    role: Role,
    /// First name
    #[arg(long, default_value = "", hide_default_value = true)]
    first_name: String,
    /// Last name
    #[arg(long, default_value = "", hide_default_value = true)]
    last_name: String,
    #[command(flatten)]
    password: FirstPassword,
}

pub(super) fn parse_username(text: &str) -> Result<Username, NameError> {
    Username::parse(text)
}

pub(super) fn parse_email(text: &str) -> Result<Email, NameError> {
    Email::parse(text)
}

pub(super) fn parse_role(text: &str) -> Result<Role, &'static str> {
    Role::parse(text).ok_or("owner, admin, member or viewer")
}

/// Creates the user.
pub(super) fn run(context: &Context, arguments: &CreateUserArguments) -> Result<(), Failure> {
    let databases = Databases::open(context)?;
    let connection = databases.connect(Purpose::Platform)?;
    let known = [arguments.username.as_str(), arguments.tenant.as_str()];
    let (tenant, user, token) = block_on(async {
        let password_hash = arguments.password.hash(context, &known).await?;
        let mut platform = Platform::connect(&connection, &context.operator).await?;
        let tenant = platform
            .find_tenant(&TenantName::from_body(&arguments.tenant))
            .await?
            .ok_or(PlatformError::UnknownTenant)?;
        let new = NewUser {
            username: arguments.username.clone(),
            email: arguments.email.clone(),
            first_name: arguments.first_name.clone(),
            last_name: arguments.last_name.clone(),
            role: arguments.role,
            password_hash,
        };
        let user = platform.create_user(tenant.id, &new).await?;
        let token = arguments.password.token(&mut platform, tenant.id, &new.username).await?;
        Ok((tenant, user, token))
    })?;
    let (username, role) = (arguments.username.as_str(), arguments.role.as_str());
    let document = json!({ "id": user, "username": username, "role": role, "tenant": tenant.slug });
    let done = format!("created {role} {username} ({user}) in {}", tenant.slug);
    first_password::tell(context, document, &done, token.as_ref());
    Ok(())
}
