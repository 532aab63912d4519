//! Secrets of API clients: made here, shown once, and known afterwards by their digest alone.

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::secret::{self, Digest};

/// Marks a client's secret. It may never change: secret scanners and customers' own filters look for it.
pub const PREFIX: &str = "bhs_";

/// Random bytes of a secret: 256 bits.
const LENGTH: usize = 32;
/// Characters at the end that are kept in the clear, to tell one secret from another. They belong to the checksum, so they
/// give nothing of the random part away that is worth having: 24 of 256 bits.
const HINT_LENGTH: usize = 4;

/// A secret to hand out, once, and what to store of it. Its characters are letters, digits, `-` and `_` only, so no way
/// of encoding it in a header or a form can spoil it.
#[derive(Debug)]
pub struct NewClientSecret {
    /// The secret.
    pub plain: SecretString,
    /// Its digest.
    pub digest: Digest,
    /// Its last characters.
    pub hint: String,
}

/// Makes a secret.
#[must_use]
pub fn generate() -> NewClientSecret {
    let mut payload = Zeroizing::new([0_u8; LENGTH]);
    // The thread's generator is cryptographically secure and seeded by the operating system.
    rand::fill(payload.as_mut_slice());
    let plain = secret::encode(PREFIX, payload.as_slice());
    let text = plain.expose_secret();
    let hint = text.get(text.len().saturating_sub(HINT_LENGTH)..).unwrap_or_default().to_owned();
    NewClientSecret { digest: Digest::of(text), hint, plain }
}

/// Which of the stored digests is that of the presented secret. Every one is compared, at least one in any case, so that
/// the time tells nothing of how many there are or which it was.
#[must_use]
pub fn find(presented: &str, stored: &[Digest]) -> Option<usize> {
    let presented = Digest::of(presented);
    // Of nothing that could be presented: a digest of a digest.
    let nobody = Digest::of_bytes(presented.as_bytes());
    let mut found = (presented == nobody).then_some(usize::MAX);
    for (at, digest) in stored.iter().enumerate() {
        if presented == *digest {
            found = Some(at);
        }
    }
    found.filter(|at| *at < stored.len())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::{find, generate};
    use crate::secret::decode;

    #[test]
    fn a_secret_has_256_bits_a_checksum_and_only_characters_that_need_no_escaping() {
        let secret = generate();
        let text = secret.plain.expose_secret();
        assert_eq!(text.len(), 4 + 43 + 6);
        assert!(decode::<32>("bhs_", text).is_some());
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert!(text.ends_with(&secret.hint));
        assert_ne!(text, generate().plain.expose_secret());
        assert!(!format!("{secret:?}").contains(text));
    }

    #[test]
    fn a_secret_is_found_among_several_and_nothing_is_found_among_none() {
        let (first, second) = (generate(), generate());
        let stored = [first.digest, second.digest];
        assert_eq!(find(first.plain.expose_secret(), &stored), Some(0));
        assert_eq!(find(second.plain.expose_secret(), &stored), Some(1));
        for wrong in ["", "bhs_", generate().plain.expose_secret()] {
            assert_eq!(find(wrong, &stored), None);
            assert_eq!(find(wrong, &[]), None);
        }
    }
}
