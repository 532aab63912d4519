//! The signing key of one test, and tokens signed with it: sound ones, and ones that no server should ever take.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// An ES256 key.
pub struct Key {
    pair: EcdsaKeyPair,
    pem: String,
}

impl Key {
    /// A new key.
    #[must_use]
    pub fn generate() -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).expect("make a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).expect("read the key");
        let text = STANDARD.encode(document.as_ref());
        let lines: Vec<&str> =
            (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        Self { pair, pem }
    }

    /// The key as a PEM file holds it.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The public key as an uncompressed point: 4, x, y.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The public key as a JWK (RFC 7518 §6.2.1).
    #[must_use]
    pub fn jwk(&self) -> Value {
        let point = self.public();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
        json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y })
    }

    /// The thumbprint (RFC 7638), which is the key's id.
    #[must_use]
    pub fn kid(&self) -> String {
        let jwk = self.jwk();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical.as_bytes());
        URL_SAFE_NO_PAD.encode(digest.as_ref())
    }

    /// The header of an ordinary token.
    #[must_use]
    pub fn header(&self) -> Value {
        json!({ "alg": "ES256", "kid": self.kid(), "typ": "at+jwt" })
    }

    /// A token with these claims and the ordinary header.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        self.token_of(&self.header().to_string(), &claims.to_string())
    }

    /// A token of these two texts, whatever they say.
    #[must_use]
    pub fn token_of(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("sign");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// The id of the key that a token names, read without looking at its signature.
#[must_use]
pub fn kid_of(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a token")).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a key id").to_owned()
}

/// The claims of a token, read without looking at its signature.
#[must_use]
pub fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a token");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}
