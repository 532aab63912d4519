//! Whose host a request was sent to. On a host that belongs to a tenant the tokens of no other tenant count; on one that
//! belongs to nobody, as the server's own does, those of all. Which tenant is served, only the token says.

use std::time::{Duration, Instant};

use actix_web::http::Uri;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::TenantId;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::credentials::AuthDb;
use quick_cache::sync::Cache;

use crate::problem::{Outcome, Problem};

/// For how long an answer of the directory counts, that there is no such host as well. What an operator changes is known to
/// every server after this time.
const REMEMBERED: Duration = Duration::from_secs(30);

/// Hosts that a server remembers: about 2 MB when full of the longest.
const CAPACITY: usize = 5_000;

/// Whose a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(Option<TenantId>);

impl Owner {
    /// Refuses a token of `tenant` on a host of another one.
    pub(crate) fn admit(self, tenant: TenantId) -> Outcome<()> {
        if self.0.is_none_or(|owner| owner == tenant) {
            return Ok(());
        }
        tracing::info!(reason = "the host belongs to another tenant", "token refused");
        Err(Problem::new(Code::CrossTenantAccess, "This token cannot be used on this domain."))
    }
}

/// What a server knows of hosts, shared by all of its workers.
#[derive(Debug)]
pub(crate) struct Hosts {
    /// The server's own host.
    public: Option<String>,
    known: Cache<String, (Owner, Instant)>,
}

impl Hosts {
    /// Knows the server's own host only.
    pub(crate) fn new(public_url: &str) -> Self {
        let url = public_url.parse::<Uri>().ok();
        let public =
            url.and_then(|url| url.host().map(|host| host.trim_end_matches('.').to_ascii_lowercase()));
        Self { public, known: Cache::new(CAPACITY) }
    }

    /// Whose the host is, as far as that is known without asking. A request that names none was sent to nobody's.
    pub(crate) fn remembered(&self, host: Option<&str>) -> Option<Owner> {
        self.remembered_at(host, Instant::now())
    }

    fn remembered_at(&self, host: Option<&str>, now: Instant) -> Option<Owner> {
        let Some(host) = host.filter(|host| self.public.as_deref() != Some(host)) else {
            return Some(Owner(None));
        };
        let (owner, asked) = self.known.get(host)?;
        is_fresh(asked, now).then_some(owner)
    }

    /// Whose the host is. Of those who want to know at the same time one asks, and the others wait for what it hears;
    /// nothing is remembered when the database does not answer.
    pub(crate) async fn ask(&self, auth: &AuthDb, host: &str) -> Outcome<Owner> {
        let asked = Instant::now();
        self.known.remove_if(host, |(_, before)| !is_fresh(*before, asked));
        let asking = async {
            let found = auth.find_tenant(&TenantName::Host(host.to_owned())).await?;
            Ok((Owner(found.map(|tenant| tenant.id())), asked))
        };
        let known = self.known.get_or_insert_async(host, asking).await;
        known.map(|(owner, _)| owner).map_err(Problem::busy_is_unavailable)
    }
}

fn is_fresh(asked: Instant, now: Instant) -> bool {
    now.saturating_duration_since(asked) < REMEMBERED
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use bulkhead_domain::ids::TenantId;

    use super::{Hosts, Owner, REMEMBERED};

    #[test]
    fn what_was_heard_counts_for_its_time_that_nobody_has_the_host_as_well() {
        let (hosts, heard, tenant) =
            (Hosts::new("http://api.test"), Instant::now(), Owner(Some(TenantId::generate())));
        for (host, owner) in [("a.test", tenant), ("b.test", Owner(None))] {
            assert_eq!(hosts.remembered_at(Some(host), heard), None);
            hosts.known.insert(host.to_owned(), (owner, heard));
            let last = heard + REMEMBERED - Duration::from_millis(1);
            assert_eq!(hosts.remembered_at(Some(host), last), Some(owner));
            assert_eq!(hosts.remembered_at(Some(host), heard + REMEMBERED), None);
        }
    }

    #[test]
    fn the_servers_own_host_is_nobodys_and_never_asked_about() {
        for (url, host) in [
            ("https://API.example.com", "api.example.com"),
            ("http://127.0.0.1:8000", "127.0.0.1"),
            ("http://[::1]:8000", "[::1]"),
        ] {
            let hosts = Hosts::new(url);
            assert_eq!(hosts.remembered(Some(host)), Some(Owner(None)), "{url}");
            assert_eq!(hosts.remembered(None), Some(Owner(None)));
            assert_eq!(hosts.remembered(Some("other.example.com")), None);
        }
    }

    #[test]
    fn a_host_admits_its_own_tenant_and_nobodys_host_admits_all() {
        let (own, other) = (TenantId::generate(), TenantId::generate());
        assert!(Owner(None).admit(own).is_ok());
        assert!(Owner(Some(own)).admit(own).is_ok());
        assert!(Owner(Some(other)).admit(own).is_err());
    }

    #[test]
    fn no_number_of_hosts_makes_the_memory_grow_beyond_its_bound() {
        let hosts = Hosts::new("http://api.test");
        for number in 0..3 * super::CAPACITY {
            hosts.known.insert(format!("{number}.test"), (Owner(None), Instant::now()));
        }
        assert!(hosts.known.len() <= super::CAPACITY, "{}", hosts.known.len());
    }
}
