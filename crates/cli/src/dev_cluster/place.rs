//! Where the private cluster's files are, and whose they are. Makes folders; starts nothing.

use std::fs::{self, DirBuilder};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use super::account::Account;
use super::error::{DevClusterError, io};

/// The longest path of a socket that every system takes: `sun_path` has 104 bytes on macOS, 108 on Linux, with the
/// final zero.
const LONGEST_SOCKET_PATH: usize = 103;

/// What PostgreSQL calls its socket for port 5432.
const SOCKET: &str = ".s.PGSQL.5432";

/// The files of one private cluster.
#[derive(Debug)]
pub(super) struct Place {
    /// Holds the lock files; belongs to whoever runs this program.
    pub(super) home: PathBuf,
    /// Holds `data` and the log; belongs to whoever runs PostgreSQL.
    pub(super) cluster: PathBuf,
    /// Holds the socket; nobody else may enter it, which is what makes `trust` safe.
    pub(super) socket_folder: PathBuf,
    /// Who runs PostgreSQL, if not this process's own user.
    pub(super) account: Option<Account>,
}

impl Place {
    /// Prepares the folders below `home`.
    ///
    /// # Errors
    /// [`DevClusterError`], when a folder cannot be made or is not ours.
    pub(super) fn prepare(home: &Path) -> Result<Self, DevClusterError> {
        let account = Account::to_step_down_to()?;
        fs::create_dir_all(home).map_err(io("create", home))?;
        let home = home.canonicalize().map_err(io("find", home))?;
        let inside = home.join("cluster");
        let cluster = match account {
            Some(account) if !account.can_reach(&home) => {
                let shared = Path::new("/var/lib/bulkhead");
                fs::create_dir_all(shared).map_err(io("create", shared))?;
                shared.join(format!("dev-{}", tag(&inside)))
            }
            _ => inside,
        };
        private_folder(&cluster, account)?;
        let mut socket_folder = cluster.join("run");
        if socket_folder.join(SOCKET).as_os_str().as_bytes().len() > LONGEST_SOCKET_PATH {
            socket_folder = PathBuf::from(format!("/tmp/bulkhead-{}", tag(&cluster)));
        }
        private_folder(&socket_folder, account)?;
        Ok(Self { home, cluster, socket_folder, account })
    }

    /// PostgreSQL's own folder.
    pub(super) fn data(&self) -> PathBuf {
        self.cluster.join("data")
    }

    /// Where PostgreSQL writes what it has to say.
    pub(super) fn log(&self) -> PathBuf {
        self.cluster.join("postgres.log")
    }

    /// The socket that clients connect to.
    pub(super) fn socket(&self) -> PathBuf {
        self.socket_folder.join(SOCKET)
    }

    /// The version that made the data, if there is any.
    pub(super) fn version(&self) -> Option<u32> {
        fs::read_to_string(self.data().join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// Hands a file that this process wrote to whoever runs PostgreSQL.
    pub(super) fn hand_over(&self, path: &Path) -> Result<(), DevClusterError> {
        hand_over(path, self.account)
    }
}

fn hand_over(path: &Path, account: Option<Account>) -> Result<(), DevClusterError> {
    let Some(account) = account else { return Ok(()) };
    chown(path, Some(account.uid), Some(account.gid)).map_err(io("change the owner of", path))
}

/// A folder with mode 0700 that belongs to whoever runs PostgreSQL. One that exists must already be so: in /tmp
/// anybody can make it first.
fn private_folder(path: &Path, account: Option<Account>) -> Result<(), DevClusterError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => return hand_over(path, account),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io("create", path)(error)),
    }
    let found = path.symlink_metadata().map_err(io("look at", path))?;
    let me = rustix::process::geteuid().as_raw();
    let owner = account.map_or(me, |account| account.uid);
    let is_ours = found.is_dir() && (found.uid() == owner || found.uid() == me) && found.mode() & 0o077 == 0;
    if is_ours { hand_over(path, account) } else { Err(DevClusterError::ForeignFolder(path.to_path_buf())) }
}

/// A short name for a long path: the same on every start, different for different checkouts.
fn tag(path: &Path) -> String {
    format!("{:08x}", crc32fast::hash(path.as_os_str().as_bytes()))
}
