//! Who is limited to how much: tenants and principals in everything that they do, addresses in what they try without
//! having proved anything. All of it is in memory and counted by this process alone.

pub(crate) mod report;

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest};
use bulkhead_auth::limits::rate::Rate;
use bulkhead_auth::limits::{Decision, Limiter, USUAL_CAPACITY};
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::TenantId;
use bulkhead_domain::principal::{Principal, PrincipalKind};
use uuid::Uuid;

use self::report::{Policy, Report};
use crate::client_address::{client_address, network_of};
use crate::metrics;
use crate::problem::{Outcome, Problem};
use crate::settings::HttpSettings;

/// Mails to one address of one tenant that whoever asks may cause.
const MAILS: Rate = Rate::hourly(3);

/// A client whose id equals a user's id is still not that user.
type PrincipalKey = (TenantId, PrincipalKind, Uuid);

/// The limits of a server, shared by all of its workers.
///
/// What an unproven name can use up is kept apart from what a verified token uses, and is never kept by that name
/// alone: nobody can spend another's budget by naming it.
#[derive(Debug)]
pub(crate) struct Limits {
    settings: Arc<HttpSettings>,
    tenants: Limiter<TenantId>,
    principals: Limiter<PrincipalKey>,
    addresses: Limiter<IpAddr>,
    lookups: Limiter<IpAddr>,
    accounts: Limiter<(IpAddr, u64)>,
    mails: Limiter<(TenantId, u64)>,
    names: RandomState,
}

impl Limits {
    /// Limits of which nothing is used yet.
    pub(crate) fn new(settings: Arc<HttpSettings>) -> Self {
        Self {
            settings,
            tenants: Limiter::new(USUAL_CAPACITY),
            principals: Limiter::new(USUAL_CAPACITY),
            addresses: Limiter::new(USUAL_CAPACITY),
            lookups: Limiter::new(USUAL_CAPACITY),
            accounts: Limiter::new(USUAL_CAPACITY),
            mails: Limiter::new(USUAL_CAPACITY),
            names: RandomState::new(),
        }
    }

    /// One request of a verified principal.
    ///
    /// Its own limit goes first: what that one refuses takes nothing from the tenant, so that one client cannot use up
    /// what belongs to all.
    pub(crate) fn request(&self, request: &HttpRequest, principal: &Principal) -> Outcome<()> {
        let limits = &self.settings.limits;
        let rate = match (principal.kind, principal.restrictions.hourly_rate) {
            (PrincipalKind::User, _) => limits.user,
            (PrincipalKind::Client | PrincipalKind::Service, Some(own)) => Rate::hourly(own),
            (PrincipalKind::Client | PrincipalKind::Service, None) => limits.client,
        };
        let key = (principal.tenant, principal.kind, principal.id);
        settle(request, Policy::Principal, self.principals.check(key, rate))?;
        settle(request, Policy::Tenant, self.tenants.check(principal.tenant, limits.tenant))
    }

    /// One attempt with credentials, by whatever account. To be asked before the body is read.
    pub(crate) fn credentials(&self, request: &HttpRequest) -> Outcome<()> {
        let decision = self.addresses.check(self.source(request), self.settings.limits.credentials);
        settle(request, Policy::Credentials, decision)
    }

    /// One look-up of a name. As many as attempts with credentials, and counted apart: a page that looks its tenant up
    /// each time it is opened must not use up its people's log-ins.
    pub(crate) fn lookup(&self, request: &HttpRequest) -> Outcome<()> {
        let decision = self.lookups.check(self.source(request), self.settings.limits.credentials);
        settle(request, Policy::Lookup, decision)
    }

    /// One attempt to get tokens as `account` from this address. To be asked once the body is read, and before anything
    /// is looked up or hashed.
    ///
    /// `account` is whatever names it, in its normal form, or each spelling would have a limit of its own. Two
    /// accounts can share one by a collision of 64 bits, which nobody outside can bring about: the hash has a random key.
    pub(crate) fn attempt(&self, request: &HttpRequest, account: &str) -> Outcome<()> {
        let key = (self.source(request), self.names.hash_one(account));
        settle(request, Policy::Account, self.accounts.check(key, self.settings.limits.token))
    }

    /// Whether another mail may be sent to `address`, in its normal form, because somebody asks for it who has proved nothing.
    /// Whoever asks is not told: nobody's mailbox can be filled, and nobody learns who else asked.
    pub(crate) fn mail(&self, tenant: TenantId, address: &str) -> bool {
        let key = (tenant, self.names.hash_one(address));
        self.mails.check(key, MAILS).is_none_or(|decision| decision.allowed)
    }

    /// The network that attempts are counted for. Whoever has no address shares one place with all others without.
    pub(crate) fn source(&self, request: &HttpRequest) -> IpAddr {
        let address = client_address(request, &self.settings.trusted_proxies);
        network_of(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}

/// Notes a decision for the answer's headers, and refuses the request if that is what was decided.
fn settle(request: &HttpRequest, policy: Policy, decision: Option<Decision>) -> Outcome<()> {
    let Some(decision) = decision else { return Ok(()) };
    let mut extensions = request.extensions_mut();
    let mut report = extensions.remove::<Report>().unwrap_or_default();
    report.add(policy, decision);
    let wait = report.wait();
    extensions.insert(report);
    if decision.allowed {
        return Ok(());
    }
    metrics::count_throttled(policy.as_str());
    let detail = format!("Request was throttled. Expected available in {wait} seconds.");
    Err(Problem::new(Code::Throttled, detail).with_header(header::RETRY_AFTER, &wait.to_string()))
}

#[cfg(test)]
mod tests;
