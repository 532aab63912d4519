//! Reading the keys that seal: their spelling, their fitness, and the short id that each goes by.

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Length of a key in bytes.
const KEY_LENGTH: usize = 32;
/// Length of a key's id in bytes: enough to tell a handful of keys apart.
pub(super) const ID_LENGTH: usize = 4;
/// Least number of different bytes. 32 random bytes all but always have more than twenty.
const MIN_DISTINCT_BYTES: usize = 12;

/// Padding is what people lose when they copy a key.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Why the keys cannot be used. The texts are for the operator who configured them, and never hold key material.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealingKeyError {
    /// There is no key in the text.
    #[error("there is no encryption key; 32 random bytes in base64 are expected (`openssl rand -base64 32`)")]
    None,
    /// Not 32 bytes in base64 or hexadecimal.
    #[error(
        "the encryption key on line {line} is not 32 bytes in base64 or hexadecimal (`openssl rand -base64 32`)"
    )]
    Malformed {
        /// The line, from 1.
        line: usize,
    },
    /// 32 bytes that nobody drew at random: letters, or few different bytes.
    #[error("the encryption key on line {line} is not random; make one with `openssl rand -base64 32`")]
    NotRandom {
        /// The line, from 1.
        line: usize,
    },
    /// The same key twice, or two that cannot be told apart by their ids.
    #[error("the encryption key on line {line} is there already")]
    Repeated {
        /// The line, from 1.
        line: usize,
    },
    /// The cryptographic library refused a key.
    #[error("the cryptographic library failed")]
    Library,
}

/// Makes a key, as [`super::SealingKeys::parse`] reads it.
#[must_use]
pub fn generate_key() -> SecretString {
    let mut bytes = Zeroizing::new([0_u8; KEY_LENGTH]);
    // The thread's generator is cryptographically secure and seeded by the operating system.
    rand::fill(bytes.as_mut_slice());
    SecretString::from(STANDARD.encode(bytes.as_slice()))
}

/// A key that can be used.
pub(super) struct Key {
    pub(super) id: [u8; ID_LENGTH],
    pub(super) key: RandomizedNonceKey,
}

/// Reads all keys, in their order.
pub(super) fn parse(text: &str) -> Result<Vec<Key>, SealingKeyError> {
    let mut keys: Vec<Key> = Vec::new();
    for (at, text) in text.lines().map(str::trim).enumerate() {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let line = at + 1;
        let bytes = decode(text).ok_or(SealingKeyError::Malformed { line })?;
        if !looks_random(&bytes) {
            return Err(SealingKeyError::NotRandom { line });
        }
        let id = id_of(&bytes);
        if keys.iter().any(|key| key.id == id) {
            return Err(SealingKeyError::Repeated { line });
        }
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes.as_slice());
        keys.push(Key { id, key: key.or(Err(SealingKeyError::Library))? });
    }
    Ok(keys)
}

/// Hexadecimal has 64 digits and base64 at most 44, so neither can be taken for the other.
fn decode(text: &str) -> Option<Zeroizing<[u8; KEY_LENGTH]>> {
    let mut bytes = Zeroizing::new([0_u8; KEY_LENGTH]);
    if text.len() == 2 * KEY_LENGTH {
        for (slot, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
            *slot = u8::from_str_radix(digits, 16).ok()?;
        }
        return Some(bytes);
    }
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    let decoded = Zeroizing::new(engine.decode(text).ok()?);
    if decoded.len() != KEY_LENGTH {
        return None;
    }
    bytes.copy_from_slice(&decoded);
    Some(bytes)
}

/// A phrase of 32 letters in base64 has the length of a key and nothing else of it.
fn looks_random(bytes: &[u8; KEY_LENGTH]) -> bool {
    let is_text = bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    let mut distinct = Zeroizing::new(*bytes);
    distinct.sort_unstable();
    !is_text && distinct.chunk_by(|a, b| a == b).count() >= MIN_DISTINCT_BYTES
}

/// Stands in the clear in front of everything that the key seals. The label keeps this hash apart from any other.
fn id_of(key: &[u8; KEY_LENGTH]) -> [u8; ID_LENGTH] {
    let hash = Sha256::new_with_prefix(b"bulkhead sealing key id\0").chain_update(key).finalize();
    let mut id = [0; ID_LENGTH];
    for (slot, byte) in id.iter_mut().zip(hash) {
        *slot = byte;
    }
    id
}
