//! Tokens of clients and services: what they say, and that no restriction can be left out of one.

use std::time::Duration;

use bulkhead_domain::ids::{ClientId, SecretId, TenantId};
use bulkhead_domain::principal::{PrincipalKind, SecretUse};
use bulkhead_domain::scope::{Action, Scope, ScopeSet};
use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{part_as_json, tokens};
use crate::algorithm::SigningAlgorithm;
use crate::compact::base64url;
use crate::token::{ClientToken, Issued, ServiceToken, Tokens};
use crate::token_error::TokenError;

const ALLOWED: [&str; 2] = ["10.0.0.0/8", "2001:db8::/32"];

fn issue(tokens: &Tokens, change: impl FnOnce(&mut ClientToken<'_>)) -> Issued {
    let allowed = ALLOWED.map(str::to_owned);
    let scopes = ScopeSet::parse(["read:projects"]);
    let mut client = ClientToken {
        tenant: TenantId::from_uuid(Uuid::from_u128(1)),
        tenant_slug: "acme",
        client: ClientId::from_uuid(Uuid::from_u128(2)),
        identifier: "client_1",
        roles: &["read"],
        scopes: &scopes,
        secret: SecretUse { id: SecretId::from_uuid(Uuid::from_u128(3)), ends: None },
        session: None,
        allowed_ips: &allowed,
        rate_limit: Some(100),
        ends: None,
        token_version: 4,
        tenant_version: 5,
    };
    change(&mut client);
    tokens.issue_client(&client).unwrap()
}

fn claims_of(issued: &Issued) -> Map<String, Value> {
    part_as_json(issued.token.expose_secret().split('.').nth(1).unwrap())
}

/// The verdict on a client's token with one claim replaced, or removed.
fn bent(tokens: &Tokens, name: &str, value: Option<Value>) -> Result<(), TokenError> {
    let issued = issue(tokens, |_| {});
    let mut claims = claims_of(&issued);
    claims.remove(name);
    claims.extend(value.map(|value| (name.to_owned(), value)));
    let header = issued.token.expose_secret().split('.').next().unwrap();
    let message = format!("{header}.{}", base64url(json!(claims).to_string().as_bytes()));
    let signature = tokens.keys().current().sign(message.as_bytes()).unwrap();
    tokens.verify(&format!("{message}.{}", base64url(&signature))).map(drop)
}

#[test]
fn a_clients_token_reads_back_with_its_restrictions() {
    let tokens = tokens(SigningAlgorithm::Es256);
    let issued = issue(&tokens, |_| {});
    let verified = tokens.verify(issued.token.expose_secret()).unwrap();
    let principal = &verified.principal;
    assert_eq!((principal.kind, principal.id), (PrincipalKind::Client, Uuid::from_u128(2)));
    assert_eq!(principal.secret, Some(SecretUse { id: SecretId::from_uuid(Uuid::from_u128(3)), ends: None }));
    assert_eq!(principal.session, None);
    assert_eq!(principal.restrictions.networks, ALLOWED.map(|network| network.parse().unwrap()));
    assert_eq!(principal.restrictions.hourly_rate, Some(100));
    assert!(principal.scopes.allows(Scope::Resource(Action::Read, "projects")));
    assert!(!principal.scopes.allows(Scope::Resource(Action::Read, "tasks")));
    assert_eq!((verified.token_version, verified.tenant_version), (4, 5));
    let claims = claims_of(&issued);
    assert_eq!(claims["client_id"], "client_1");
    assert_eq!(claims["client_type"], "service_account");
    assert_eq!(claims["jti"], format!("{:032x}", verified.id.as_u128()));
    assert!(!claims.contains_key("user_id") && !claims.contains_key("sid"));
}

#[test]
fn a_restriction_that_cannot_be_read_is_not_ignored() {
    let tokens = tokens(SigningAlgorithm::Es256);
    for (claim, values) in [
        ("allowed_ips", [json!("10.0.0.0/8"), json!(["everywhere"]), json!([1]), Value::Null]),
        ("rate_limit", [json!("100"), json!(-1), json!(u64::from(u32::MAX) + 1), Value::Null]),
        ("secret_ends", [json!("1"), json!(-1), json!([]), Value::Null]),
        ("secret_id", [json!("x"), json!(1), json!({}), Value::Null]),
    ] {
        for value in values {
            let verdict = bent(&tokens, claim, Some(value.clone()));
            assert_eq!(verdict, Err(TokenError::MalformedClaim(claim)), "{value}");
        }
    }
    assert_eq!(bent(&tokens, "secret_id", None), Err(TokenError::MissingClaim("secret_id")));
    assert_eq!(
        bent(&tokens, "client_type", None),
        Err(TokenError::MissingClaim("user_id")),
        "it is no user's"
    );
}

#[test]
fn a_token_does_not_outlive_the_secret_that_it_was_obtained_with() {
    let tokens = tokens(SigningAlgorithm::Es256);
    let soon = bulkhead_domain::clock::now() + TimeDelta::seconds(60);
    let issued = issue(&tokens, |client| client.ends = Some(soon));
    assert_eq!(issued.expires_at.timestamp(), soon.timestamp());
    let later = soon + TimeDelta::days(1);
    let issued = issue(&tokens, |client| client.ends = Some(later));
    assert_eq!(issued.expires_at - issued.issued_at, TimeDelta::seconds(900));
}

#[test]
fn a_services_token_is_known_by_its_own_id_and_lives_a_day_at_most() {
    let tokens = tokens(SigningAlgorithm::Es256);
    let scopes = ScopeSet::parse(["read:tasks"]);
    let id = Uuid::from_u128(9);
    let service = |seconds| ServiceToken {
        tenant: TenantId::from_uuid(Uuid::from_u128(1)),
        tenant_slug: "acme",
        id,
        service: "billing",
        scopes: &scopes,
        lifetime: Duration::from_secs(seconds),
        tenant_version: 5,
    };
    let issued = tokens.issue_service(&service(3600)).unwrap();
    let verified = tokens.verify(issued.token.expose_secret()).unwrap();
    assert_eq!(verified.principal.kind, PrincipalKind::Service);
    assert_eq!((verified.principal.id, verified.id), (id, id));
    assert_eq!(claims_of(&issued)["service"], "billing");
    assert!(tokens.issue_service(&service(0)).is_err());
    assert!(tokens.issue_service(&service(86_401)).is_err());
}
