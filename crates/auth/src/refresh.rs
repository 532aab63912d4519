//! Refresh tokens: opaque, one-time, and naming the tenant and family in which they are to be looked up. Which
//! generation of a family is the current one, and what reuse leads to, is the database's business.

use std::fmt;

use aws_lc_rs::hmac;
use bulkhead_domain::ids::{FamilyId, TenantId};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::secret::{self, Digest};

/// Marks a refresh token. It may never change: secret scanners, log redaction rules and customers' own filters look
/// for it, and tokens that were handed out before would no longer be read. A new format gets a new prefix, and this
/// one stays readable beside it.
pub const PREFIX: &str = "bhr_";

/// Tenant, family, lineage (16 bytes each) and secret (32 bytes), in this order.
const PAYLOAD_LENGTH: usize = 80;
/// Tenant, family and lineage: what all tokens of a family share.
const SHARED_LENGTH: usize = 48;

/// A token to hand out, once, and what to store of it.
#[derive(Debug)]
pub struct NewRefreshToken {
    /// The token.
    pub plain: SecretString,
    /// The digest of the whole token.
    pub digest: Digest,
    /// The digest of the lineage: it tells a used-up token of the family from a guess that merely names the family.
    pub lineage: Digest,
}

/// A refresh token as a client presented it: well formed, and no more than that.
///
/// Tenant and family only say where to look. The token is genuine when its digest is the one stored there.
#[derive(Clone)]
pub struct RefreshToken {
    payload: Zeroizing<[u8; PAYLOAD_LENGTH]>,
    tenant: TenantId,
    family: FamilyId,
    digest: Digest,
}

/// Makes the first token of `family`.
#[must_use]
pub fn generate(tenant: TenantId, family: FamilyId) -> NewRefreshToken {
    let mut payload = Zeroizing::new([0_u8; PAYLOAD_LENGTH]);
    // The thread's generator is cryptographically secure and seeded by the operating system.
    rand::fill(payload.as_mut_slice());
    let names = tenant.uuid().into_bytes().into_iter().chain(family.uuid().into_bytes());
    for (slot, byte) in payload.iter_mut().zip(names) {
        *slot = byte;
    }
    new_token(&payload)
}

fn new_token(payload: &[u8; PAYLOAD_LENGTH]) -> NewRefreshToken {
    let plain = secret::encode(PREFIX, payload);
    let digest = Digest::of(plain.expose_secret());
    NewRefreshToken { plain, digest, lineage: lineage_of(payload) }
}

fn lineage_of(payload: &[u8; PAYLOAD_LENGTH]) -> Digest {
    Digest::of_bytes(payload.get(..SHARED_LENGTH).unwrap_or_default())
}

impl RefreshToken {
    /// Reads a presented token; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let payload = secret::decode::<PAYLOAD_LENGTH>(PREFIX, text)?;
        let (tenant, rest) = payload.split_first_chunk::<16>()?;
        let (family, _rest) = rest.split_first_chunk::<16>()?;
        Some(Self {
            tenant: TenantId::from_uuid(Uuid::from_bytes(*tenant)),
            family: FamilyId::from_uuid(Uuid::from_bytes(*family)),
            digest: Digest::of(text),
            payload,
        })
    }

    /// The tenant in which to look the family up.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The family to look up.
    #[must_use]
    pub const fn family(&self) -> FamilyId {
        self.family
    }

    /// The digest that must be the stored one. It covers the whole token: another tenant or family put in front of
    /// a genuine secret is another digest.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The digest of what all tokens of the family share.
    #[must_use]
    pub fn lineage(&self) -> Digest {
        lineage_of(&self.payload)
    }

    /// The token that replaces this one: the same however often this one is presented, so that two tabs which refresh at
    /// once end up with one token, and a lost reply can be asked for again. Only who knows `pepper` can compute it, so a
    /// used-up token is worth nothing by itself.
    #[must_use]
    pub fn successor(&self, pepper: &SecretSlice<u8>) -> NewRefreshToken {
        let key = hmac::Key::new(hmac::HMAC_SHA256, pepper.expose_secret());
        let tag = hmac::sign(&key, self.payload.as_slice());
        let mut payload = self.payload.clone();
        for (slot, byte) in payload.iter_mut().skip(SHARED_LENGTH).zip(tag.as_ref()) {
            *slot = *byte;
        }
        new_token(&payload)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken")
            .field("tenant", &self.tenant)
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bulkhead_domain::ids::{FamilyId, TenantId};
    use secrecy::ExposeSecret as _;

    use super::{NewRefreshToken, PREFIX, RefreshToken, generate};
    use crate::secret;

    #[test]
    fn a_token_reads_back_with_its_tenant_family_and_digest() {
        let (tenant, family) = (TenantId::generate(), FamilyId::generate());
        let NewRefreshToken { plain, digest, .. } = generate(tenant, family);
        assert_eq!(plain.expose_secret().len(), 4 + 107 + 6);
        let token = RefreshToken::parse(plain.expose_secret()).unwrap();
        assert_eq!((token.tenant(), token.family(), token.digest()), (tenant, family, digest));
    }

    #[test]
    fn no_two_first_tokens_are_alike() {
        let (tenant, family) = (TenantId::generate(), FamilyId::generate());
        let (first, second) = (generate(tenant, family), generate(tenant, family));
        assert_ne!(first.plain.expose_secret(), second.plain.expose_secret());
        assert_ne!(first.digest, second.digest);
        assert_ne!(first.lineage, second.lineage);
    }

    #[test]
    fn what_is_not_a_token_is_refused_without_a_panic() {
        let NewRefreshToken { plain, .. } = generate(TenantId::generate(), FamilyId::generate());
        let good = plain.expose_secret();
        let multibyte = format!("bhr_{}é", "A".repeat(111));
        assert_eq!(multibyte.len(), good.len());
        for bad in [
            "",
            "bhr_",
            "eyJhbGciOiJub25lIn0.e30.",
            &good[..good.len() - 1],
            &format!("{good}A"),
            &format!(" {good}"),
            &format!("{good}\0"),
            &good.replacen("bhr_", "bhc_", 1),
            &good.to_uppercase(),
            &"\0".repeat(good.len()),
            &multibyte,
        ] {
            assert!(RefreshToken::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_genuine_secret_behind_another_tenant_is_another_digest() {
        let (mine, theirs) = (TenantId::generate(), TenantId::generate());
        let NewRefreshToken { plain, digest, .. } = generate(mine, FamilyId::generate());
        let mut payload = secret::decode::<80>(PREFIX, plain.expose_secret()).unwrap();
        payload[..16].copy_from_slice(theirs.uuid().as_bytes());
        let moved = RefreshToken::parse(secret::encode(PREFIX, payload.as_slice()).expose_secret()).unwrap();
        assert_eq!(moved.tenant(), theirs);
        assert_ne!(moved.digest(), digest);
    }

    #[test]
    fn a_token_shows_no_secret_when_printed() {
        let NewRefreshToken { plain, .. } = generate(TenantId::generate(), FamilyId::generate());
        let shown = format!("{:?} {plain:?}", RefreshToken::parse(plain.expose_secret()).unwrap());
        assert!(!shown.contains("bhr_") && !shown.contains("payload"), "{shown}");
    }

    #[test]
    fn the_successor_is_always_the_same_and_only_for_who_has_the_pepper() {
        let first = generate(TenantId::generate(), FamilyId::generate());
        let token = RefreshToken::parse(first.plain.expose_secret()).unwrap();
        let pepper = |byte: u8| secrecy::SecretSlice::from(vec![byte; 32]);
        let (one, two) = (token.successor(&pepper(1)), token.successor(&pepper(1)));
        assert_eq!(one.digest, two.digest);
        assert_ne!(one.digest, token.successor(&pepper(2)).digest);
        assert_ne!(one.digest, first.digest);
        assert_eq!(one.lineage, first.lineage, "the family is known by its lineage");
        let next = RefreshToken::parse(one.plain.expose_secret()).unwrap();
        assert_eq!((next.tenant(), next.family()), (token.tenant(), token.family()));
    }
}
