//! The revocations that a server knows of, and whether they end a token. How they come to be known is not known here.

use std::collections::{HashMap, HashSet};

use bulkhead_domain::ids::{FamilyId, TenantId};
use bulkhead_domain::revocation::{Revocation, Subject};
use uuid::Uuid;

use crate::token::Verified;

/// Recent revocations. Older ones need not be known: the tokens that they ended have expired by themselves.
#[derive(Clone, Debug, Default)]
pub struct Revocations {
    tenants: HashMap<TenantId, i64>,
    users: HashMap<(TenantId, Uuid), i64>,
    sessions: HashSet<(TenantId, FamilyId)>,
}

impl Revocations {
    /// Adds one.
    pub fn add(&mut self, revocation: Revocation) {
        let Revocation { tenant, subject, epoch } = revocation;
        match subject {
            Subject::Tenant => raise(self.tenants.entry(tenant).or_default(), epoch),
            Subject::User(user) => raise(self.users.entry((tenant, user.uuid())).or_default(), epoch),
            Subject::Session(session) => {
                self.sessions.insert((tenant, session));
            }
        }
    }

    /// Whether a token that verified was ended since.
    #[must_use]
    pub fn end(&self, token: &Verified) -> bool {
        let principal = &token.principal;
        let tenant = principal.tenant;
        self.tenants.get(&tenant).is_some_and(|epoch| token.tenant_version < *epoch)
            || self.users.get(&(tenant, principal.id)).is_some_and(|epoch| token.token_version < *epoch)
            || principal.session.is_some_and(|session| self.sessions.contains(&(tenant, session)))
    }
}

fn raise(known: &mut i64, epoch: i64) {
    *known = (*known).max(epoch);
}

impl FromIterator<Revocation> for Revocations {
    fn from_iter<T: IntoIterator<Item = Revocation>>(revocations: T) -> Self {
        let mut known = Self::default();
        revocations.into_iter().for_each(|revocation| known.add(revocation));
        known
    }
}

#[cfg(test)]
mod tests {
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
        let of = |subject, epoch| Revocations::from_iter([Revocation { tenant, subject, epoch }]);
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
        assert!(!of(Subject::User(UserId::generate()), 9).end(&mine));
        assert!(!of(Subject::Session(FamilyId::generate()), 9).end(&mine));
    }
}
