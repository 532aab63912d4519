//! What an HS256 secret must be like, and the key id that it goes by.

use sha2::{Digest as _, Sha256};

use crate::key_error::WeakSecret;

/// Least length in bytes: that of the hash (RFC 7518 §3.2, RFC 8725 §3.5).
pub const MIN_SECRET_BYTES: usize = 32;

/// Least number of different bytes. 32 random bytes or hexadecimal digits all but always have more; `abab…` has two.
const MIN_DISTINCT_BYTES: usize = 8;

/// Phrases that give an example away. Each has at least six letters, so that a random secret does not contain one.
const EXAMPLE_PHRASES: [&str; 10] = [
    "secret",
    "changeme",
    "change-me",
    "change_me",
    "change this",
    "insecure",
    "example",
    "password",
    "replace",
    "your-256",
];

/// Checks that `secret` may sign tokens. Its bytes are used as they stand: it is not decoded.
///
/// # Errors
/// The first weakness found.
pub fn check_secret(secret: &str) -> Result<(), WeakSecret> {
    let lower = secret.to_ascii_lowercase();
    if secret.contains("-----BEGIN") {
        return Err(WeakSecret::Pem);
    }
    if EXAMPLE_PHRASES.iter().any(|phrase| lower.contains(phrase)) {
        return Err(WeakSecret::Example);
    }
    if secret.len() < MIN_SECRET_BYTES {
        return Err(WeakSecret::TooShort);
    }
    let mut bytes = secret.as_bytes().to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    if bytes.len() < MIN_DISTINCT_BYTES {
        return Err(WeakSecret::Repetitive);
    }
    Ok(())
}

/// The key id of a secret: 64 bits of a hash, in hexadecimal. Enough to tell two keys apart, and no help in finding
/// the secret, because every token is already a better oracle for a guess.
#[must_use]
pub(crate) fn kid(secret: &str) -> String {
    // The label keeps this hash apart from any other hash of the same secret.
    let hash = Sha256::new().chain_update("kid").chain_update(secret).finalize();
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{check_secret, kid};
    use crate::key_error::WeakSecret;

    #[test]
    fn random_secrets_pass_and_known_examples_do_not() {
        for good in [
            "q7Jt0vYxG3mZ8sKfLw2RbN5hD1cPzE9u",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ] {
            assert_eq!(check_secret(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", WeakSecret::TooShort),
            ("q7Jt0vYxG3mZ8sKfLw2RbN5hD1cPzE9", WeakSecret::TooShort),
            ("secret", WeakSecret::Example),
            ("changeme", WeakSecret::Example),
            ("your-secret-key", WeakSecret::Example),
            ("django-insecure-q7Jt0vYxG3mZ8sKfLw2RbN5hD1cPzE9u", WeakSecret::Example),
            ("your-256-bit-key-goes-here-0123456789", WeakSecret::Example),
            ("CHANGEME-CHANGEME-CHANGEME-CHANGEME-", WeakSecret::Example),
            (&"a".repeat(64), WeakSecret::Repetitive),
            (&"\0".repeat(64), WeakSecret::Repetitive),
            (&"abc123".repeat(10), WeakSecret::Repetitive),
            ("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", WeakSecret::Pem),
        ] {
            assert_eq!(check_secret(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn the_key_id_is_sixteen_hexadecimal_digits_and_follows_the_secret() {
        let id = kid("one");
        assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        assert_ne!(id, kid("two"));
    }
}
