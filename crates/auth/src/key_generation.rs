//! New private keys, as the texts that [`SigningKey::load`](crate::keys::SigningKey::load) reads. Where they are kept, and
//! when they begin to sign, is the caller's business.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::algorithm::SigningAlgorithm;
use crate::key_error::KeyError;

/// A new private key for `algorithm`: PEM (PKCS#8), or for HS256 a random secret of 256 bits in hexadecimal, without a
/// newline, which would be a part of it. An RSA key has 2048 bits.
///
/// # Errors
/// [`KeyError::Library`] when the system gives no random bytes.
pub fn generate_key(algorithm: SigningAlgorithm) -> Result<SecretString, KeyError> {
    match algorithm {
        SigningAlgorithm::Es256 => {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map(|document| pem(document.as_ref()))
        }
        SigningAlgorithm::EdDsa => {
            Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map(|document| pem(document.as_ref()))
        }
        SigningAlgorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048).and_then(|pair| {
            AsDer::<Pkcs8V1Der<'static>>::as_der(&pair).map(|document| pem(document.as_ref()))
        }),
        SigningAlgorithm::Hs256 => {
            let mut bytes = Zeroizing::new([0_u8; 32]);
            fill(bytes.as_mut_slice()).map(|()| hexadecimal(bytes.as_slice()))
        }
    }
    .or(Err(KeyError::Library))
}

/// Hexadecimal digits hold none of the words that give an example away, as base64 might.
fn hexadecimal(bytes: &[u8]) -> SecretString {
    SecretString::from(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Writes a PKCS#8 document as PEM (RFC 7468 §10), 64 characters a line.
pub(crate) fn pem(pkcs8: &[u8]) -> SecretString {
    let mut text = String::from("-----BEGIN PRIVATE KEY-----\n");
    // 48 bytes are 64 characters.
    for line in pkcs8.chunks(48) {
        STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    SecretString::from(text)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::generate_key;
    use crate::algorithm::SigningAlgorithm;
    use crate::keys::SigningKey;

    #[test]
    fn a_new_key_of_every_algorithm_can_be_loaded_and_is_none_of_another() {
        for algorithm in SigningAlgorithm::ALL {
            let text = generate_key(algorithm).unwrap();
            let key = SigningKey::load(algorithm, &text).unwrap();
            let other = SigningKey::load(algorithm, &generate_key(algorithm).unwrap()).unwrap();
            assert_ne!(key.public().kid(), other.public().kid());
        }
    }

    #[test]
    fn a_new_secret_has_256_bits_and_no_newline_that_would_be_part_of_it() {
        let text = generate_key(SigningAlgorithm::Hs256).unwrap();
        let text = text.expose_secret();
        assert!(text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
