//! Who runs PostgreSQL when this program was started as root: PostgreSQL itself refuses to. Changes no ownership.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use super::error::DevClusterError;

/// An unprivileged account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    /// Its user id.
    pub(super) uid: u32,
    /// Its main group's id.
    pub(super) gid: u32,
}

impl Account {
    /// The account to step down to; `None` when this process is not root and runs PostgreSQL as itself.
    ///
    /// # Errors
    /// [`DevClusterError::NoAccount`] when root finds nobody to step down to.
    pub(super) fn to_step_down_to() -> Result<Option<Self>, DevClusterError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Self::named(name))
            .map(Some)
            .ok_or(DevClusterError::NoAccount)
    }

    /// `id` knows every source of accounts of the system, which reading /etc/passwd would not.
    fn named(name: &str) -> Option<Self> {
        let ask = |flag: &str| {
            let output = Command::new("id").args([flag, name]).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse::<u32>().ok()
        };
        Some(Self { uid: ask("-u")?, gid: ask("-g")? }).filter(|account| account.uid != 0)
    }

    /// Whether the account can pass through every folder on the way to `path`. A project below /root is out of reach.
    pub(super) fn can_reach(self, path: &Path) -> bool {
        path.ancestors().filter(|folder| folder.exists()).all(|folder| {
            let Ok(metadata) = folder.metadata() else { return false };
            let needed = if metadata.uid() == self.uid {
                0o100
            } else if metadata.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            metadata.mode() & needed != 0
        })
    }
}
