//! `bulkhead create-tenant`: a tenant, its host name and its first administrator, in one transaction.

use bulkhead_domain::person::{Email, Username};
use bulkhead_domain::scope::Role;
use bulkhead_domain::tenant::Slug;
use bulkhead_persistence::platform::{NewTenant, NewUser, Platform};
use chrono::NaiveDate;
use clap::{ArgAction, Args};
use serde_json::json;

use super::create_user::{parse_email, parse_username};
use super::first_password::{self, FirstPassword};
use super::set_tenant::parse_day;
use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;

/// Its arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bulkhead create-tenant --slug acme2 --name \"Acme Ltd\" --domain acme.example.com \\
      --admin-username anna --admin-email anna@example.com
  pwgen -s 20 1 | bulkhead --json create-tenant --slug acme3 --admin-username anna --admin-email anna@example.com \\
      --password-stdin

The password is asked for twice, without echo. It is never an argument: others could see it in the list of processes.
With --one-time-token nobody but the administrator ever knows it.")]
pub(crate) struct CreateTenantArguments {
    /// Short name: lower-case letters, digits and single hyphens, 2 to 63 characters
    #[arg(long, value_parser = parse_slug)]
    slug: Slug,
    /// Full name [default: the slug]
    #[arg(long)]
    name: Option<String>,
    /// Host name by which its people reach the server
    #[arg(long, value_name = "HOST")]
    domain: Option<String>,
    /// Whether it has not paid yet
    #[arg(long, value_name = "true|false", default_value_t = true, action = ArgAction::Set)]
    on_trial: bool,
    /// The last day that is paid for [default: none]
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    paid_until: Option<NaiveDate>,
    /// User name of its first administrator
    #[arg(long, value_name = "USERNAME", value_parser = parse_username)]
    admin_username: Username,
    /// E-mail address of its first administrator
    #[arg(long, value_name = "EMAIL", value_parser = parse_email)]
    admin_email: Email,
    #[command(flatten)]
    password: FirstPassword,
}

fn parse_slug(text: &str) -> Result<Slug, &'static str> {
    Slug::parse(text)
        .ok_or("2 to 63 lower-case letters, digits and single hyphens; some words, like www, are reserved")
}

/// Creates the tenant.
pub(super) fn run(context: &Context, arguments: &CreateTenantArguments) -> Result<(), Failure> {
    let databases = Databases::open(context)?;
    let platform = databases.connect(Purpose::Platform)?;
    let known = [arguments.admin_username.as_str(), arguments.slug.as_str()];
    let name = arguments.name.clone().unwrap_or_else(|| arguments.slug.as_str().to_owned());
    let (tenant, new, token) = block_on(async {
        let new = NewTenant {
            slug: arguments.slug.clone(),
            name,
            domain: arguments.domain.clone(),
            on_trial: arguments.on_trial,
            paid_until: arguments.paid_until,
            admin: Some(NewUser {
                username: arguments.admin_username.clone(),
                email: arguments.admin_email.clone(),
                first_name: String::new(),
                last_name: String::new(),
                role: Role::Owner,
                password_hash: arguments.password.hash(context, &known).await?,
            }),
        };
        let mut platform = Platform::connect(&platform, &context.operator).await?;
        let tenant = platform.create_tenant(&new).await?;
        let token = arguments.password.token(&mut platform, tenant, &arguments.admin_username).await?;
        Ok((tenant, new, token))
    })?;
    let document = json!({
        "id": tenant,
        "slug": new.slug,
        "name": new.name,
        "domain": new.domain,
        "on_trial": new.on_trial,
        "paid_until": new.paid_until,
        "admin": arguments.admin_username.as_str(),
    });
    let text = format!("created tenant {} ({tenant}) with {}", new.slug, arguments.admin_username.as_str());
    first_password::tell(context, document, &text, token.as_ref());
    Ok(())
}
