//! What PostgreSQL itself counted: a cluster of a test's own that has `pg_stat_statements`, which belongs to PostgreSQL.

use std::path::Path;
use std::sync::Arc;

use tokio_postgres::Client;

use crate::cluster::Cluster;
use crate::database;

/// A statement and how often it ran.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The role that ran it.
    pub role: String,
    /// Its text, with its constants left out.
    pub text: String,
    /// How often.
    pub calls: i64,
}

/// The counters of a cluster.
pub struct Statements {
    superuser: Client,
}

impl Statements {
    /// Starts a cluster in `folder` that counts, and connects to its counters.
    ///
    /// # Panics
    /// When the library is not installed.
    pub async fn cluster(folder: &Path) -> (Arc<Cluster>, Self) {
        let first = start(folder).await;
        let superuser = database::connect(&first.urls().superuser_url).await;
        let set = "alter system set shared_preload_libraries = 'pg_stat_statements'";
        superuser.batch_execute(set).await.expect("set the library");
        // PostgreSQL loads such a library when it starts. Its session ends with it.
        drop((superuser, first));
        let cluster = Arc::new(start(folder).await);
        let superuser = database::connect(&cluster.urls().superuser_url).await;
        superuser
            .batch_execute("create extension pg_stat_statements")
            .await
            .expect("pg_stat_statements is installed");
        (cluster, Self { superuser })
    }

    /// Begins to count.
    pub async fn reset(&self) {
        self.superuser.execute("select pg_stat_statements_reset()", &[]).await.expect("reset");
    }

    /// What the product's roles ran since.
    pub async fn counted(&self) -> Vec<Counted> {
        let query = "select rolname::text, query, sum(calls)::bigint from pg_stat_statements join pg_roles on oid = userid
            where rolname like 'bulkhead%' group by 1, 2 order by 1, 2";
        let rows = self.superuser.query(query, &[]).await.expect("look at the counters");
        rows.iter().map(|row| Counted { role: row.get(0), text: row.get(1), calls: row.get(2) }).collect()
    }
}

async fn start(folder: &Path) -> Cluster {
    let folder = folder.to_path_buf();
    tokio::task::spawn_blocking(move || Cluster::start(&folder)).await.expect("starting does not panic")
}
