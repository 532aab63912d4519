//! Credentials: passwords, opaque secrets, signing keys, the access tokens that they sign, and how often any of them may
//! be used.
//!
//! Knows neither the database nor the web framework: whoever calls it brings what was stored and takes away what
//! is to be stored or sent. The one thing that runs in the background is the pool that hashes passwords.

pub mod algorithm;
pub mod cache;
pub mod challenge;
mod claims;
pub mod client_secret;
mod compact;
pub mod django_hash;
pub mod hmac_secret;
mod json;
pub mod key_error;
pub mod key_generation;
pub mod keys;
pub mod keyset;
pub mod limits;
pub mod one_time;
pub mod password;
pub mod password_policy;
pub mod recovery_code;
pub mod refresh;
pub mod revocations;
pub mod sealed;
pub mod secret;
pub mod token;
pub mod token_error;
pub mod totp;

#[cfg(test)]
mod token_tests;
