//! The private cluster on a real PostgreSQL: it is shared, survives interruptions and is stopped by its last user.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use super::{DevCluster, DevClusterError};

/// A folder of its own below the system's temporary one, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("bulkhead-cluster-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn start(&self) -> Result<DevCluster, DevClusterError> {
        DevCluster::ensure_running(&self.0, &|_| {}, |_| Ok(()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn answers(cluster: &DevCluster) -> bool {
    UnixStream::connect(cluster.place.socket()).is_ok()
}

#[test]
fn users_share_one_server_and_the_last_one_stops_it() {
    let folder = Folder::new("shared");
    let both = std::thread::scope(|scope| {
        let racers = [scope.spawn(|| folder.start()), scope.spawn(|| folder.start())];
        racers.map(|racer| racer.join().unwrap().unwrap())
    });
    let [first, second] = both;
    assert!(answers(&first));
    drop(first);
    assert!(answers(&second), "the first to leave must not stop it");
    let socket = second.place.socket();
    drop(second);
    assert!(UnixStream::connect(socket).is_err(), "the last to leave stops it");
}

#[test]
fn an_interrupted_creation_and_a_stale_pid_file_are_no_obstacle() {
    let folder = Folder::new("stale");
    let unfinished = folder.start().unwrap().place.cluster.join("data.new");
    std::fs::create_dir_all(unfinished.join("base")).unwrap();
    let data = unfinished.with_file_name("data");
    // The pid of this very process: alive, and not a PostgreSQL on that folder.
    std::fs::write(data.join("postmaster.pid"), format!("{}\n{}\n", std::process::id(), data.display()))
        .unwrap();
    let cluster = folder.start().unwrap();
    assert!(answers(&cluster));
}

#[test]
fn a_failed_preparation_leaves_no_server_behind() {
    let folder = Folder::new("unprepared");
    let failed = DevCluster::ensure_running(&folder.0, &|_| {}, |_| Err(DevClusterError::NoAccount));
    assert!(matches!(failed, Err(DevClusterError::NoAccount)));
    let socket = folder.start().map(|cluster| cluster.place.socket()).unwrap();
    assert!(UnixStream::connect(socket).is_err());
}
