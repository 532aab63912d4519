//! The keys of one server: the one that signs, and those whose signatures are also accepted while keys are being
//! rotated. A key that is not here does not exist: nothing is ever fetched, whatever a token's header points to.

use std::time::Duration;

use serde_json::{Value, json};

use crate::keys::{SigningKey, VerifyingKey};

/// How long readers may keep the published set (`Cache-Control: public, max-age=300`), in whole seconds. A key must have
/// been published for longer than this before it signs, or they would meet tokens of a key that they do not know.
pub const JWKS_MAX_AGE: Duration = Duration::from_secs(300);

/// The keys in use.
///
/// Rotation: the next key is also accepted (and so published) before it signs, and the previous one stays so until
/// the last token that it signed has expired.
#[derive(Debug)]
pub struct KeySet {
    current: SigningKey,
    also_accepted: Vec<VerifyingKey>,
}

impl KeySet {
    /// Makes a set. A key given twice counts once.
    #[must_use]
    pub fn new(current: SigningKey, also_accepted: Vec<VerifyingKey>) -> Self {
        let mut kept: Vec<VerifyingKey> = Vec::with_capacity(also_accepted.len());
        for key in also_accepted {
            if key.kid() != current.public().kid() && kept.iter().all(|other| other.kid() != key.kid()) {
                kept.push(key);
            }
        }
        Self { current, also_accepted: kept }
    }

    /// The key that signs.
    #[must_use]
    pub const fn current(&self) -> &SigningKey {
        &self.current
    }

    /// Every key whose signatures are accepted, the signing one first.
    pub fn keys(&self) -> impl Iterator<Item = &VerifyingKey> {
        std::iter::once(self.current.public()).chain(&self.also_accepted)
    }

    /// The key with this id. There are never more than a few, so a look at each is the fastest map.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys().find(|key| key.kid() == kid)
    }

    /// The public keys as a JWK Set (RFC 7517 §5), the signing one first. Secrets are left out, so with HS256 alone
    /// the set is empty.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.keys().filter_map(VerifyingKey::public_jwk).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::KeySet;
    use crate::algorithm::SigningAlgorithm;
    use crate::keys::tests::fresh;

    #[test]
    fn keys_are_found_by_their_id_and_no_other_way() {
        let (current, previous, other) =
            (fresh(SigningAlgorithm::Es256), fresh(SigningAlgorithm::Es256), fresh(SigningAlgorithm::Es256));
        let kids = [current.public().kid().to_owned(), previous.public().kid().to_owned()];
        let set = KeySet::new(current, vec![previous.public().clone()]);
        for kid in &kids {
            assert_eq!(set.find(kid).unwrap().kid(), kid);
        }
        for strange in [other.public().kid(), "", "../../dev/null", "' OR 1=1 --", &kids[0].to_uppercase()] {
            assert!(set.find(strange).is_none(), "{strange}");
        }
    }

    #[test]
    fn the_published_set_holds_public_members_only() {
        let keys = [
            SigningAlgorithm::Es256,
            SigningAlgorithm::Rs256,
            SigningAlgorithm::EdDsa,
            SigningAlgorithm::Hs256,
        ]
        .map(fresh);
        let current = fresh(SigningAlgorithm::Es256);
        let mut accepted: Vec<_> = keys.iter().map(|key| key.public().clone()).collect();
        accepted.push(current.public().clone());
        let jwks = KeySet::new(current, accepted).jwks();
        let published: Vec<Vec<&str>> = jwks["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| {
                let mut members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
                members.sort_unstable();
                members
            })
            .collect();
        let ec = vec!["alg", "crv", "kid", "kty", "use", "x", "y"];
        let rsa = vec!["alg", "e", "kid", "kty", "n", "use"];
        let ed = vec!["alg", "crv", "kid", "kty", "use", "x"];
        assert_eq!(published, [ec.clone(), ec, rsa, ed]);
        assert!(jwks["keys"].as_array().unwrap().iter().all(|key| key["use"] == "sig"));
    }

    #[test]
    fn a_secret_is_never_published() {
        let set = KeySet::new(fresh(SigningAlgorithm::Hs256), vec![]);
        assert_eq!(set.jwks().to_string(), r#"{"keys":[]}"#);
    }
}
