//! SQL behind the server's back: as any of its roles, to prepare and to look.

use bulkhead_domain::ids::new_id;
use tokio_postgres::{Client, NoTls};

use crate::binary;
use crate::cluster::{Cluster, Urls};

/// Connects with a URL.
///
/// # Panics
/// When that fails.
pub async fn connect(url: &str) -> Client {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.unwrap_or_else(|e| panic!("{url}: {e}"));
    tokio::spawn(async move {
        // Its end, by whatever reason, shows in the next query.
        let _ = connection.await;
    });
    client
}

/// Connects as the operator role, under a name that its policies ask for.
pub async fn operator(urls: &Urls) -> Client {
    let client = connect(&urls.platform_url).await;
    client.batch_execute("set bulkhead.platform_actor = 'tests'").await.expect("give a name");
    client
}

/// A database of one test alone, migrated, dropped with this value.
#[derive(Debug)]
pub struct OwnDatabase {
    urls: Urls,
    name: String,
    superuser_url: String,
}

impl OwnDatabase {
    /// Makes one, by the product's own commands.
    #[must_use]
    pub fn create(cluster: &Cluster) -> Self {
        let own = Self::create_empty(cluster);
        let migrated = binary::run(own.command(&["migrate"]), "");
        assert_eq!(migrated.code, Some(0), "{}", migrated.stderr);
        own
    }

    /// Makes one without tables.
    #[must_use]
    pub fn create_empty(cluster: &Cluster) -> Self {
        let name = format!("test_{}", new_id().simple());
        let superuser_url = cluster.urls().superuser_url.clone();
        let mut urls = cluster.urls().of_database(&name);
        urls.superuser_url.clone_from(&superuser_url);
        let own = Self { urls, name, superuser_url };
        let bootstrapped = binary::run(own.command(&["bootstrap"]), "");
        assert_eq!(bootstrapped.code, Some(0), "{}", bootstrapped.stderr);
        own
    }

    /// Its URLs; that of the superuser names another database of the server.
    #[must_use]
    pub const fn urls(&self) -> &Urls {
        &self.urls
    }

    /// A command of the binary that works with this database.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = binary::command(arguments);
        command.envs(environment(&self.urls));
        command
    }
}

/// The URLs as the binary's settings.
#[must_use]
pub fn environment(urls: &Urls) -> Vec<(&'static str, String)> {
    vec![
        ("BULKHEAD_DATABASE__URL", urls.url.clone()),
        ("BULKHEAD_DATABASE__AUTH_URL", urls.auth_url.clone()),
        ("BULKHEAD_DATABASE__PLATFORM_URL", urls.platform_url.clone()),
        ("BULKHEAD_DATABASE__MIGRATOR_URL", urls.migrator_url.clone()),
        ("BULKHEAD_DATABASE__SUPERUSER_URL", urls.superuser_url.clone()),
    ]
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        let (url, name) = (self.superuser_url.clone(), self.name.clone());
        // A thread of its own: the test's runtime cannot be waited for from here.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let server = connect(&url).await;
                server.batch_execute(&format!("drop database if exists {name} with (force)")).await
            })
        });
        let _ = dropped.join();
    }
}
