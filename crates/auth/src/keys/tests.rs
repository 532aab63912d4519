//! What loading, describing and signing with keys promises; and fresh keys for other tests.

use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der, PublicKeyX509Der};
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::{PrivateKey, SigningKey};
use crate::algorithm::SigningAlgorithm;
use crate::compact::base64url;
use crate::key_error::{KeyError, WeakSecret};
use crate::key_generation::{generate_key, pem};

/// An RSA key of 1024 bits (PKCS#1), made for this test and used nowhere else.
const WEAK_RSA: [&str; 9] = [
    "MIICXQIBAAKBgQC8q8oHI7v/WT0DvhBvrlehKoUy44OQISvyjugkbANxPIQr2RJKhxR/Kz57aFFKp4d7jfMa0u1aRkiAGz3Q4wCw",
    "f2iUK3mjqYpTAN8uwL3Kkn5B+5lBIvHKkXuSie7AhJRxwQW9pXMYQj5Dz/7qn/FOzB04nhqGcA47cJh3ozFPiwIDAQABAoGBAJtt",
    "0qOLFsdH1vIMVDINKHfHNbA0qh/ElBXhEPFgYn2Y4zHURDNNkN8q2vCDgeTEmuJ4kHvapFqoZ/XRe11ohRl3f4zqqXW920h2FUgb",
    "RlZvxfcFdVb39myou2jFcINnIBjntXQOopfjv4rHa6OI943ZtQ2Y08QOFAk/nLLtGeKhAkEA5h1uJ6IT+Ue/HnPxrP6Uot47YAdj",
    "nbkrUNHHrGThVE5Rq8seLu3NWqrht66MqmYm9Ms1aZ+3fsJcngBFlUOr4wJBANHk6GHnjFDTTMNfO14VeydWU+rzxxiJY0tIvkvL",
    "SIBrTKofpOpYiejb0EuMxU36pWvv9/fKPsniM64pAIPR7jkCQQCJ24vIlqLcrozi05cvinzFbdmoWATn0q0Oh/7VWsJbXWg0QUVd",
    "2/0wmjsLbbi7xOMFuE/RbWvittIBniwRli79AkAPbJLnHuzgw6ZQdR8Xutxh96YTDfcDhpUVYzMYvseFKF1p4wlrbzYzNnQIGUAm",
    "itS9KdU/EE2s6EKD+d9f0H2BAkBl7LvciCbF4Gj3dEM3rpGpAZXTIwxIl5C/o+o20ydlRzZKX7LtGlMcqQW9LQfJEXeDgLA3RhzQ",
    "FFZ946tqmfvD",
];

/// A new private key as an operator would configure it.
pub(crate) fn fresh_text(algorithm: SigningAlgorithm) -> SecretString {
    generate_key(algorithm).unwrap()
}

/// A new key.
pub(crate) fn fresh(algorithm: SigningAlgorithm) -> SigningKey {
    SigningKey::load(algorithm, &fresh_text(algorithm)).unwrap()
}

/// The public half of an asymmetric key as everybody may know it: DER (RFC 5280 §4.1.2.7).
pub(crate) fn public_der(key: &SigningKey) -> Vec<u8> {
    let der: PublicKeyX509Der<'static> = match &key.private {
        PrivateKey::Ecdsa(pair) => pair.public_key().as_der().unwrap(),
        PrivateKey::Rsa(pair) => pair.public_key().as_der().unwrap(),
        PrivateKey::Ed25519(pair) => pair.public_key().as_der().unwrap(),
        PrivateKey::Hmac(_) => panic!("a secret has no public half"),
    };
    der.as_ref().to_vec()
}

fn relabelled(der: &[u8], label: &str) -> SecretString {
    SecretString::from(pem(der).expose_secret().replace("PRIVATE KEY", label))
}

fn refusal(algorithm: SigningAlgorithm, text: &SecretString) -> KeyError {
    SigningKey::load(algorithm, text).unwrap_err()
}

#[test]
fn what_a_key_signs_its_public_half_verifies_and_no_other_does() {
    for algorithm in SigningAlgorithm::ALL {
        let (key, other) = (fresh(algorithm), fresh(algorithm));
        let signature = base64url(&key.sign(b"message").unwrap());
        assert!(key.public().verifies("message", &signature), "{algorithm}");
        assert!(!key.public().verifies("messagf", &signature), "{algorithm}");
        assert!(!other.public().verifies("message", &signature), "{algorithm}");
        assert_ne!(key.public().kid(), other.public().kid());
        let zeros = base64url(&[0; 64]);
        assert!(!key.public().verifies("message", &zeros), "{algorithm}");
        assert!(!key.public().verifies("message", ""), "{algorithm}");
    }
}

#[test]
fn the_usual_ways_of_writing_a_private_key_are_read_and_give_the_same_key_id() {
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let sec1: EcPrivateKeyRfc5915Der<'static> = ec.private_key().as_der().unwrap();
    let pkcs8 = pem(ec.to_pkcs8v1().unwrap().as_ref());
    let with_crlf = SecretString::from(pkcs8.expose_secret().replace('\n', "\r\n"));
    let with_preamble = SecretString::from(format!("my key\n{}", pkcs8.expose_secret()));
    let without_last_newline = SecretString::from(pkcs8.expose_secret().trim_end());
    let kid = |text: &SecretString| {
        SigningKey::load(SigningAlgorithm::Es256, text).unwrap().public().kid().to_owned()
    };
    for text in [relabelled(sec1.as_ref(), "EC PRIVATE KEY"), with_crlf, with_preamble, without_last_newline]
    {
        assert_eq!(kid(&text), kid(&pkcs8));
    }
    let ed = Ed25519KeyPair::generate().unwrap();
    for document in [ed.to_pkcs8v1().unwrap(), ed.to_pkcs8().unwrap()] {
        assert!(SigningKey::load(SigningAlgorithm::EdDsa, &pem(document.as_ref())).is_ok());
    }
}

#[test]
fn the_key_id_is_the_thumbprint_of_the_public_members() {
    // The key and the thumbprint of RFC 8037 appendix A.3.
    let seed =
        "302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let der: Vec<u8> =
        (0..seed.len() / 2).map(|at| u8::from_str_radix(&seed[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let key = SigningKey::load(SigningAlgorithm::EdDsa, &pem(&der)).unwrap();
    assert_eq!(key.public().kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn a_key_for_another_algorithm_is_named_as_such() {
    for configured in SigningAlgorithm::ALL {
        for found in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa] {
            let error = match SigningKey::load(configured, &fresh_text(found)) {
                Ok(_) => continue,
                Err(error) => error,
            };
            let expected = match configured {
                SigningAlgorithm::Hs256 => KeyError::WeakSecret(WeakSecret::Pem),
                _ => KeyError::WrongAlgorithm { configured, found },
            };
            assert_ne!(configured, found);
            assert_eq!(error, expected);
        }
    }
}

#[test]
fn what_is_no_private_key_is_refused_with_a_reason() {
    let es256 = SigningAlgorithm::Es256;
    let good = fresh_text(es256);
    let cut = SecretString::from(&good.expose_secret()[..100]);
    for text in ["", "not a key", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(refusal(es256, &SecretString::from(text)), KeyError::NotPem, "{text}");
    }
    assert_eq!(refusal(es256, &cut), KeyError::NotPem);
    let public = relabelled(&public_der(&fresh(es256)), "PUBLIC KEY");
    assert_eq!(refusal(es256, &public), KeyError::NotPem);
    assert_eq!(refusal(es256, &pem(b"rubbish")), KeyError::Unreadable { algorithm: es256 });
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let p384 = pem(p384.to_pkcs8v1().unwrap().as_ref());
    assert_eq!(refusal(es256, &p384), KeyError::Unreadable { algorithm: es256 });
}

#[test]
fn rsa_keys_below_2048_bits_are_refused_as_weak() {
    let der = STANDARD.decode(WEAK_RSA.concat()).unwrap();
    assert_eq!(refusal(SigningAlgorithm::Rs256, &relabelled(&der, "RSA PRIVATE KEY")), KeyError::WeakRsa);
}

#[test]
fn no_key_material_is_shown_by_keys_or_errors() {
    let secret = fresh_text(SigningAlgorithm::Hs256);
    let key = SigningKey::load(SigningAlgorithm::Hs256, &secret).unwrap();
    let shown = format!("{key:?} {:?} {}", key.public(), refusal(SigningAlgorithm::Es256, &secret));
    assert!(!shown.contains(secret.expose_secret()), "{shown}");
}
