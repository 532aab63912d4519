//! Password hashes that came with accounts from Django: PBKDF2 with SHA-256, `pbkdf2_sha256$ROUNDS$SALT$BASE64`. They are
//! only ever verified; whoever logs in with one gets a new hash. None is made here.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What such a hash starts with.
const PREFIX: &str = "pbkdf2_sha256$";

/// Django began with the least of these and adds some tens of thousands a release. Fewer would answer so fast that the
/// time gives the account away; more would take a core for seconds.
const LEAST_ROUNDS: u32 = 10_000;
const MOST_ROUNDS: u32 = 10_000_000;

/// Django's salts have 12 to 22 characters.
const LONGEST_SALT: usize = 128;

/// Length of the hash in bytes: that of SHA-256.
const HASH_LENGTH: usize = 32;

/// A hash that can be verified.
pub(crate) struct DjangoHash {
    rounds: NonZeroU32,
    salt: Vec<u8>,
    hash: [u8; HASH_LENGTH],
}

impl DjangoHash {
    /// Reads a stored hash; `None` when it is not one, or not one that may be verified here.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.split('$');
        let (rounds, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let is_number = rounds.bytes().all(|byte| byte.is_ascii_digit());
        let rounds = rounds.parse::<NonZeroU32>().ok().filter(|_| is_number)?;
        let is_bounded = (LEAST_ROUNDS..=MOST_ROUNDS).contains(&rounds.get());
        if parts.next().is_some() || !is_bounded || salt.is_empty() || salt.len() > LONGEST_SALT {
            return None;
        }
        let hash = STANDARD.decode(hash).ok()?.try_into().ok()?;
        Some(Self { rounds, salt: salt.as_bytes().to_vec(), hash })
    }

    /// Whether this is the hash of `password`. Takes a core for up to a second or so; the comparison takes as long
    /// wherever two hashes differ.
    pub(crate) fn matches(&self, password: &str) -> bool {
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::verify(algorithm, self.rounds, &self.salt, password.as_bytes(), &self.hash).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::DjangoHash;

    /// Made with Python's hashlib: password "lètmein", salt "seasalt", 10,000 rounds.
    const HASH: &str = "pbkdf2_sha256$10000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=";

    #[test]
    fn the_right_password_matches_and_a_wrong_one_does_not() {
        let hash = DjangoHash::parse(HASH).unwrap();
        assert!(hash.matches("lètmein"));
        for wrong in ["letmein", "lètmein ", "", "LÈTMEIN"] {
            assert!(!hash.matches(wrong), "{wrong}");
        }
    }

    #[test]
    fn only_hashes_that_can_be_verified_in_a_bounded_time_are_importable() {
        let with = |from: &str, to: &str| HASH.replacen(from, to, 1);
        for good in [HASH, &with("$10000$", "$10000000$"), &with("seasalt", "é")] {
            assert!(DjangoHash::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "!",
            "!mWkD8nYkJv0qLrZt3xWc5bHs2uEoPaQ7fGiTyKjX",
            &format!("!{HASH}"),
            &with("$10000$", "$9999$"),
            &with("$10000$", "$10000001$"),
            &with("$10000$", "$99999999999999999999$"),
            &with("$10000$", "$-10000$"),
            &with("$10000$", "$+10000$"),
            &with("$10000$", "$$"),
            &with("seasalt", ""),
            &with("seasalt", &"s".repeat(129)),
            &with("_sha256", "_sha1"),
            &HASH[..HASH.len() - 1],
            &HASH[..HASH.len() - 4],
            &format!("{HASH}$"),
            &format!("{HASH} "),
            "pbkdf2_sha256$10000$seasalt",
            "pbkdf2_sha256",
            "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$aGFzaA",
            "bcrypt_sha256$$2b$12$abc",
            "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
        ] {
            assert!(DjangoHash::parse(bad).is_none(), "{bad}");
        }
    }
}
