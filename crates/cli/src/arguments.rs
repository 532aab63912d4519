//! What can be typed after `bulkhead`. Each command's own arguments stand in its file under `commands`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands;

/// A multi-tenant API server. Tenants share one PostgreSQL database and cannot see each other.
#[derive(Debug, Parser)]
#[command(name = "bulkhead", version, max_term_width = 110, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// For every command.
    #[command(flatten)]
    pub(crate) globals: Globals,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Globals {
    /// Print exactly one JSON document on standard output, and nothing else
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// A configuration file; config/default.toml explains every key [also: BULKHEAD_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Who is working, for audit logs [default: cli: and the login name]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) operator: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve with demo tenants, for development; needs no configuration
    Dev,
    /// Serve
    Serve,
    /// Create the database, its roles and their grants, as a superuser, once
    #[command(after_help = commands::bootstrap::HELP)]
    Bootstrap,
    /// Bring the database's tables up to date
    Migrate(commands::migrate::MigrateArguments),
    /// Check that every barrier between tenants is in place, as a server does when it starts
    #[command(alias = "verify_isolation")]
    VerifyIsolation,
    /// Create a tenant with its first administrator
    #[command(alias = "create_tenant")]
    CreateTenant(commands::create_tenant::CreateTenantArguments),
    /// List the tenants
    #[command(alias = "list_tenants")]
    ListTenants,
    /// End all access of a tenant's people, until it is resumed
    #[command(alias = "suspend_tenant")]
    SuspendTenant(commands::suspend_tenant::TenantArguments),
    /// Let a suspended tenant's people work again
    #[command(alias = "resume_tenant")]
    ResumeTenant(commands::suspend_tenant::TenantArguments),
    /// Change a tenant's name, trial, paid time, settings or registration
    #[command(alias = "set_tenant")]
    SetTenant(commands::set_tenant::SetTenantArguments),
    /// Suspend the tenants whose paid time is over
    #[command(alias = "suspend_overdue")]
    SuspendOverdue(commands::set_tenant::SuspendOverdueArguments),
    /// Give a tenant a host name
    #[command(aliases = ["add_domain", "create_domain"])]
    AddDomain(commands::domains::AddDomainArguments),
    /// Take a host name from its tenant
    #[command(aliases = ["remove_domain", "delete_domain"])]
    RemoveDomain(commands::domains::RemoveDomainArguments),
    /// List the host names of one tenant or of all
    #[command(alias = "list_domains")]
    ListDomains(commands::domains::ListDomainsArguments),
    /// Create a user in a tenant
    #[command(alias = "create_user")]
    CreateUser(commands::create_user::CreateUserArguments),
    /// Import the users of an older system into a tenant, with the hashes of their passwords
    #[command(alias = "import_users")]
    ImportUsers(commands::import_users::ImportArguments),
    /// Make a token with which a user sets a new password, and show it once
    #[command(alias = "reset_password")]
    ResetPassword(commands::reset_password::ResetPasswordArguments),
    /// Create an API client for a backend service, and show its secret once
    #[command(alias = "create_api_client")]
    CreateApiClient(commands::clients::create::CreateArguments),
    /// List a tenant's API clients
    #[command(alias = "list_api_clients")]
    ListApiClients(commands::clients::TenantArguments),
    /// End an API client's access until it is enabled
    #[command(alias = "disable_api_client")]
    DisableApiClient(commands::clients::ClientArguments),
    /// Let a disabled API client get tokens again
    #[command(alias = "enable_api_client")]
    EnableApiClient(commands::clients::ClientArguments),
    /// Delete an API client with its secrets
    #[command(alias = "delete_api_client")]
    DeleteApiClient(commands::clients::status::DeleteArguments),
    /// End every token of an API client; it gets new ones with its secret
    #[command(alias = "revoke_api_client_tokens")]
    RevokeApiClientTokens(commands::clients::ClientArguments),
    /// Make a new secret for an API client, while the old ones go on working for a while
    #[command(alias = "rotate_api_client_secret")]
    RotateApiClientSecret(commands::clients::secrets::RotateArguments),
    /// End one of an API client's secrets, unless it is still in use
    #[command(alias = "retire_api_client_secret")]
    RetireApiClientSecret(commands::clients::secrets::RetireArguments),
    /// Say why an API client may use an operation, or why not
    #[command(alias = "explain_access")]
    ExplainAccess(commands::clients::explain::ExplainArguments),
    /// Show the latest attempts of API clients to get a token
    #[command(alias = "usage_log")]
    UsageLog(commands::clients::usage_log::UsageLogArguments),
    /// Make a token for a service that works in a tenant
    #[command(alias = "issue_service_token")]
    IssueServiceToken(commands::service_tokens::IssueArguments),
    /// List the service tokens of a tenant that still work
    #[command(alias = "list_service_tokens")]
    ListServiceTokens(commands::clients::TenantArguments),
    /// End a service token
    #[command(alias = "revoke_service_token")]
    RevokeServiceToken(commands::service_tokens::RevokeArguments),
    /// Create the demo tenants acme and beta, and write test_tokens.json; repeatable, not in production
    #[command(alias = "create_test_data")]
    CreateTestData(commands::create_test_data::TestDataArguments),
    /// Publish a new signing key, or let the published one sign; nobody is logged out, no server restarts
    #[command(alias = "rotate_signing_key")]
    RotateSigningKey(commands::rotate_signing_key::RotationArguments),
    /// Print the OpenAPI document
    Openapi(commands::openapi::OpenapiArguments),
    /// Show the effective settings and where each came from
    Config,
    /// Run the private PostgreSQL until standard input ends; prints its URLs as JSON
    #[command(hide = true, alias = "dev_cluster")]
    DevCluster,
}

const EXAMPLES: &str = "\
First steps:
  bulkhead dev                          serve http://127.0.0.1:8000 with demo tenants
  bulkhead create-tenant --slug acme2 --admin-username anna --admin-email anna@example.com
  bulkhead create-api-client --tenant acme2 --name Billing --roles read,write
  bulkhead list-tenants --json          for scripts

In production:
  bulkhead bootstrap                    once, with BULKHEAD_DATABASE__SUPERUSER_URL set
  bulkhead migrate                      before each new version serves
  bulkhead serve

With no database configured, every command uses a private PostgreSQL below .bulkhead/ and stops it when no other
bulkhead uses it. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 wrong configuration, 4 database unreachable.";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Arguments, Command};

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_is_known_in_snake_case_too() {
        for command in Arguments::command().get_subcommands() {
            let snake = command.get_name().replace('-', "_");
            let known = snake == command.get_name() || command.get_all_aliases().any(|alias| alias == snake);
            assert!(known, "{snake}");
        }
    }

    #[test]
    fn no_password_can_be_an_argument() {
        let words = ["bulkhead", "create-user", "--tenant", "acme", "--username", "a", "--email", "a@b"];
        let parsed = Arguments::try_parse_from(words).unwrap();
        assert!(matches!(parsed.command, Command::CreateUser(_)));
        assert!(Arguments::try_parse_from(words.iter().chain(&["--password", "x"])).is_err());
    }
}
