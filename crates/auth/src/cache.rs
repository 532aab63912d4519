//! Tokens that were verified already, so that the next request with the same token pays for one hash instead of a
//! signature check. One cache per worker thread, so no locks. Revocation is not its business: epochs are compared on
//! every request, cached or not.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use quick_cache::unsync::Cache;
use sha2::{Digest as _, Sha256};

use crate::token::{Tokens, Verified};
use crate::token_error::TokenError;

/// SHA-256 of the whole token, signature included.
///
/// Not a faster keyed hash of 128 bits: whoever finds two tokens with one key has found a way to act as somebody
/// else, so the key must be as hard to forge as a signature. It costs a small part of checking one. And unlike the token
/// itself it is worth nothing to whoever reads the memory.
type CacheKey = [u8; 32];

/// Verified tokens of one worker thread, the least useful ones dropped beyond a number of entries.
pub struct VerifiedCache {
    entries: Cache<CacheKey, Arc<Verified>>,
    generation: Option<u64>,
}

impl VerifiedCache {
    /// An empty cache for up to `capacity` tokens. One takes about 500 bytes.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { entries: Cache::new(capacity.max(1)), generation: None }
    }

    /// As [`Tokens::verify_at`], from memory when it can.
    ///
    /// An entry dies at the very moment at which the verifier would refuse the token, and all of them die when
    /// `tokens` is another than before: an entry must not outlive the key that vouched for it.
    ///
    /// # Errors
    /// The first reason to refuse the token. Refusals are not remembered.
    pub fn verify_cached(
        &mut self,
        tokens: &Tokens,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Arc<Verified>, TokenError> {
        if self.generation != Some(tokens.generation()) {
            self.clear();
            self.generation = Some(tokens.generation());
        }
        if token.len() > crate::compact::MAX_TOKEN_BYTES {
            return Err(TokenError::TooLarge);
        }
        let key: CacheKey = Sha256::digest(token.as_bytes()).into();
        if let Some(verified) = self.entries.get(&key) {
            if !tokens.has_expired(verified, now) {
                return Ok(Arc::clone(verified));
            }
            self.entries.remove(&key);
            return Err(TokenError::Expired);
        }
        let verified = Arc::new(tokens.verify_at(token, now)?);
        self.entries.insert(key, Arc::clone(&verified));
        Ok(verified)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;
    use secrecy::ExposeSecret as _;

    use super::VerifiedCache;
    use crate::algorithm::SigningAlgorithm;
    use crate::keys::tests::fresh;
    use crate::keyset::KeySet;
    use crate::token_error::TokenError;
    use crate::token_tests::{now, settings, tokens, user};

    #[test]
    fn the_second_time_the_same_value_comes_from_memory() {
        let tokens = tokens(SigningAlgorithm::Es256);
        let issued = tokens.issue_user_at(&user(), now()).unwrap();
        let mut cache = VerifiedCache::new(10);
        let first = cache.verify_cached(&tokens, issued.token.expose_secret(), now()).unwrap();
        let second = cache.verify_cached(&tokens, issued.token.expose_secret(), now()).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        cache.clear();
        let third = cache.verify_cached(&tokens, issued.token.expose_secret(), now()).unwrap();
        assert!(!Arc::ptr_eq(&first, &third));
    }

    #[test]
    fn an_entry_dies_at_the_second_at_which_the_verifier_refuses_the_token() {
        let tokens = tokens(SigningAlgorithm::Es256);
        let issued = tokens.issue_user_at(&user(), now()).unwrap();
        let token = issued.token.expose_secret();
        let mut cache = VerifiedCache::new(10);
        cache.verify_cached(&tokens, token, now()).unwrap();
        let last = issued.expires_at + TimeDelta::seconds(29);
        assert!(tokens.verify_at(token, last).is_ok());
        assert!(cache.verify_cached(&tokens, token, last).is_ok());
        let late = issued.expires_at + TimeDelta::seconds(30);
        assert_eq!(tokens.verify_at(token, late).unwrap_err(), TokenError::Expired);
        for _ in 0..2 {
            assert_eq!(cache.verify_cached(&tokens, token, late).unwrap_err(), TokenError::Expired);
        }
    }

    #[test]
    fn no_entry_outlives_the_key_that_vouched_for_it() {
        let old = tokens(SigningAlgorithm::Es256);
        let issued = old.issue_user_at(&user(), now()).unwrap();
        let mut cache = VerifiedCache::new(10);
        cache.verify_cached(&old, issued.token.expose_secret(), now()).unwrap();
        let new = crate::token::Tokens::new(KeySet::new(fresh(SigningAlgorithm::Es256), vec![]), settings())
            .unwrap();
        let refused = cache.verify_cached(&new, issued.token.expose_secret(), now());
        assert_eq!(refused.unwrap_err(), TokenError::UnknownKey);
    }

    #[test]
    fn the_number_of_entries_is_bounded_and_refusals_take_none() {
        let tokens = tokens(SigningAlgorithm::Hs256);
        let mut cache = VerifiedCache::new(8);
        for count in 0..100 {
            let issued = tokens.issue_user_at(&user(), now()).unwrap();
            cache.verify_cached(&tokens, issued.token.expose_secret(), now()).unwrap();
            assert!(cache.verify_cached(&tokens, &format!("rubbish {count}"), now()).is_err());
            assert!(cache.entries.len() <= 8);
        }
    }
}
