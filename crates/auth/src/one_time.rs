//! Tokens for links in mails: opaque, for one purpose, and naming the tenant and the row in which they are to be looked
//! up. Whether a token was used, ran out or was withdrawn is the row's business.

use bulkhead_domain::ids::TenantId;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::secret::{self, Digest};

/// Tenant, row (16 bytes each) and secret (32 bytes), in this order.
const PAYLOAD_LENGTH: usize = 64;

/// What a token is good for. Each purpose has a prefix of its own, so a token of one never reads as one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To join a tenant.
    Invitation,
    /// To choose a new password.
    PasswordReset,
    /// To show that mail to a new address arrives.
    EmailChange,
}

impl Purpose {
    /// Marks a token of this purpose. It may never change: secret scanners and customers' own filters look for it.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Invitation => "bhi_",
            Self::PasswordReset => "bhp_",
            Self::EmailChange => "bhe_",
        }
    }
}

/// A token to send, once, and what to store of it. Its characters are letters, digits, `-` and `_` only, so it needs no
/// escaping in a URL.
#[derive(Debug)]
pub struct NewOneTimeToken {
    /// The token.
    pub plain: SecretString,
    /// The digest of the whole token.
    pub digest: Digest,
}

/// A one-time token as somebody presented it: well formed, and no more than that.
///
/// Tenant and id only say where to look. The token is genuine when its digest is the one stored there.
#[derive(Clone, Copy, Debug)]
pub struct OneTimeToken {
    tenant: TenantId,
    id: Uuid,
    digest: Digest,
}

/// Makes a token for the row `id` of `tenant`.
#[must_use]
pub fn generate(purpose: Purpose, tenant: TenantId, id: Uuid) -> NewOneTimeToken {
    let mut payload = Zeroizing::new([0_u8; PAYLOAD_LENGTH]);
    // The thread's generator is cryptographically secure and seeded by the operating system.
    rand::fill(payload.as_mut_slice());
    let names = tenant.uuid().into_bytes().into_iter().chain(id.into_bytes());
    for (slot, byte) in payload.iter_mut().zip(names) {
        *slot = byte;
    }
    let plain = secret::encode(purpose.prefix(), payload.as_slice());
    NewOneTimeToken { digest: Digest::of(plain.expose_secret()), plain }
}

impl OneTimeToken {
    /// Reads a presented token; `None` when it is not one of this purpose.
    #[must_use]
    pub fn parse(purpose: Purpose, text: &str) -> Option<Self> {
        let payload = secret::decode::<PAYLOAD_LENGTH>(purpose.prefix(), text)?;
        let (tenant, rest) = payload.split_first_chunk::<16>()?;
        let (id, _secret) = rest.split_first_chunk::<16>()?;
        Some(Self {
            tenant: TenantId::from_uuid(Uuid::from_bytes(*tenant)),
            id: Uuid::from_bytes(*id),
            digest: Digest::of(text),
        })
    }

    /// The tenant in which to look the row up.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The row to look up.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The digest that must be the stored one. It covers the whole token: another tenant or row put in front of a
    /// genuine secret is another digest.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use bulkhead_domain::ids::{TenantId, new_id};
    use secrecy::ExposeSecret as _;

    use super::{OneTimeToken, Purpose, generate};
    use crate::secret;

    #[test]
    fn a_token_reads_back_with_its_tenant_row_and_digest_and_needs_no_escaping_in_a_url() {
        let (tenant, id) = (TenantId::generate(), new_id());
        for purpose in [Purpose::Invitation, Purpose::PasswordReset, Purpose::EmailChange] {
            let new = generate(purpose, tenant, id);
            let text = new.plain.expose_secret();
            assert_eq!(text.len(), 4 + 86 + 6);
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            let token = OneTimeToken::parse(purpose, text).unwrap();
            assert_eq!((token.tenant(), token.id(), token.digest()), (tenant, id, new.digest));
            assert_ne!(generate(purpose, tenant, id).digest, new.digest, "a new secret each time");
        }
    }

    #[test]
    fn a_token_of_one_purpose_is_none_of_another() {
        let (tenant, id) = (TenantId::generate(), new_id());
        let invitation = generate(Purpose::Invitation, tenant, id);
        let text = invitation.plain.expose_secret();
        assert!(OneTimeToken::parse(Purpose::PasswordReset, text).is_none());
        assert!(OneTimeToken::parse(Purpose::PasswordReset, &text.replacen("bhi_", "bhp_", 1)).is_none());
        // Even with the checksum made right, it is another digest.
        let payload = secret::decode::<64>("bhi_", text).unwrap();
        let forged = secret::encode("bhp_", payload.as_slice());
        let forged = OneTimeToken::parse(Purpose::PasswordReset, forged.expose_secret()).unwrap();
        assert_ne!(forged.digest(), invitation.digest);
    }

    #[test]
    fn what_is_not_a_token_is_refused_without_a_panic() {
        let new = generate(Purpose::Invitation, TenantId::generate(), new_id());
        let good = new.plain.expose_secret();
        for bad in [
            "",
            "bhi_",
            &good[..good.len() - 1],
            &format!("{good}A"),
            &format!(" {good}"),
            &good.to_uppercase(),
            &"\0".repeat(good.len()),
            &format!("bhi_{}é", "A".repeat(90)),
        ] {
            assert!(OneTimeToken::parse(Purpose::Invitation, bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_token_shows_no_secret_when_printed() {
        let new = generate(Purpose::Invitation, TenantId::generate(), new_id());
        let token = OneTimeToken::parse(Purpose::Invitation, new.plain.expose_secret()).unwrap();
        assert!(!format!("{new:?} {token:?}").contains("bhi_"));
    }
}
