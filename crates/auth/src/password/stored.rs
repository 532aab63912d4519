//! What is stored for an account: an argon2 hash of our own, or a hash that came with it from Django. Reading it, and
//! comparing a password with it. When and on which thread is not decided here.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Params};

use super::argon::Argon;
use super::{HashError, Verdict};
use crate::django_hash::DjangoHash;

/// A stored hash that can be verified.
pub(super) enum Stored {
    /// Ours.
    Argon(Box<PasswordHash>),
    /// Of an account that was imported and has not logged in since.
    Django(DjangoHash),
}

impl Stored {
    /// Reads what is stored, if verifying it would do the work of a hash. Not the text of an account without a password.
    pub(super) fn read(text: &str) -> Option<Self> {
        DjangoHash::parse(text).map(Self::Django).or_else(|| argon(text).map(|hash| Self::Argon(hash.into())))
    }

    /// Compares. `sent` is the password as it came, `normal` the form in which we hash.
    ///
    /// # Errors
    /// [`HashError::Internal`].
    pub(super) fn compare(&self, argon: &Argon, sent: &str, normal: &str) -> Result<Verdict, HashError> {
        Ok(match self {
            Self::Argon(hash) if !argon.matches(hash, normal)? => Verdict::NoMatch,
            Self::Argon(hash) if argon.is_todays(hash) => Verdict::Match,
            Self::Argon(_) => Verdict::MatchNeedsRehash,
            // Django hashed what its browser sent, in whichever form that was.
            Self::Django(hash) if hash.matches(sent) || sent != normal && hash.matches(normal) => {
                Verdict::MatchNeedsRehash
            }
            Self::Django(_) => Verdict::NoMatch,
        })
    }
}

/// What a hash may cost that somebody else made: memory in KiB, passes and lanes. Anybody who knows the account's name can have it
/// compared.
const DEAREST: (u32, u32, u32) = (64 * 1024, 16, 16);

fn argon(text: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(text).ok()?;
    let is_argon = Algorithm::try_from(hash.algorithm.as_str()).is_ok();
    let is_complete = hash.salt.is_some() && hash.hash.is_some();
    let params = Params::try_from(&hash).ok()?;
    let (memory, passes, lanes) = DEAREST;
    let is_cheap = params.m_cost() <= memory && params.t_cost() <= passes && params.p_cost() <= lanes;
    (is_argon && is_complete && is_cheap).then_some(hash)
}
