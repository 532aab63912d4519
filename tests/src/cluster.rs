//! The private PostgreSQL. One serves the whole run: `scripts/with-test-cluster` starts it and hands its URLs over in
//! `BULKHEAD_TEST_DATABASES`. Without that variable each test process asks `bulkhead dev-cluster` for it; those that
//! run at the same time share one server, which the last of them stops.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::Deserialize;

use crate::binary;

/// The URLs of a cluster, as `bulkhead dev-cluster` prints them.
#[derive(Clone, Debug, Deserialize)]
pub struct Urls {
    /// As the role of tenants' requests.
    pub url: String,
    /// As the role of credentials.
    pub auth_url: String,
    /// As the role of operators.
    pub platform_url: String,
    /// As the role that migrates.
    pub migrator_url: String,
    /// As the superuser, in the database `postgres`.
    pub superuser_url: String,
}

impl Urls {
    /// The same, each with another database.
    #[must_use]
    pub fn of_database(&self, name: &str) -> Self {
        let change = |url: &str| {
            let (start, rest) =
                url.rsplit_once('/').filter(|(start, _)| start.ends_with("//")).unwrap_or_else(|| {
                    let query = url.find('?').unwrap_or(url.len());
                    let slash = url[..query].rfind('/').expect("a URL with a database");
                    (&url[..slash], &url[slash + 1..])
                });
            let query = rest.find('?').map_or("", |at| &rest[at..]);
            format!("{start}/{name}{query}")
        };
        Self {
            url: change(&self.url),
            auth_url: change(&self.auth_url),
            platform_url: change(&self.platform_url),
            migrator_url: change(&self.migrator_url),
            superuser_url: change(&self.superuser_url),
        }
    }

    /// The superuser in the database that the others name.
    #[must_use]
    pub fn superuser_inside(&self) -> String {
        self.of_database(&database_of(&self.url)).superuser_url
    }

    /// The unix socket of the server.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        let config: tokio_postgres::Config = self.url.parse().expect("a database URL");
        match config.get_hosts().first() {
            Some(tokio_postgres::config::Host::Unix(folder)) => folder.join(".s.PGSQL.5432"),
            other => panic!("the private cluster listens on a unix socket, not on {other:?}"),
        }
    }
}

/// The name of the database in a URL.
#[must_use]
pub fn database_of(url: &str) -> String {
    let config: tokio_postgres::Config = url.parse().expect("a database URL");
    config.get_dbname().expect("a URL with a database").to_owned()
}

/// A running cluster. Dropped, it stops, unless somebody else uses it.
#[derive(Debug)]
pub struct Cluster {
    urls: Urls,
    child: Option<Child>,
}

impl Cluster {
    /// The cluster of the run.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static CURRENT: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = current.upgrade() {
            return cluster;
        }
        let cluster = Arc::new(match std::env::var("BULKHEAD_TEST_DATABASES") {
            Ok(json) => {
                Self { urls: serde_json::from_str(&json).expect("BULKHEAD_TEST_DATABASES"), child: None }
            }
            Err(_) => Self::start(&common_folder()),
        });
        *current = Arc::downgrade(&cluster);
        cluster
    }

    /// Starts the cluster whose files are in `folder`, or joins those who use it already.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let mut child = binary::command(&["dev-cluster"])
            .env("BULKHEAD_DEV_DIR", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("start `bulkhead dev-cluster`");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut line).expect("read the URLs");
        let urls =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("dev-cluster said {line:?}: {error}"));
        Self { urls, child: Some(child) }
    }

    /// Its URLs.
    #[must_use]
    pub const fn urls(&self) -> &Urls {
        &self.urls
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The end of its input tells it to stop.
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// The folder of the shared cluster: another one when the migrations changed.
fn common_folder() -> PathBuf {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(binary::workspace().join("migrations")).expect("the migrations").flatten()
    {
        let script = entry.path().join("up.sql");
        files.push((entry.file_name(), std::fs::read(script).unwrap_or_default()));
    }
    files.sort();
    let mut hash = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&(binary::workspace(), files), &mut hash);
    let name = format!("bulkhead-tests-{:016x}", std::hash::Hasher::finish(&hash));
    std::env::temp_dir().join(name)
}
