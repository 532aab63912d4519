//! The signing keys on disk: the current one in the configured file; beside it, found by their names, the next one, which
//! does not sign yet, and the previous one, which no longer does. How they change places is in [`rotation`].

mod error;
pub(crate) mod rotation;
#[cfg(test)]
mod tests;
mod writing;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bulkhead_auth::algorithm::SigningAlgorithm;
use bulkhead_auth::keys::SigningKey;
use bulkhead_auth::keyset::KeySet;
use bulkhead_auth::token::{TokenSettings, Tokens};
use bulkhead_auth::token_error::SettingsError;
use bulkhead_domain::clock;
use bulkhead_http::{Keyring, Signing};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::{Digest as _, Sha256};

pub(crate) use error::{RingError, moment};

/// Where the keys are.
#[derive(Clone, Debug)]
pub(crate) enum KeySource {
    /// One key, given in the environment. It cannot be rotated: a process's environment is its own.
    Given(SecretString),
    /// Files that the server and `rotate-signing-key` share.
    Files(RingFiles),
}

/// The files of a ring.
#[derive(Clone, Debug)]
pub(crate) struct RingFiles {
    pub(crate) next: PathBuf,
    pub(crate) current: PathBuf,
    pub(crate) previous: PathBuf,
}

/// What there is of each key.
#[derive(Clone, Debug)]
pub(crate) struct Ring<T> {
    /// Accepted and published, but does not sign yet.
    pub(crate) next: Option<T>,
    /// Signs.
    pub(crate) current: T,
    /// Signed before; still accepted, for the tokens that it signed.
    pub(crate) previous: Option<T>,
}

/// A key as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    text: SecretString,
    /// When its file was last written: the next key's publication, the previous one's retirement.
    modified: DateTime<Utc>,
}

/// A key that can be used.
#[derive(Debug)]
pub(crate) struct Key {
    text: SecretString,
    signing: SigningKey,
    /// As in [`Text`].
    pub(crate) modified: DateTime<Utc>,
}

impl Key {
    /// The key's id.
    pub(crate) fn kid(&self) -> &str {
        self.signing.public().kid()
    }
}

impl RingFiles {
    /// The ring of which `current` is the current key: `key.pem` stands beside `key.next.pem` and `key.previous.pem`.
    pub(crate) fn beside(current: &Path) -> Self {
        let named = |state: &str| {
            let mut name = OsString::from(current.file_stem().unwrap_or_default());
            name.push(".");
            name.push(state);
            if let Some(extension) = current.extension() {
                name.push(".");
                name.push(extension);
            }
            current.with_file_name(name)
        };
        Self { next: named("next"), previous: named("previous"), current: current.to_owned() }
    }

    /// Reads the keys that are there.
    ///
    /// In this order, because a rotation may be going on: a key that signs is the next one, then the current one, then the
    /// previous one, and must not be missed on its way.
    ///
    /// # Errors
    /// There is no current key, or a file that cannot be read.
    fn read(&self) -> Result<Ring<Text>, RingError> {
        let next = read(&self.next)?;
        let current = read(&self.current)?;
        let previous = read(&self.previous)?;
        let current =
            current.ok_or_else(|| RingError::file("read", &self.current)(io::ErrorKind::NotFound.into()))?;
        Ok(Ring { next, current, previous })
    }

    /// Reads the keys and checks that they can be used.
    ///
    /// # Errors
    /// As above; or a file does not hold a key for this algorithm.
    pub(crate) fn load(&self, algorithm: SigningAlgorithm) -> Result<Ring<Key>, RingError> {
        self.check(algorithm, self.read()?)
    }

    fn check(&self, algorithm: SigningAlgorithm, ring: Ring<Text>) -> Result<Ring<Key>, RingError> {
        let check = |path: &Path, Text { text, modified }: Text| {
            let signing = SigningKey::load(algorithm, &text)
                .map_err(|source| RingError::Key { path: path.to_owned(), source })?;
            Ok::<_, RingError>(Key { text, signing, modified })
        };
        Ok(Ring {
            next: ring.next.map(|text| check(&self.next, text)).transpose()?,
            current: check(&self.current, ring.current)?,
            previous: ring.previous.map(|text| check(&self.previous, text)).transpose()?,
        })
    }
}

impl Ring<Text> {
    /// The keys without their times.
    fn texts(&self) -> [Option<&str>; 3] {
        [self.next.as_ref(), Some(&self.current), self.previous.as_ref()]
            .map(|key| key.map(|key| key.text.expose_secret()))
    }
}

impl Ring<Key> {
    /// What the server works with.
    fn into_signing(self, settings: TokenSettings) -> Result<Signing, SettingsError> {
        let others = || self.previous.iter().chain(&self.next);
        let peppers = std::iter::once(&self.current).chain(others()).map(|key| pepper(&key.text)).collect();
        let accepted = others().map(|key| key.signing.public().clone()).collect();
        let tokens = Tokens::new(KeySet::new(self.current.signing, accepted), settings)?;
        Ok(Signing { tokens: tokens.into(), peppers })
    }
}

impl KeySource {
    /// The keys as they are now.
    ///
    /// # Errors
    /// There are none, one is unfit, or the settings contradict each other.
    pub(crate) fn signing(
        &self,
        algorithm: SigningAlgorithm,
        settings: TokenSettings,
    ) -> Result<Signing, RingError> {
        let ring = match self {
            Self::Files(files) => files.load(algorithm)?,
            Self::Given(text) => {
                let signing = SigningKey::load(algorithm, text).map_err(RingError::Given)?;
                let current = Key { text: text.clone(), signing, modified: clock::now() };
                Ring { next: None, current, previous: None }
            }
        };
        Ok(ring.into_signing(settings)?)
    }

    /// The keys, to be read again whenever their files change.
    ///
    /// # Errors
    /// As [`KeySource::signing`].
    pub(crate) fn keyring(
        &self,
        algorithm: SigningAlgorithm,
        settings: TokenSettings,
    ) -> Result<Keyring, RingError> {
        let Self::Files(files) = self else {
            return Ok(Keyring::fixed(self.signing(algorithm, settings)?));
        };
        let files = files.clone();
        let first = files.read()?;
        let signing = files.check(algorithm, first.clone())?.into_signing(settings.clone())?;
        let seen = Mutex::new(first);
        let reload = move || {
            let found = files.read()?;
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if found.texts() == seen.texts() {
                return Ok(None);
            }
            let signing = files.check(algorithm, found.clone())?.into_signing(settings.clone())?;
            *seen = found;
            Ok(Some(signing))
        };
        Ok(Keyring::reloadable(signing, Box::new(reload)))
    }
}

/// The key under which refresh tokens get their successors: derived from the signing key, so that every server has the
/// same one and an operator has one secret less to keep.
fn pepper(key: &SecretString) -> SecretSlice<u8> {
    let mut hash = Sha256::new_with_prefix(b"bulkhead refresh successor\0");
    hash.update(key.expose_secret().trim().as_bytes());
    hash.finalize().to_vec().into()
}

fn read(path: &Path) -> Result<Option<Text>, RingError> {
    let open = || -> io::Result<Text> {
        let mut file = File::open(path)?;
        let modified = file.metadata()?.modified()?.into();
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(Text { text: text.into(), modified })
    };
    match open() {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RingError::file("read", path)(error)),
    }
}
