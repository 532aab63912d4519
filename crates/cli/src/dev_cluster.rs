//! The private PostgreSQL of development: found, created, started, shared between processes, and stopped by the
//! last of them. Knows nothing of what is inside the database; the caller prepares that while the start lock is held.
//!
//! Two lock files arbitrate. `start.lock` is held by whoever is starting or stopping. `users.lock` is held, shared, by
//! everybody who uses the server: who gets it exclusively is the last and stops the server. The system drops the locks
//! of a process that is killed, so nothing is left to clean up; a server left running that way is used, and then
//! stopped, by the next command.

mod account;
mod binaries;
mod error;
mod place;
mod server;
#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use binaries::Binaries;
pub(crate) use error::DevClusterError;
use error::io;
use place::Place;
use serde::Serialize;

use crate::config::{Variables, percent_encode};

/// Database URLs of the private cluster. They hold no secret: the socket's folder is the protection.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Urls {
    /// For tenants' requests.
    pub(crate) url: String,
    /// For credentials.
    pub(crate) auth_url: String,
    /// For operator commands.
    pub(crate) platform_url: String,
    /// For migrations.
    pub(crate) migrator_url: String,
    /// For making the roles and the database.
    pub(crate) superuser_url: String,
}

impl Urls {
    /// RFC 3986 has no form for a socket as host; both libpq and tokio-postgres take it as the parameter `host`.
    fn of(socket_folder: &Path) -> Self {
        let host = percent_encode(&socket_folder.display().to_string());
        let url = |database: &str, role: &str| format!("postgresql:///{database}?user={role}&host={host}");
        Self {
            url: url("bulkhead", "bulkhead_app"),
            auth_url: url("bulkhead", "bulkhead_auth"),
            platform_url: url("bulkhead", "bulkhead_platform"),
            migrator_url: url("bulkhead", "bulkhead_migrator"),
            superuser_url: url("postgres", "postgres"),
        }
    }
}

/// The running private cluster. Dropping it stops the server, if nobody else uses it.
#[derive(Debug)]
pub(crate) struct DevCluster {
    urls: Urls,
    place: Place,
    binaries: Binaries,
    /// The shared lock; `None` once released.
    usage: Option<File>,
}

/// The folder of everything that development keeps: `BULKHEAD_DEV_DIR`, or `.bulkhead` where the program was started.
pub(crate) fn development_folder(variables: &Variables) -> PathBuf {
    let named = variables.get("BULKHEAD_DEV_DIR").filter(|folder| !folder.is_empty());
    PathBuf::from(named.map_or(".bulkhead", String::as_str))
}

impl DevCluster {
    /// Makes sure that the cluster below `folder` runs, and that `prepare` (bootstrap, migrate) succeeded on it.
    /// Processes that start at the same time take turns. `announce` is told what takes long.
    ///
    /// # Errors
    /// A [`DevClusterError`] as `E`, or what `prepare` returned.
    pub(crate) fn ensure_running<E: From<DevClusterError>>(
        folder: &Path,
        announce: &dyn Fn(&str),
        prepare: impl FnOnce(&Urls) -> Result<(), E>,
    ) -> Result<Self, E> {
        let place = Place::prepare(&folder.join("postgres"))?;
        let turn = take_turn(&place, announce)?;
        let binaries = binaries::find(place.version(), &place.cluster)?;
        let usage = open_lock(&place, "users.lock")?;
        usage.lock_shared().map_err(io("lock", place.home.join("users.lock"))).map_err(E::from)?;
        if !server::is_running(&place) {
            if place.version().is_none() {
                announce("creating a private PostgreSQL for development");
            }
            server::create(&place, &binaries)?;
            announce("starting PostgreSQL");
            server::start(&place, &binaries)?;
        }
        let cluster = Self { urls: Urls::of(&place.socket_folder), place, binaries, usage: Some(usage) };
        let prepared = prepare(&cluster.urls);
        // Before a failure drops the cluster, which takes a turn of its own.
        drop(turn);
        prepared.map(|()| cluster)
    }

    /// The URLs of the cluster.
    pub(crate) const fn urls(&self) -> &Urls {
        &self.urls
    }

    /// Gives up the use of the server and stops it when that was the last.
    fn release(&mut self) -> Result<(), DevClusterError> {
        let Some(usage) = self.usage.take() else { return Ok(()) };
        let _turn = take_turn(&self.place, &|_| {})?;
        drop(usage);
        let last = open_lock(&self.place, "users.lock")?;
        match last.try_lock() {
            Ok(()) => server::stop(&self.place, &self.binaries),
            Err(TryLockError::WouldBlock) => Ok(()),
            Err(TryLockError::Error(error)) => Err(io("lock", self.place.home.join("users.lock"))(error)),
        }
    }
}

impl Drop for DevCluster {
    fn drop(&mut self) {
        // A server that would not stop is found and used by the next command; there is nobody to tell here.
        let _ = self.release();
    }
}

/// Waits for the start lock; it is held until the file is dropped.
fn take_turn(place: &Place, announce: &dyn Fn(&str)) -> Result<File, DevClusterError> {
    let path = || place.home.join("start.lock");
    let lock = open_lock(place, "start.lock")?;
    match lock.try_lock() {
        Ok(()) => return Ok(lock),
        Err(TryLockError::WouldBlock) => announce("waiting for another bulkhead process to start PostgreSQL"),
        Err(TryLockError::Error(error)) => return Err(io("lock", path())(error)),
    }
    lock.lock().map_err(io("lock", path()))?;
    Ok(lock)
}

fn open_lock(place: &Place, name: &str) -> Result<File, DevClusterError> {
    let path = place.home.join(name);
    OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io("open", path))
}
