//! The revocations that a server knows of, and whether they end a token. How they come to be known is not known here.

use std::collections::HashMap;
use std::time::Instant;

use bulkhead_domain::ids::{FamilyId, TenantId};
use bulkhead_domain::revocation::{Revocation, Subject};
use uuid::Uuid;

use crate::token::Verified;

/// Recent revocations. Older ones need not be known: the tokens that they ended have expired by themselves.
#[derive(Clone, Debug, Default)]
pub struct Revocations {
    tenants: HashMap<TenantId, Known>,
    users: HashMap<(TenantId, Uuid), Known>,
    sessions: HashMap<(TenantId, FamilyId), Known>,
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
            // A session has no epochs: none of its tokens counts again.
            Subject::Session(session) => self.sessions.entry((tenant, session)).or_insert(new),
        };
        *known = Known { epoch: known.epoch.max(epoch), heard };
    }

    /// Forgets what was last heard of before this moment.
    pub fn forget(&mut self, before: Instant) {
        self.tenants.retain(|_, known| known.heard >= before);
        self.users.retain(|_, known| known.heard >= before);
        self.sessions.retain(|_, known| known.heard >= before);
    }

    /// Whether a token that verified was ended since.
    #[must_use]
    pub fn end(&self, token: &Verified) -> bool {
        let principal = &token.principal;
        let tenant = principal.tenant;
        self.tenants.get(&tenant).is_some_and(|known| token.tenant_version < known.epoch)
            || self.users.get(&(tenant, principal.id)).is_some_and(|known| token.token_version < known.epoch)
            || principal.session.is_some_and(|session| self.sessions.contains_key(&(tenant, session)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use bulkhead_domain::ids::{FamilyId, TenantId, UserId};
    use bulkhead_domain::principal::{Principal, PrincipalKind};
    use bulkhead_domain::revocation::{Revocation, Subject};
    use bulkhead_domain::scope::ScopeSet;

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
                scopes: ScopeSet::default(),
            },
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
}
