//! The revocations that a server knows of, and whether they end a token. How they come to be known is not known here.

use std::collections::HashMap;
use std::time::Instant;

use bulkhead_domain::ids::{FamilyId, TenantId};
use bulkhead_domain::principal::{Principal, PrincipalKind};
use bulkhead_domain::revocation::{Revocation, Subject};
use uuid::Uuid;

use crate::token::Verified;

/// Recent revocations. Older ones need not be known: the tokens that they ended have expired by themselves.
#[derive(Clone, Debug, Default)]
pub struct Revocations {
    tenants: HashMap<TenantId, Known>,
    users: HashMap<(TenantId, Uuid), Known>,
    clients: HashMap<(TenantId, Uuid), Known>,
    /// Sessions, secrets and single tokens. One map will do: their ids are random and never those of another kind.
    ended: HashMap<(TenantId, Uuid), Known>,
}

/// The epoch from which tokens count again, and when it was last heard of.
#[derive(Clone, Copy, Debug)]
struct Known {
    epoch: i64,
    heard: Instant,
}

impl Revocations {
    /// Adds one that was heard of now.
    pub fn add(&mut self, revocation: Revocation, heard: Instant) {
        let Revocation { tenant, subject, epoch } = revocation;
        let new = Known { epoch, heard };
        let known = match subject {
            Subject::Tenant => self.tenants.entry(tenant).or_insert(new),
            Subject::User(user) => self.users.entry((tenant, user.uuid())).or_insert(new),
            Subject::Client(client) => self.clients.entry((tenant, client.uuid())).or_insert(new),
            // These have no epochs: none of their tokens counts again.
            Subject::Session(session) => self.ended.entry((tenant, session.uuid())).or_insert(new),
            Subject::Secret(secret) => self.ended.entry((tenant, secret.uuid())).or_insert(new),
            Subject::Token(token) => self.ended.entry((tenant, token)).or_insert(new),
        };
        *known = Known { epoch: known.epoch.max(epoch), heard };
    }

    /// Forgets what was last heard of before this moment.
    pub fn forget(&mut self, before: Instant) {
        self.tenants.retain(|_, known| known.heard >= before);
        for map in [&mut self.users, &mut self.clients, &mut self.ended] {
            map.retain(|_, known| known.heard >= before);
        }
    }

    /// Whether a token that verified was ended since.
    #[must_use]
    pub fn end(&self, token: &Verified) -> bool {
        let principal = &token.principal;
        let tenant = principal.tenant;
        let epochs = match principal.kind {
            PrincipalKind::User => Some(&self.users),
            PrincipalKind::Client => Some(&self.clients),
            // A service's token is the only one there is of it.
            PrincipalKind::Service => None,
        };
        let is_old = |known: &Known, version| version < known.epoch;
        self.tenants.get(&tenant).is_some_and(|known| is_old(known, token.tenant_version))
            || epochs
                .and_then(|epochs| epochs.get(&(tenant, principal.id)))
                .is_some_and(|known| is_old(known, token.token_version))
            || (!self.ended.is_empty() && self.ends_by_name(token))
    }

    fn ends_by_name(&self, token: &Verified) -> bool {
        let Principal { tenant, session, secret, .. } = &token.principal;
        let names =
            [session.map(FamilyId::uuid), secret.as_ref().map(|secret| secret.id.uuid()), Some(token.id)];
        names.into_iter().flatten().any(|name| self.ended.contains_key(&(*tenant, name)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use bulkhead_domain::ids::{ClientId, FamilyId, SecretId, TenantId, UserId};
    use bulkhead_domain::principal::{Principal, PrincipalKind, Restrictions, SecretUse};
    use bulkhead_domain::revocation::{Revocation, Subject};
    use bulkhead_domain::scope::ScopeSet;
    use uuid::Uuid;

    use super::Revocations;
    use crate::token::Verified;

    #[test]
    fn a_revocation_ends_older_tokens_of_its_subject_and_nobody_elses() {
        let (tenant, user, session) = (TenantId::generate(), UserId::generate(), FamilyId::generate());
        let token = |tenant, user: UserId, session, tenant_version, token_version| Verified {
            principal: Principal {
                tenant,
                tenant_slug: "acme".to_owned(),
                kind: PrincipalKind::User,
                id: user.uuid(),
                session: Some(session),
                secret: None,
                scopes: ScopeSet::default(),
                restrictions: Restrictions::default(),
            },
            id: Uuid::nil(),
            client_id: String::new(),
            issued_at: 0,
            expires_at: 0,
            kid: String::new(),
            token_version,
            tenant_version,
        };
        let of = |subject, epoch| {
            let mut known = Revocations::default();
            known.add(Revocation { tenant, subject, epoch }, Instant::now());
            known
        };
        let mine = token(tenant, user, session, 1, 1);

        assert!(!Revocations::default().end(&mine));
        assert!(of(Subject::Tenant, 2).end(&mine));
        assert!(!of(Subject::Tenant, 1).end(&mine), "the token is of the new epoch");
        assert!(of(Subject::User(user), 2).end(&mine));
        assert!(!of(Subject::User(user), 1).end(&mine));
        assert!(of(Subject::Session(session), 0).end(&mine));

        let stranger = token(TenantId::generate(), user, session, 0, 0);
        for subject in [Subject::Tenant, Subject::User(user), Subject::Session(session)] {
            assert!(!of(subject, 9).end(&stranger), "another tenant's token");
        }
        let mut known = of(Subject::Session(session), 0);
        known.forget(Instant::now() - Duration::from_secs(60));
        assert!(known.end(&mine), "still recent");
        known.forget(Instant::now() + Duration::from_secs(60));
        assert!(!known.end(&mine), "forgotten, long after its tokens expired");

        assert!(!of(Subject::User(UserId::generate()), 9).end(&mine));
        assert!(!of(Subject::Session(FamilyId::generate()), 9).end(&mine));
    }
    #[test]
    fn a_client_is_ended_by_its_epoch_its_secret_and_its_single_token_and_never_as_a_user() {
        let (tenant, client, secret, id) =
            (TenantId::generate(), ClientId::generate(), SecretId::generate(), Uuid::from_u128(7));
        let token = Verified {
            principal: Principal {
                tenant,
                tenant_slug: "acme".to_owned(),
                kind: PrincipalKind::Client,
                id: client.uuid(),
                session: None,
                secret: Some(SecretUse { id: secret, ends: None }),
                scopes: ScopeSet::default(),
                restrictions: Restrictions::default(),
            },
            id,
            client_id: String::new(),
            issued_at: 0,
            expires_at: 0,
            kid: String::new(),
            token_version: 4,
            tenant_version: 0,
        };
        let ends = |subject, epoch| {
            let mut known = Revocations::default();
            known.add(Revocation { tenant, subject, epoch }, Instant::now());
            known.end(&token)
        };
        assert!(ends(Subject::Client(client), 5));
        assert!(!ends(Subject::Client(client), 4));
        assert!(ends(Subject::Secret(secret), 0));
        assert!(ends(Subject::Token(id), 0));
        assert!(!ends(Subject::User(UserId::from_uuid(client.uuid())), 9), "a user with the client's id");
        for other in [
            Subject::Client(ClientId::generate()),
            Subject::Secret(SecretId::generate()),
            Subject::Token(Uuid::from_u128(8)),
        ] {
            assert!(!ends(other, 9));
        }
    }
}
