//! What the server and the demo data are made of, built from the settings: keys, tokens, pools. In development a
//! signing key is made on the first start and kept in the development folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bulkhead_auth::algorithm::SigningAlgorithm;
use bulkhead_auth::keys::{SigningKey, generate_es256_pem};
use bulkhead_auth::keyset::KeySet;
use bulkhead_auth::token::{TokenSettings, Tokens};
use bulkhead_persistence::PoolSettings;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Environment;
use crate::context::Context;
use crate::failure::Failure;

/// How far the clocks of servers may differ. None of ours is set by hand.
const LEEWAY: Duration = Duration::from_secs(5);

/// What a process's secrets are derived from and tokens are signed with.
pub(crate) fn signing_key_text(context: &Context) -> Result<SecretString, Failure> {
    let auth = &context.configuration.settings.auth;
    if let Some(key) = &auth.signing_key {
        return Ok(key.clone());
    }
    if let Some(path) = &auth.signing_key_file {
        return read(path);
    }
    let is_development = context.configuration.settings.environment == Environment::Development;
    if is_development && auth.algorithm == SigningAlgorithm::Es256 {
        return development_key(&context.development_folder);
    }
    Err(Failure::NoSigningKey)
}

/// The maker and verifier of access tokens.
///
/// # Errors
/// No key, an unfit key, or settings that contradict each other.
pub(crate) fn tokens(context: &Context, key: &SecretString) -> Result<Tokens, Failure> {
    let auth = &context.configuration.settings.auth;
    let key = SigningKey::load(auth.algorithm, key)?;
    let settings = TokenSettings {
        issuer: auth.issuer.clone(),
        audience: auth.audience.clone(),
        access_lifetime: auth.access_lifetime,
        leeway: LEEWAY,
    };
    Ok(Tokens::new(KeySet::new(key, Vec::new()), settings)?)
}

/// The pool of one worker, when `workers` share the machine.
pub(crate) fn pool(context: &Context, workers: usize) -> PoolSettings {
    let database = &context.configuration.settings.database;
    // Measured: twice as many connections as cores, over all workers, is best (see docs/performance.md).
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = || (cores * 2).div_ceil(workers.max(1)).max(2);
    let connections = database.connections.map_or_else(share, usize::from);
    PoolSettings { connections, acquire_timeout: database.acquire_timeout }
}

/// The development key: read, or made when there is none. Of two processes that make one at once, one wins.
fn development_key(folder: &Path) -> Result<SecretString, Failure> {
    let path = folder.join("signing-key.pem");
    if path.exists() {
        return read(&path);
    }
    fs::create_dir_all(folder).map_err(file("create", folder))?;
    let mine = folder.join(format!("signing-key.{}.pem", std::process::id()));
    write_private(&mine, generate_es256_pem()?.expose_secret()).map_err(file("write", &mine))?;
    // A link, unlike a rename, fails when the other process was first.
    let linked = fs::hard_link(&mine, &path);
    fs::remove_file(&mine).map_err(file("remove", &mine))?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(file("write", &path)(error)),
        _ => read(&path),
    }
}

/// Writes a file that only its owner may read, whatever it was before.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    // A file that exists would keep its mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

fn read(path: &Path) -> Result<SecretString, Failure> {
    fs::read_to_string(path).map(SecretString::from).map_err(file("read", path))
}

/// Attaches what was tried to an error of the system.
pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Failure {
    let path = path.into();
    move |source| Failure::File { what, path, source }
}
