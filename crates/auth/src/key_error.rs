//! Why a signing key is refused. The texts are for the operator who configured it, and never hold key material.

use crate::algorithm::SigningAlgorithm;

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no private key in PEM form in the text.
    #[error(
        "the signing key is not a PEM private key; a text with -----BEGIN PRIVATE KEY----- is expected \
         (encrypted keys and certificates cannot be used)"
    )]
    NotPem,
    /// It is PEM, but what it holds is no key that `algorithm` could use.
    #[error("the PEM text holds no private key that {algorithm} can use; {} is expected", .algorithm.wanted_key())]
    Unreadable {
        /// The configured algorithm.
        algorithm: SigningAlgorithm,
    },
    /// It is a good key, for another algorithm.
    #[error("the signing key is for {found}, but {configured} is configured")]
    WrongAlgorithm {
        /// The configured algorithm.
        configured: SigningAlgorithm,
        /// What the key is good for.
        found: SigningAlgorithm,
    },
    /// An RSA key of less than 2048 bits (RFC 7518 §3.3).
    #[error("the RSA signing key is shorter than 2048 bits")]
    WeakRsa,
    /// The HS256 secret can be guessed, or is no secret.
    #[error("the HS256 secret cannot be used: {0}")]
    WeakSecret(#[from] WeakSecret),
    /// Signing or encoding failed inside the cryptographic library.
    #[error("the cryptographic library failed")]
    Library,
}

/// Why a text will not do as an HS256 secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    /// Shorter than the hash it keys (RFC 7518 §3.2).
    #[error("it is shorter than 32 bytes")]
    TooShort,
    /// Made of a handful of different bytes.
    #[error("it repeats a few characters")]
    Repetitive,
    /// Holds a phrase from the examples that are copied everywhere.
    #[error("it looks like an example")]
    Example,
    /// Holds a PEM text. A public key as HS256 secret is known to everybody (RFC 8725 §2.1).
    #[error("it is a PEM text; choose ES256, RS256 or EdDSA, or a random secret")]
    Pem,
}
