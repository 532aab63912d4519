//! The keys in use, shared by all workers and replaced while the server runs. Where keys are kept and how they are read
//! is `cli`'s business; it hands in a way to look for them again.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use bulkhead_auth::token::Tokens;
use secrecy::SecretSlice;

/// How often keys are looked for: a rotation has reached every server within this time and one reading of the files.
const PERIOD: Duration = Duration::from_secs(1);

/// Everything that follows from the keys. Replaced as a whole, so that no request mixes two.
#[derive(Debug)]
pub struct Signing {
    /// Issues and verifies access tokens.
    pub tokens: Arc<Tokens>,
    /// The keys under which refresh tokens get their successors; the same on every server. The first is used for new
    /// ones, the others find those that another server made before it, or this one, heard of a rotation. Not empty.
    pub peppers: Vec<SecretSlice<u8>>,
}

/// Why keys could not be read again. The text is logged, so it must not hold key material.
pub type ReloadError = Box<dyn Error + Send + Sync>;

/// Looks for keys: `None` when they are those of the last time. It may wait for files.
pub type Reload = Box<dyn Fn() -> Result<Option<Signing>, ReloadError> + Send + Sync>;

/// The keys in use.
pub struct Keyring {
    current: ArcSwap<Signing>,
    reload: Option<Reload>,
}

impl Keyring {
    /// Keys that stay until the server ends.
    #[must_use]
    pub fn fixed(signing: Signing) -> Self {
        Self { current: ArcSwap::from_pointee(signing), reload: None }
    }

    /// Keys that `reload` is asked for again and again.
    #[must_use]
    pub fn reloadable(signing: Signing, reload: Reload) -> Self {
        Self { current: ArcSwap::from_pointee(signing), reload: Some(reload) }
    }

    /// What is in use at this moment. Not to be held for longer than one request takes.
    pub fn current(&self) -> Guard<Arc<Signing>> {
        self.current.load()
    }

    /// Looks for other keys and takes them into use. Whether there were any. On an error the old ones stay.
    fn renew(&self) -> Result<bool, ReloadError> {
        let found = match &self.reload {
            Some(reload) => reload()?,
            None => None,
        };
        Ok(found.map(|signing| self.current.store(Arc::new(signing))).is_some())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("current", &self.current).finish_non_exhaustive()
    }
}

/// Looks for other keys for as long as the server runs. A fault is logged once, however long it lasts.
pub(crate) async fn watch(keyring: Arc<Keyring>) {
    let mut fault = None;
    while keyring.reload.is_some() {
        tokio::time::sleep(PERIOD).await;
        let reader = Arc::clone(&keyring);
        // Files may be on a disk that hangs; this thread serves the revocations.
        let read = tokio::task::spawn_blocking(move || reader.renew()).await;
        match read.unwrap_or_else(|panic| Err(panic.into())) {
            Ok(renewed) => {
                if renewed {
                    tracing::info!(security = true, kid = signing_kid(&keyring), "the signing keys changed");
                } else if fault.is_some() {
                    tracing::info!("the signing keys can be read again, and are those in use");
                }
                fault = None;
            }
            Err(error) => {
                let error = error.to_string();
                if fault.as_ref() != Some(&error) {
                    tracing::error!(%error, "the signing keys cannot be read; those in use stay");
                }
                fault = Some(error);
            }
        }
    }
}

fn signing_kid(keyring: &Keyring) -> String {
    keyring.current().tokens.keys().current().public().kid().to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use bulkhead_auth::algorithm::SigningAlgorithm;
    use bulkhead_auth::key_generation::generate_key;
    use bulkhead_auth::keys::SigningKey;
    use bulkhead_auth::keyset::KeySet;
    use bulkhead_auth::token::{TokenSettings, Tokens};

    use super::{Keyring, ReloadError, Signing, signing_kid};

    fn signing() -> Signing {
        let algorithm = SigningAlgorithm::Es256;
        let key = SigningKey::load(algorithm, &generate_key(algorithm).unwrap()).unwrap();
        let settings = TokenSettings {
            issuer: "issuer".to_owned(),
            audience: "audience".to_owned(),
            access_lifetime: Duration::from_secs(900),
            leeway: Duration::ZERO,
        };
        let tokens = Tokens::new(KeySet::new(key, Vec::new()), settings).unwrap().into();
        Signing { tokens, peppers: vec![vec![1_u8; 32].into()] }
    }

    #[test]
    fn other_keys_replace_those_in_use_and_a_fault_does_not() {
        let (first, second) = (signing(), signing());
        let kid = |signing: &Signing| signing.tokens.keys().current().public().kid().to_owned();
        let (old, new) = (kid(&first), kid(&second));
        let answers: [Result<_, ReloadError>; 4] =
            [Ok(None), Err("half-written".into()), Ok(Some(second)), Ok(None)];
        let answers = Mutex::new(answers.into_iter());
        let reload = move || answers.lock().unwrap().next().unwrap();
        let keyring = Keyring::reloadable(first, Box::new(reload));
        for (renewed, kid) in [(Some(false), &old), (None, &old), (Some(true), &new), (Some(false), &new)] {
            assert_eq!(keyring.renew().ok(), renewed);
            assert_eq!(&signing_kid(&keyring), kid);
        }
    }

    #[test]
    fn keys_without_a_source_stay() {
        let keyring = Keyring::fixed(signing());
        let kid = signing_kid(&keyring);
        assert!(!keyring.renew().unwrap());
        assert_eq!(signing_kid(&keyring), kid);
    }
}
