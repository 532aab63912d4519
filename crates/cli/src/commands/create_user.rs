//! `bulkhead create-user`: a person in a tenant, with a role and a password.

use bulkhead_domain::person::{Email, NameError, Username};
use bulkhead_domain::scope::Role;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::platform::{NewUser, Platform, PlatformError};
use clap::Args;
use serde_json::json;

use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;
use crate::passwords;

/// Its arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bulkhead create-user --tenant acme --username bob --email bob@example.com --role viewer

The password is asked for twice, without echo, or read with --password-stdin. It is never an argument.")]
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
    /// Read the password from standard input, one line
    #[arg(long)]
    password_stdin: bool,
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
    let password = passwords::new_password(context, arguments.password_stdin, &known)?;
    let (tenant, user) = block_on(async {
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
            password_hash: Some(passwords::hash(context, password).await?),
        };
        let user = platform.create_user(tenant.id, &new).await?;
        Ok((tenant, user))
    })?;
    let (username, role) = (arguments.username.as_str(), arguments.role.as_str());
    let document = json!({ "id": user, "username": username, "role": role, "tenant": tenant.slug });
    context.output.tell(&document, &format!("created {role} {username} ({user}) in {}", tenant.slug));
    Ok(())
}
