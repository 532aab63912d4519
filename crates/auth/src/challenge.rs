//! The challenge between two steps of a log-in: it says that the password was right, until when that counts, and for whom.
//! It is sealed rather than stored, so a log-in that is never finished leaves nothing behind. That a challenge is answered
//! once only is the second step's business.

use bulkhead_domain::ids::{TenantId, UserId};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use crate::sealed::{OVERHEAD, SealingFailed, SealingKeys};
use crate::secret;

/// Marks a challenge. It may never change: secret scanners and log redaction rules look for it.
pub const PREFIX: &str = "bhc_";

/// Tenant, user (16 bytes each), session epoch, expiry in seconds (8 bytes each, big-endian), in this order.
const PLAIN_LENGTH: usize = 48;
const SEALED_LENGTH: usize = PLAIN_LENGTH + OVERHEAD;

/// Keeps challenges apart from everything else that the same keys seal.
const CONTEXT: &[u8] = b"challenge";

/// Whose password was right, and until when that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The tenant.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The user's session epoch at that moment. A later one means that all sessions were ended since, and this with them.
    pub session_epoch: i64,
    /// From this moment on it counts no longer; whole seconds.
    pub expires: DateTime<Utc>,
}

impl Challenge {
    /// Seals the challenge, for the client to bring back.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn seal(&self, keys: &SealingKeys) -> Result<SecretString, SealingFailed> {
        let plain = [
            self.tenant.uuid().as_bytes().as_slice(),
            self.user.uuid().as_bytes(),
            &self.session_epoch.to_be_bytes(),
            &self.expires.timestamp().to_be_bytes(),
        ]
        .concat();
        Ok(secret::encode(PREFIX, &keys.seal(&plain, CONTEXT)?))
    }

    /// Reads a challenge that somebody brings back; `None` when it is not one of ours, or has run out by `now`.
    #[must_use]
    pub fn open(keys: &SealingKeys, text: &str, now: DateTime<Utc>) -> Option<Self> {
        let sealed = secret::decode::<SEALED_LENGTH>(PREFIX, text)?;
        let plain = keys.open(sealed.as_slice(), CONTEXT)?;
        let (tenant, rest) = plain.split_first_chunk::<16>()?;
        let (user, rest) = rest.split_first_chunk::<16>()?;
        let (session_epoch, rest) = rest.split_first_chunk::<8>()?;
        let expires = DateTime::from_timestamp(i64::from_be_bytes(rest.try_into().ok()?), 0)?;
        (now < expires).then_some(Self {
            tenant: TenantId::from_uuid(Uuid::from_bytes(*tenant)),
            user: UserId::from_uuid(Uuid::from_bytes(*user)),
            session_epoch: i64::from_be_bytes(*session_epoch),
            expires,
        })
    }
}

#[cfg(test)]
mod tests {
    use bulkhead_domain::ids::{TenantId, UserId};
    use chrono::{DateTime, TimeDelta};
    use secrecy::ExposeSecret as _;

    use super::{Challenge, SEALED_LENGTH};
    use crate::sealed::SealingKeys;
    use crate::secret;

    fn keys() -> SealingKeys {
        SealingKeys::parse("z1zI8JpGm0Ye5cVnTq3bLr9xKd7WfAh2uSoE4vQyXkM=").unwrap()
    }

    fn challenge() -> Challenge {
        Challenge {
            tenant: TenantId::generate(),
            user: UserId::generate(),
            session_epoch: -7,
            expires: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        }
    }

    #[test]
    fn a_challenge_reads_back_until_it_runs_out() {
        let (keys, challenge) = (keys(), challenge());
        let sealed = challenge.seal(&keys).unwrap();
        let text = sealed.expose_secret();
        assert!(text.starts_with("bhc_") && text.len() == 4 + 108 + 6, "{text}");
        let open = |seconds| Challenge::open(&keys, text, challenge.expires + TimeDelta::seconds(seconds));
        assert_eq!(open(-300), Some(challenge));
        assert_eq!(open(-1), Some(challenge));
        assert_eq!(open(0), None);
        assert_eq!(open(86_400), None);
    }

    #[test]
    fn nobody_without_the_keys_can_make_change_or_read_one() {
        let (keys, challenge) = (keys(), challenge());
        let now = challenge.expires - TimeDelta::seconds(1);
        let sealed = challenge.seal(&keys).unwrap();
        let payload = secret::decode::<SEALED_LENGTH>("bhc_", sealed.expose_secret()).unwrap();
        assert!(!payload.windows(16).any(|part| part == challenge.user.uuid().as_bytes()));
        let mut changed = payload;
        changed[SEALED_LENGTH - 20] ^= 1;
        let changed = secret::encode("bhc_", changed.as_slice());
        assert_eq!(Challenge::open(&keys, changed.expose_secret(), now), None);
        let other_keys =
            SealingKeys::parse("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08").unwrap();
        assert_eq!(Challenge::open(&other_keys, sealed.expose_secret(), now), None);
        for text in ["", "bhc_", &sealed.expose_secret().replacen("bhc_", "bhr_", 1)] {
            assert_eq!(Challenge::open(&keys, text, now), None);
        }
    }

    #[test]
    fn what_was_sealed_for_another_purpose_is_no_challenge() {
        let (keys, challenge) = (keys(), challenge());
        let other = keys.seal(&[0x7f; 48], b"totp").unwrap();
        let text = secret::encode("bhc_", &other);
        assert_eq!(Challenge::open(&keys, text.expose_secret(), challenge.expires), None);
    }
}
