//! The common form of the opaque secrets that the product hands out, and the digest under which they are stored.
//!
//! The form is `prefix + base64url(payload) + checksum`. A secret scanner finds the prefix, recomputes the checksum
//! without asking anybody, and so reports real leaks and hardly anything else. What a payload means is not said
//! here; see [`crate::refresh`].

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Length of the checksum in characters: enough base62 digits for 32 bits.
const CHECKSUM_LENGTH: usize = 6;

/// Digits of base62, in the order that published scanners use for such checksums.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes `payload` in the common form under `prefix`.
#[must_use]
pub fn encode(prefix: &str, payload: &[u8]) -> SecretString {
    let mut text = String::with_capacity(prefix.len() + payload.len().div_ceil(3) * 4 + CHECKSUM_LENGTH);
    text.push_str(prefix);
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let checksum = checksum(text.as_bytes());
    text.push_str(&checksum);
    SecretString::from(text)
}

/// Reads a secret of the common form whose payload is `N` bytes; `None` when it is anything else.
///
/// Every payload has exactly one spelling: the length is fixed, padding, unused bits and other alphabets are
/// refused. So the text itself may be hashed and looked up.
#[must_use]
pub fn decode<const N: usize>(prefix: &str, text: &str) -> Option<Zeroizing<[u8; N]>> {
    let body_length = (N * 4).div_ceil(3);
    if text.len() != prefix.len() + body_length + CHECKSUM_LENGTH {
        return None;
    }
    let (signed, given) = text.split_at_checked(prefix.len() + body_length)?;
    let body = signed.strip_prefix(prefix)?;
    // The checksum guards nothing; comparing it in constant time would only look as if it did.
    if checksum(signed.as_bytes()) != given {
        return None;
    }
    let mut payload = Zeroizing::new([0; N]);
    let written = URL_SAFE_NO_PAD.decode_slice(body, payload.as_mut_slice()).ok()?;
    (written == N).then_some(payload)
}

/// CRC-32 in base62, the most significant digit first, padded with zeros.
fn checksum(text: &[u8]) -> String {
    let mut rest = crc32fast::hash(text);
    let mut digits = ['0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit =
            usize::try_from(rest % 62).ok().and_then(|at| BASE62.get(at)).map_or('0', |&b| char::from(b));
        rest /= 62;
    }
    digits.iter().collect()
}

/// SHA-256 of an opaque secret: what is stored instead of it.
///
/// A fast hash is right here, unlike for passwords: the secret holds 256 random bits, and no guessing gets through
/// those (ASVS 6.5.2). Comparing takes the same time wherever two digests differ.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `secret`, as it was sent.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self::of_bytes(secret.as_bytes())
    }

    /// The digest of secret bytes.
    #[must_use]
    pub fn of_bytes(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Wraps a digest that was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::{BASE62, Digest, checksum, decode, encode};

    #[test]
    fn a_secret_reads_back_under_its_own_prefix_only() {
        let secret = encode("bhx_", &[7; 32]);
        let text = secret.expose_secret();
        assert_eq!(text.len(), 4 + 43 + 6);
        assert_eq!(*decode::<32>("bhx_", text).unwrap(), [7; 32]);
        assert!(decode::<32>("bhy_", text).is_none());
        assert!(decode::<31>("bhx_", text).is_none());
    }

    #[test]
    fn no_character_can_be_changed_to_any_other_of_the_alphabet() {
        let secret = encode("bhx_", &[0xa5; 32]);
        let text = secret.expose_secret();
        for at in 0..text.len() {
            for &replacement in BASE62.iter().chain(b"-_=+/. \0") {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = replacement;
                let changed = String::from_utf8(bytes).unwrap();
                assert_eq!(decode::<32>("bhx_", &changed).is_some(), changed == text, "{at}: {replacement}");
            }
        }
    }

    #[test]
    fn unused_bits_are_refused_even_under_a_right_checksum() {
        // 32 bytes end in a character of which two bits mean nothing; "_" sets them.
        let signed = format!("bhx_{}_", "A".repeat(42));
        let text = format!("{signed}{}", checksum(signed.as_bytes()));
        assert!(decode::<32>("bhx_", &text).is_none());
    }

    #[test]
    fn the_checksum_is_crc32_in_base62_of_the_whole_text_before_it() {
        // The check value of CRC-32 is 0xCBF43926 for "123456789".
        let mut value = 0_u64;
        for digit in checksum(b"123456789").bytes() {
            let worth = BASE62.iter().position(|&b| b == digit).unwrap();
            value = value * 62 + u64::try_from(worth).unwrap();
        }
        assert_eq!(value, 0xCBF4_3926);
        assert_eq!(checksum(b""), "000000");
    }

    #[test]
    fn a_digest_does_not_show_itself() {
        let digest = Digest::of("abc");
        assert_eq!(format!("{digest:?}"), "Digest(..)");
        assert_eq!(digest.as_bytes()[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(Digest::from_bytes(*digest.as_bytes()), digest);
        assert_ne!(digest, Digest::of("abd"));
    }
}
