//! What the server and the demo data are made of, built from the settings: keys, tokens, pools. In development a
//! signing key and an encryption key are made on the first start and kept in the development folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bulkhead_auth::algorithm::SigningAlgorithm;
use bulkhead_auth::key_generation::generate_key;
use bulkhead_auth::sealed::{self, SealingKeys};
use bulkhead_auth::token::{TokenSettings, Tokens};
use bulkhead_http::Keyring;
use bulkhead_persistence::PoolSettings;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Environment, Settings, sealing_keys};
use crate::context::Context;
use crate::failure::Failure;
use crate::key_ring::{KeySource, RingFiles};

/// How far the clocks of servers may differ. None of ours is set by hand.
const LEEWAY: Duration = Duration::from_secs(5);

/// Where the keys that sign tokens are. In development they are in its folder, unless the settings say otherwise.
///
/// # Errors
/// [`Failure::NoSigningKey`].
pub(crate) fn key_source(context: &Context) -> Result<KeySource, Failure> {
    let auth = &context.configuration.settings.auth;
    if let Some(key) = &auth.signing_key {
        return Ok(KeySource::Given(key.clone()));
    }
    let file = auth.signing_key_file.clone().or_else(|| development_key(context));
    file.map(|file| KeySource::Files(RingFiles::beside(&file))).ok_or(Failure::NoSigningKey)
}

/// The maker and verifier of access tokens, with the keys as they are now.
///
/// # Errors
/// No key, an unfit key, or settings that contradict each other.
pub(crate) fn tokens(context: &Context) -> Result<Arc<Tokens>, Failure> {
    let algorithm = context.configuration.settings.auth.algorithm;
    settle_development_key(context)?;
    Ok(key_source(context)?.signing(algorithm, token_settings(context))?.tokens)
}

/// The keys as the server uses them, which follow their files.
///
/// # Errors
/// As [`tokens`].
pub(crate) fn keyring(context: &Context) -> Result<Keyring, Failure> {
    let algorithm = context.configuration.settings.auth.algorithm;
    settle_development_key(context)?;
    Ok(key_source(context)?.keyring(algorithm, token_settings(context))?)
}

/// What tokens say and must say.
pub(crate) fn token_settings(context: &Context) -> TokenSettings {
    let settings = &context.configuration.settings;
    let auth = &settings.auth;
    TokenSettings {
        issuer: auth.issuer.clone().unwrap_or_else(|| settings.server.base_url()),
        audience: auth.audience.clone(),
        access_lifetime: auth.access_lifetime,
        leeway: LEEWAY,
    }
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

/// Where development keeps its key; `None` when the settings name another, or an algorithm that it makes no key for.
fn development_key(context: &Context) -> Option<PathBuf> {
    let Settings { environment, auth, .. } = &context.configuration.settings;
    let is_named = auth.signing_key.is_some() || auth.signing_key_file.is_some();
    let is_ours = *environment == Environment::Development && auth.algorithm == SigningAlgorithm::Es256;
    (is_ours && !is_named).then(|| context.development_folder.join("signing-key.pem"))
}

/// Makes the development key if that is the one in use and there is none. Of two processes that make one at once, one wins.
///
/// # Errors
/// The folder cannot be written to.
pub(crate) fn settle_development_key(context: &Context) -> Result<(), Failure> {
    let Some(path) = development_key(context).filter(|path| !path.exists()) else { return Ok(()) };
    write_once(&path, &generate_key(SigningAlgorithm::Es256)?)
}

/// What seals small secrets; `None` when there is no key. In development one is made and kept.
///
/// # Errors
/// A file that cannot be read or written, or an unfit key.
pub(crate) fn sealing(context: &Context) -> Result<Option<Arc<SealingKeys>>, Failure> {
    let Settings { environment, auth, .. } = &context.configuration.settings;
    if let Some(keys) = &auth.encryption_key {
        return Ok(Some(Arc::new(sealing_keys(keys)?)));
    }
    let path = match (&auth.encryption_key_file, environment) {
        (Some(path), _) => path.clone(),
        (None, Environment::Production) => return Ok(None),
        (None, Environment::Development) => {
            let path = context.development_folder.join("encryption-key.txt");
            if !path.exists() {
                write_once(&path, &sealed::generate_key())?;
            }
            path
        }
    };
    let text = fs::read_to_string(&path).map(SecretString::from).map_err(file("read", &path))?;
    Ok(Some(Arc::new(SealingKeys::parse(text.expose_secret())?)))
}

/// Writes a secret of development, unless another process was first.
fn write_once(path: &Path, secret: &SecretString) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(file("create", folder))?;
    let mine = path.with_extension(format!("{}.new", std::process::id()));
    write_private(&mine, secret.expose_secret()).map_err(file("write", &mine))?;
    // A link, unlike a rename, fails when the other process was first.
    let linked = fs::hard_link(&mine, path);
    fs::remove_file(&mine).map_err(file("remove", &mine))?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(file("write", path)(error)),
        _ => Ok(()),
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

/// Attaches what was tried to an error of the system.
pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Failure {
    let path = path.into();
    move |source| Failure::File { what, path, source }
}
