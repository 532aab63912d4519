//! Which clients a caller may make and change: those that can do no more than the caller. Rights are compared, and for a
//! caller that is itself a client its restrictions too, or it would shake them off by making itself a twin.

use bulkhead_domain::principal::PrincipalKind;
use bulkhead_domain::scope::ScopeSet;
use bulkhead_persistence::error::{DbError, DbResult};
use bulkhead_persistence::tenant_db::WriteTx;
use bulkhead_persistence::{ApiClient, ApiClients};
use ipnet::IpNet;

use crate::context::TenantCtx;

/// What the caller has and can therefore give.
pub(super) struct Reach {
    scopes: ScopeSet,
    /// The caller, when it is a client: as it was when the transaction began.
    restricted: Option<ApiClient>,
}

impl Reach {
    /// The caller's, read within the transaction of what it does.
    ///
    /// # Errors
    /// [`DbError::Withdrawn`] for a service: its token ends within a day, and what it made would not.
    pub(super) async fn of(ctx: &TenantCtx, tx: &mut WriteTx<'_>) -> DbResult<Self> {
        let principal = ctx.principal();
        let restricted = match principal.kind {
            PrincipalKind::User => None,
            PrincipalKind::Client => Some(ApiClients::lock(tx, principal.id).await?),
            PrincipalKind::Service => return Err(DbError::Withdrawn),
        };
        Ok(Self { scopes: principal.scopes.clone(), restricted })
    }

    /// Refuses a client that can do more than the caller.
    ///
    /// # Errors
    /// [`DbError::Withdrawn`].
    pub(super) fn covers(&self, client: &ApiClient) -> DbResult<()> {
        let covered = self.scopes.covers(&client.rights())
            && self.restricted.as_ref().is_none_or(|caller| is_as_restricted(caller, client));
        if covered { Ok(()) } else { Err(DbError::Withdrawn) }
    }

    /// Refuses a client, by its id, that can do more than the caller.
    ///
    /// # Errors
    /// [`DbError::Withdrawn`]; [`DbError::NotFound`] without such a client.
    pub(super) async fn covers_id(&self, tx: &mut WriteTx<'_>, id: uuid::Uuid) -> DbResult<()> {
        self.covers(&ApiClients::lock(tx, id).await?)
    }
}

/// Whether every restriction of the caller holds for the client as well.
fn is_as_restricted(caller: &ApiClient, client: &ApiClient) -> bool {
    let within =
        |least: Option<i64>, own: Option<i64>| least.is_none_or(|most| own.is_some_and(|own| own <= most));
    let end = |client: &ApiClient| client.expires_at.map(|end| end.timestamp_micros());
    within(caller.rate_limit.map(i64::from), client.rate_limit.map(i64::from))
        && within(end(caller), end(client))
        && calls_from_within(&caller.allowed_ips, &client.allowed_ips)
}

fn calls_from_within(outer: &[String], inner: &[String]) -> bool {
    let networks =
        |words: &[String]| words.iter().filter_map(|word| word.parse::<IpNet>().ok()).collect::<Vec<_>>();
    let outer_networks = networks(outer);
    let inner_networks = networks(inner);
    outer.is_empty()
        || (!inner.is_empty()
            && inner_networks.iter().all(|inner| outer_networks.iter().any(|outer| outer.contains(inner))))
}

#[cfg(test)]
mod tests {
    use super::calls_from_within;

    #[test]
    fn whoever_may_call_from_some_networks_gives_no_others() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let within = |outer: &[&str], inner: &[&str]| calls_from_within(&words(outer), &words(inner));
        assert!(within(&[], &[]));
        assert!(within(&[], &["10.0.0.0/8"]));
        assert!(within(&["10.0.0.0/8"], &["10.1.0.0/16", "10.2.3.4/32"]));
        assert!(!within(&["10.0.0.0/8"], &[]), "from anywhere");
        assert!(!within(&["10.0.0.0/8"], &["10.1.0.0/16", "192.0.2.0/24"]));
        assert!(!within(&["10.1.0.0/16"], &["10.0.0.0/8"]));
    }
}
