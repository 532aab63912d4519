//! One file for each command; here, only which is which.

pub(crate) mod bootstrap;
pub(crate) mod clients;
mod config;
pub(crate) mod create_tenant;
pub(crate) mod create_test_data;
pub(crate) mod create_user;
mod demo;
mod dev;
mod dev_cluster;
pub(crate) mod domains;
pub(crate) mod first_password;
pub(crate) mod import_users;
mod list_tenants;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod reset_password;
pub(crate) mod rotate_signing_key;
mod serve;
pub(crate) mod service_tokens;
pub(crate) mod set_tenant;
pub(crate) mod suspend_tenant;
mod verify_isolation;

use crate::arguments::{Arguments, Command};
use crate::context::Context;
use crate::failure::Failure;

/// Runs the command that was asked for.
///
/// # Errors
/// The command's own, or that the configuration was refused.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let context = Context::load(&arguments.globals)?;
    let outcome = match &arguments.command {
        Command::Dev => dev::run(&context),
        Command::Serve => serve::run(&context),
        Command::Bootstrap => bootstrap::run(&context),
        Command::Migrate(arguments) => migrate::run(&context, arguments),
        Command::VerifyIsolation => verify_isolation::run(&context),
        Command::CreateTenant(arguments) => create_tenant::run(&context, arguments),
        Command::ListTenants => list_tenants::run(&context),
        Command::SuspendTenant(arguments) => suspend_tenant::run(&context, arguments, true),
        Command::ResumeTenant(arguments) => suspend_tenant::run(&context, arguments, false),
        Command::SetTenant(arguments) => set_tenant::change(&context, arguments),
        Command::SuspendOverdue(arguments) => set_tenant::suspend_overdue(&context, arguments),
        Command::AddDomain(arguments) => domains::add(&context, arguments),
        Command::RemoveDomain(arguments) => domains::remove(&context, arguments),
        Command::ListDomains(arguments) => domains::list(&context, arguments),
        Command::CreateUser(arguments) => create_user::run(&context, arguments),
        Command::ImportUsers(arguments) => import_users::run(&context, arguments),
        Command::ResetPassword(arguments) => reset_password::run(&context, arguments),
        Command::CreateApiClient(arguments) => clients::create::run(&context, arguments),
        Command::ListApiClients(arguments) => clients::list::run(&context, arguments),
        Command::DisableApiClient(arguments) => clients::status::set_active(&context, arguments, false),
        Command::EnableApiClient(arguments) => clients::status::set_active(&context, arguments, true),
        Command::DeleteApiClient(arguments) => clients::status::delete(&context, arguments),
        Command::RevokeApiClientTokens(arguments) => clients::status::end_tokens(&context, arguments),
        Command::RotateApiClientSecret(arguments) => clients::secrets::rotate(&context, arguments),
        Command::RetireApiClientSecret(arguments) => clients::secrets::retire(&context, arguments),
        Command::ExplainAccess(arguments) => clients::explain::run(&context, arguments),
        Command::UsageLog(arguments) => clients::usage_log::run(&context, arguments),
        Command::IssueServiceToken(arguments) => service_tokens::issue(&context, arguments),
        Command::ListServiceTokens(arguments) => service_tokens::list(&context, arguments),
        Command::RevokeServiceToken(arguments) => service_tokens::revoke(&context, arguments),
        Command::CreateTestData(arguments) => create_test_data::run(&context, arguments),
        Command::RotateSigningKey(arguments) => rotate_signing_key::run(&context, arguments),
        Command::Openapi(arguments) => openapi::run(&context, arguments),
        Command::Config => {
            config::run(&context);
            Ok(())
        }
        Command::DevCluster => dev_cluster::run(&context),
    };
    context.output.quieten();
    outcome
}
