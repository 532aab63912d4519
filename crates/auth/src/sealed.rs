//! Small secrets at rest: sealed with the first of the configured keys, opened with whichever key sealed them. What is
//! sealed, and where it is kept, is not said here.

mod keys;

use std::fmt;

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use bulkhead_domain::ids::{TenantId, UserId};
use zeroize::Zeroizing;

use keys::{ID_LENGTH, Key};
pub use keys::{SealingKeyError, generate_key};

/// The one format there is: version, key id, nonce, ciphertext with its tag (AES-256-GCM).
const VERSION: u8 = 1;
/// Version and key id. They are authenticated with the rest.
const HEADER_LENGTH: usize = 1 + ID_LENGTH;
/// The tag of AES-GCM.
const TAG_LENGTH: usize = 16;

/// By how many bytes a sealed text is longer than the plain one.
pub const OVERHEAD: usize = HEADER_LENGTH + NONCE_LEN + TAG_LENGTH;

/// The keys. To rotate, put a new one in front and leave the old one until nothing that it sealed is left.
///
/// A nonce is 96 random bits, so one key is good for 2^32 seals (NIST SP 800-38D §8.3), far beyond what people enrol.
pub struct SealingKeys {
    first: Key,
    others: Vec<Key>,
}

/// Nothing could be sealed: the cryptographic library failed, a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealing a secret failed")]
pub struct SealingFailed;

/// Says whose a sealed text is and what for, so that it opens nowhere else: not for another user, not in another tenant,
/// not as a secret of another kind.
#[must_use]
pub fn context(purpose: &'static str, tenant: TenantId, user: UserId) -> Vec<u8> {
    // The ids have a fixed length and stand at the end, so no two contexts are alike.
    [purpose.as_bytes(), tenant.uuid().as_bytes(), user.uuid().as_bytes()].concat()
}

impl SealingKeys {
    /// Reads keys from text: one a line, 32 random bytes in base64 or hexadecimal. The first one seals. Empty lines and
    /// lines that start with `#` are skipped.
    ///
    /// # Errors
    /// There is no key, or one of them is unfit.
    pub fn parse(text: &str) -> Result<Self, SealingKeyError> {
        let mut keys = keys::parse(text)?.into_iter();
        let first = keys.next().ok_or(SealingKeyError::None)?;
        Ok(Self { first, others: keys.collect() })
    }

    /// Seals `plain`. It opens again only with the same `context`, which is not part of the result.
    ///
    /// # Errors
    /// The library failed.
    pub fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealingFailed> {
        let header = header(self.first.id);
        let aad = Aad::from([header.as_slice(), context].concat());
        let mut body = Zeroizing::new(Vec::with_capacity(plain.len() + TAG_LENGTH));
        body.extend_from_slice(plain);
        let sealed = self.first.key.seal_in_place_append_tag(aad, &mut *body);
        let nonce = sealed.or(Err(SealingFailed))?;
        Ok([header.as_slice(), nonce.as_ref(), body.as_slice()].concat())
    }

    /// Opens what [`SealingKeys::seal`] made for `context`; `None` for anything else, or when its key is gone.
    #[must_use]
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (header, rest) = sealed.split_first_chunk::<HEADER_LENGTH>()?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        let key = self.all().find(|key| *header == self::header(key.id))?;
        let aad = Aad::from([header.as_slice(), context].concat());
        let mut body = Zeroizing::new(body.to_vec());
        let length = key.key.open_in_place(Nonce::from(nonce), aad, &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }

    /// Whether `sealed` was sealed with another key than the one that seals now, and should be sealed anew.
    #[must_use]
    pub fn is_outdated(&self, sealed: &[u8]) -> bool {
        !sealed.starts_with(&header(self.first.id))
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

fn header(id: [u8; ID_LENGTH]) -> [u8; HEADER_LENGTH] {
    let [a, b, c, d] = id;
    [VERSION, a, b, c, d]
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKeys(..)")
    }
}

#[cfg(test)]
mod tests;
