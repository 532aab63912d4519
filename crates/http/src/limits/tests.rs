//! Who shares a limit with whom. That units run out and come back is tested where they are counted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::test::TestRequest;
use bulkhead_auth::limits::rate::Rate;
use bulkhead_domain::ids::TenantId;
use bulkhead_domain::principal::{Principal, PrincipalKind, Restrictions};
use bulkhead_domain::scope::ScopeSet;
use uuid::Uuid;

use bulkhead_persistence::guards::GuessSettings;

use super::Limits;
use crate::settings::{CorsSettings, HttpSettings, LimitSettings};

const OFF: LimitSettings = LimitSettings {
    tenant: Rate::Unlimited,
    user: Rate::Unlimited,
    client: Rate::Unlimited,
    credentials: Rate::Unlimited,
    token: Rate::Unlimited,
    guesses: GuessSettings { free: 1, hourly: 1 },
};

fn limits(limits: LimitSettings) -> Limits {
    let second = Duration::from_secs(1);
    Limits::new(Arc::new(HttpSettings {
        listen: String::new(),
        public_url: String::new(),
        frontend_url: String::new(),
        workers: 1,
        max_connections: 1,
        request_timeout: second,
        body_timeout: second,
        body_limit: 1,
        drain: second,
        shutdown_timeout: second,
        allowed_hosts: Vec::new(),
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        limits,
        cors: CorsSettings::default(),
        strict_transport: false,
        aliases: false,
        metrics: false,
        docs: false,
    }))
}

fn from(peer: &str) -> HttpRequest {
    forwarded(peer, "")
}

fn forwarded(peer: &str, hops: &str) -> HttpRequest {
    let peer = SocketAddr::new(peer.parse().unwrap(), 1234);
    TestRequest::default().peer_addr(peer).insert_header(("x-forwarded-for", hops)).to_http_request()
}

fn principal(tenant: u128, kind: PrincipalKind, id: u128, hourly_rate: Option<u32>) -> Principal {
    Principal {
        tenant: TenantId::from_uuid(Uuid::from_u128(tenant)),
        tenant_slug: String::new(),
        kind,
        id: Uuid::from_u128(id),
        session: None,
        secret: None,
        scopes: ScopeSet::default(),
        restrictions: Restrictions { networks: Vec::new(), hourly_rate },
    }
}

#[test]
fn an_account_has_a_limit_at_each_address_so_that_a_stranger_cannot_use_it_up() {
    let limits = limits(LimitSettings { token: Rate::hourly(2), ..OFF });
    let attempt = |request: HttpRequest, account| limits.attempt(&request, account).is_ok();
    let stranger = [(); 4].map(|()| attempt(from("192.0.2.66"), "client_1"));
    assert_eq!(stranger, [true, true, false, false]);
    assert!(attempt(from("192.0.2.1"), "client_1"), "the owner's own address");
    assert!(attempt(from("192.0.2.66"), "client_2"));
    let endless = "x".repeat(1 << 20);
    assert_eq!([(); 3].map(|()| attempt(from("192.0.2.1"), &endless)), [true, true, false]);
}

#[test]
fn addresses_are_those_that_trusted_proxies_saw_and_ipv6_networks_count_as_one() {
    let limits = limits(LimitSettings { credentials: Rate::hourly(1), ..OFF });
    let try_out = |request: HttpRequest| limits.credentials(&request).is_ok();
    assert!(try_out(from("2001:db8::1")));
    assert!(!try_out(from("2001:db8::ffff:1")), "of the same /64");
    assert!(try_out(from("2001:db8:0:1::1")));
    assert!(try_out(forwarded("192.0.2.1", "198.51.100.1")));
    assert!(!try_out(forwarded("192.0.2.1", "198.51.100.2")), "a forged hop is no new address");
    assert!(!try_out(from("::ffff:192.0.2.1")), "the same address in another spelling");
    assert!(try_out(forwarded("10.0.0.1", "198.51.100.7")));
    assert!(!try_out(forwarded("10.0.0.2", "1.2.3.4, 198.51.100.7")), "the same client by another proxy");
    assert!(try_out(forwarded("10.0.0.2", "198.51.100.8")));
}

#[test]
fn each_principal_has_its_own_limit_and_all_of_a_tenant_share_one() {
    use PrincipalKind::{Client, Service, User};
    let tenant = Rate::hourly(6);
    let limits = limits(LimitSettings { tenant, user: Rate::hourly(1), client: Rate::hourly(2), ..OFF });
    let ask = |principal: Principal| limits.request(&from("192.0.2.1"), &principal).is_ok();
    assert_eq!([(); 2].map(|()| ask(principal(1, User, 7, None))), [true, false]);
    assert!(ask(principal(1, User, 8, None)));
    assert!(ask(principal(1, Service, 7, None)), "a service with the user's id");
    assert_eq!([(); 2].map(|()| ask(principal(1, Client, 7, Some(1)))), [true, false], "its own rate");
    assert_eq!([(); 3].map(|()| ask(principal(1, Client, 9, None))), [true, true, false]);
    // Six were let through. What the principals' own limits refused took nothing from the tenant, and now it has none.
    assert!(!ask(principal(1, Client, 10, None)));
    assert!(ask(principal(2, User, 7, None)), "another tenant");
}
