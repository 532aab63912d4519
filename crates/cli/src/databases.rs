//! Which databases a command works with: those that are configured, or else the private cluster of development, which
//! is then bootstrapped and migrated first.

use std::time::Duration;

use bulkhead_persistence::bootstrap::{APP, AUTH, MIGRATOR, PLATFORM, RolePasswords, bootstrap};
use bulkhead_persistence::connect::{ConnectSettings, Tls as ConnectTls};
use bulkhead_persistence::migrate::{SchemaState, check, migrate};
use secrecy::SecretString;

use crate::config::{Environment, Settings, Tls};
use crate::context::{Context, block_on};
use crate::database_url::UrlParts;
use crate::dev_cluster::{DevCluster, Urls};
use crate::failure::Failure;

/// How long connecting may take before an operator is told so.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a migration that another process runs is waited for.
const MIGRATION_WAIT: Duration = Duration::from_secs(300);

/// The database of the private cluster.
const PRIVATE_DATABASE: &str = "bulkhead";

/// What a connection is for. Each has a role of its own in the database, and none may do another's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Tenants' requests.
    App,
    /// Credentials.
    Auth,
    /// Operator commands.
    Platform,
    /// Migrations.
    Migrator,
    /// Bootstrapping.
    Superuser,
}

impl Purpose {
    /// The key of its URL.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::App => "database.url",
            Self::Auth => "database.auth_url",
            Self::Platform => "database.platform_url",
            Self::Migrator => "database.migrator_url",
            Self::Superuser => "database.superuser_url",
        }
    }

    /// Its role, where that is ours to name.
    pub(crate) const fn role(self) -> Option<&'static str> {
        match self {
            Self::App => Some(APP),
            Self::Auth => Some(AUTH),
            Self::Platform => Some(PLATFORM),
            Self::Migrator => Some(MIGRATOR),
            Self::Superuser => None,
        }
    }
}

/// The databases of one command. While it lives, the private cluster runs.
#[derive(Debug)]
pub(crate) struct Databases<'c> {
    settings: &'c Settings,
    cluster: Option<DevCluster>,
}

impl<'c> Databases<'c> {
    /// Uses what is configured; in development with nothing configured, starts the private cluster.
    ///
    /// # Errors
    /// When the private cluster cannot be had.
    pub(crate) fn open(context: &'c Context) -> Result<Self, Failure> {
        let settings = &context.configuration.settings;
        let wants_private = settings.database.is_unset() && settings.environment == Environment::Development;
        let cluster = if wants_private { Some(private_cluster(context)?) } else { None };
        Ok(Self { settings, cluster })
    }

    /// The private cluster's URLs, if it is that.
    pub(crate) fn private_urls(&self) -> Option<&Urls> {
        self.cluster.as_ref().map(DevCluster::urls)
    }

    /// How to connect for `purpose`.
    ///
    /// # Errors
    /// [`Failure::MissingUrl`] when no URL is configured for it.
    pub(crate) fn connect(&self, purpose: Purpose) -> Result<ConnectSettings, Failure> {
        if let Some(urls) = self.private_urls() {
            return Ok(private_connection(urls, purpose));
        }
        let database = &self.settings.database;
        let url = match purpose {
            Purpose::App => &database.url,
            Purpose::Auth => &database.auth_url,
            Purpose::Platform => &database.platform_url,
            Purpose::Migrator => &database.migrator_url,
            Purpose::Superuser => &database.superuser_url,
        };
        let url = url.clone().ok_or(Failure::MissingUrl(purpose.key()))?;
        // Another role of ours could connect, and would then be refused everything, request by request.
        let user = UrlParts::of(&url).user;
        if let (Some(role), Some(user)) = (purpose.role(), user)
            && role != user
        {
            return Err(Failure::WrongRole { key: purpose.key(), role });
        }
        let tls = match database.tls {
            Tls::Off => ConnectTls::Off,
            Tls::VerifyFull => ConnectTls::VerifyFull { root: database.tls_root.clone() },
        };
        Ok(connection(url, tls))
    }
}

/// Starts the private cluster, with roles and tables as this binary wants them.
pub(crate) fn private_cluster(context: &Context) -> Result<DevCluster, Failure> {
    let announce = |what: &str| context.output.progress(what);
    DevCluster::ensure_running(&context.development_folder, &announce, |urls| {
        block_on(async {
            let migrator = private_connection(urls, Purpose::Migrator);
            // Bootstrapping takes locks on roles; a cluster that is in use and up to date is left alone.
            if matches!(check(&migrator).await, Ok(SchemaState::UpToDate | SchemaState::Newer)) {
                return Ok(());
            }
            announce("setting up the database");
            let superuser = private_connection(urls, Purpose::Superuser);
            bootstrap(&superuser, PRIVATE_DATABASE, RolePasswords::default()).await?;
            migrate(&migrator, MIGRATION_WAIT).await?;
            Ok(())
        })
    })
}

fn private_connection(urls: &Urls, purpose: Purpose) -> ConnectSettings {
    let url = match purpose {
        Purpose::App => &urls.url,
        Purpose::Auth => &urls.auth_url,
        Purpose::Platform => &urls.platform_url,
        Purpose::Migrator => &urls.migrator_url,
        Purpose::Superuser => &urls.superuser_url,
    };
    connection(SecretString::from(url.as_str()), ConnectTls::Off)
}

fn connection(url: SecretString, tls: ConnectTls) -> ConnectSettings {
    ConnectSettings { url, tls, application_name: "bulkhead".to_owned(), connect_timeout: CONNECT_TIMEOUT }
}
