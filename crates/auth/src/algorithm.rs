//! The algorithms in which access tokens are signed, and their names. Keys stand in [`crate::keys`].

use std::fmt;

use jsonwebtoken::Algorithm;

/// The algorithms in which tokens may be signed (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256 with SHA-256. The default.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, for clients that know nothing else (RFC 9068 §2.1 wants it supported).
    Rs256,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256. Whoever can verify can also sign: only for services that share a secret anyway.
    Hs256,
}

impl SigningAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Es256, Self::Rs256, Self::EdDsa, Self::Hs256];

    /// Its name in the `alg` header and in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }

    /// Reads a name, exactly as registered.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }

    /// What to put in the configuration, in words for an error message.
    pub(crate) const fn wanted_key(self) -> &'static str {
        match self {
            Self::Es256 => "a P-256 key (PKCS#8 or SEC 1)",
            Self::Rs256 => "an RSA key of 2048 to 8192 bits (PKCS#8 or PKCS#1)",
            Self::EdDsa => "an Ed25519 key (PKCS#8)",
            Self::Hs256 => "a random text",
        }
    }

    pub(crate) const fn for_library(self) -> Algorithm {
        match self {
            Self::Es256 => Algorithm::ES256,
            Self::Rs256 => Algorithm::RS256,
            Self::EdDsa => Algorithm::EdDSA,
            Self::Hs256 => Algorithm::HS256,
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
