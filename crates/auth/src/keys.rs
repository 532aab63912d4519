//! Keys that sign access tokens, one algorithm per key, and their public halves. Which of several keys is in use is
//! said in [`crate::keyset`]; what is signed, in [`crate::token`].
//!
//! Verifying and describing keys is left to `jsonwebtoken`. Signing is not: it would parse and check the private key
//! again for every signature, which nearly doubles the cost with ES256 and EdDSA, and makes it sevenfold with RS256.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use aws_lc_rs::{error::KeyRejected, hmac};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{DecodingKey, crypto};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::algorithm::SigningAlgorithm;
use crate::hmac_secret;
use crate::key_error::KeyError;

/// The half of a key that verifies. For HS256 that is the secret itself.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: String,
    algorithm: SigningAlgorithm,
    key: DecodingKey,
    public_jwk: Option<Value>,
}

impl VerifyingKey {
    /// The key id: the RFC 7638 thumbprint of a public key, sixteen hexadecimal digits for a secret.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm that this key is for.
    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The public key as a JWK (RFC 7517 §4); `None` for a secret, which is never published.
    #[must_use]
    pub const fn public_jwk(&self) -> Option<&Value> {
        self.public_jwk.as_ref()
    }

    /// Whether `signature` (base64url) is this key's for `message`. The algorithm is the key's own, whatever a
    /// header says (RFC 8725 §3.1).
    pub(crate) fn verifies(&self, message: &str, signature: &str) -> bool {
        crypto::verify(signature, message.as_bytes(), &self.key, self.algorithm.for_library())
            .unwrap_or(false)
    }

    fn asymmetric(algorithm: SigningAlgorithm, key: DecodingKey) -> Result<Self, KeyError> {
        let mut jwk = Jwk::from_decoding_key(&key, Some(algorithm.for_library()))
            .or(Err(KeyError::Unreadable { algorithm }))?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).or(Err(KeyError::Library))?;
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_id = Some(kid.clone());
        let public_jwk = serde_json::to_value(&jwk).or(Err(KeyError::Library))?;
        Ok(Self { kid, algorithm, key, public_jwk: Some(public_jwk) })
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// A key that signs.
pub struct SigningKey {
    public: VerifyingKey,
    private: PrivateKey,
}

enum PrivateKey {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
    /// Boxed because it is twenty times the size of the others.
    Hmac(Box<hmac::Key>),
}

impl SigningKey {
    /// Loads a key from what the operator configured: a PEM private key, or for HS256 the secret itself.
    ///
    /// # Errors
    /// When the text is not such a key, is one for another algorithm, or is too weak.
    pub fn load(algorithm: SigningAlgorithm, text: &SecretString) -> Result<Self, KeyError> {
        if algorithm == SigningAlgorithm::Hs256 {
            return Self::from_secret(text);
        }
        let der = PrivateKeyDer::from_pem_slice(text.expose_secret().as_bytes()).or(Err(KeyError::NotPem))?;
        Self::from_der(algorithm, &der).map_err(|error| {
            let found = SigningAlgorithm::ALL.into_iter().find(|other| Self::from_der(*other, &der).is_ok());
            found.map_or(error, |found| KeyError::WrongAlgorithm { configured: algorithm, found })
        })
    }

    /// The half that verifies what this key signs.
    #[must_use]
    pub const fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// Signs `message`. The result is in the form of a JWS (RFC 7515 §5.1), before base64.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        match &self.private {
            PrivateKey::Ecdsa(pair) => {
                Ok(pair.sign(&random, message).or(Err(KeyError::Library))?.as_ref().to_vec())
            }
            PrivateKey::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).or(Err(KeyError::Library))?;
                Ok(signature)
            }
            PrivateKey::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            PrivateKey::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
        }
    }

    fn from_secret(secret: &SecretString) -> Result<Self, KeyError> {
        let secret = secret.expose_secret();
        hmac_secret::check_secret(secret)?;
        let public = VerifyingKey {
            kid: hmac_secret::kid(secret),
            algorithm: SigningAlgorithm::Hs256,
            key: DecodingKey::from_secret(secret.as_bytes()),
            public_jwk: None,
        };
        Ok(Self {
            public,
            private: PrivateKey::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))),
        })
    }

    fn from_der(algorithm: SigningAlgorithm, der: &PrivateKeyDer<'_>) -> Result<Self, KeyError> {
        let refused = |why: KeyRejected| match why.description_() {
            "TooSmall" if algorithm == SigningAlgorithm::Rs256 => KeyError::WeakRsa,
            _ => KeyError::Unreadable { algorithm },
        };
        let (key, private) = match (algorithm, der) {
            (SigningAlgorithm::Es256, PrivateKeyDer::Pkcs8(_) | PrivateKeyDer::Sec1(_)) => {
                let pair =
                    EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_der());
                let pair = pair.map_err(refused)?;
                (DecodingKey::from_ec_der(pair.public_key().as_ref()), PrivateKey::Ecdsa(pair))
            }
            (SigningAlgorithm::Rs256, PrivateKeyDer::Pkcs8(_) | PrivateKeyDer::Pkcs1(_)) => {
                let is_pkcs8 = matches!(der, PrivateKeyDer::Pkcs8(_));
                let read = if is_pkcs8 { RsaKeyPair::from_pkcs8 } else { RsaKeyPair::from_der };
                let pair = read(der.secret_der()).map_err(refused)?;
                (DecodingKey::from_rsa_der(pair.public_key().as_ref()), PrivateKey::Rsa(pair))
            }
            (SigningAlgorithm::EdDsa, PrivateKeyDer::Pkcs8(_)) => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_der()).map_err(refused)?;
                (DecodingKey::from_ed_der(pair.public_key().as_ref()), PrivateKey::Ed25519(pair))
            }
            _ => return Err(KeyError::Unreadable { algorithm }),
        };
        Ok(Self { public: VerifyingKey::asymmetric(algorithm, key)?, private })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
