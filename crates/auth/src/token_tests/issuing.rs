//! What an issued token says, and to whom.

use std::time::Duration;

use bulkhead_domain::principal::PrincipalKind;
use bulkhead_domain::scope::{Action, Role, Scope};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{NOW, now, part_as_json, settings, tokens, user};
use crate::algorithm::SigningAlgorithm;
use crate::keys::tests::fresh;
use crate::keyset::KeySet;
use crate::token::{Tokens, UserToken};
use crate::token_error::{SettingsError, TokenError};

#[test]
fn what_is_issued_is_verified_with_every_algorithm() {
    for algorithm in SigningAlgorithm::ALL {
        let tokens = tokens(algorithm);
        let user = user();
        let issued = tokens.issue_user_at(&user, now()).unwrap();
        let verified = tokens.verify_at(issued.token.expose_secret(), now()).unwrap();
        let principal = &verified.principal;
        assert_eq!(principal.tenant, user.tenant);
        assert_eq!(principal.tenant_slug, "acme");
        assert_eq!((principal.kind, principal.id), (PrincipalKind::User, user.user.uuid()));
        assert_eq!(principal.session, Some(user.session));
        assert!(principal.scopes.allows(Scope::Resource(Action::Write, "projects")));
        assert!(!principal.scopes.allows(Scope::TenantAdmin));
        assert_eq!((verified.issued_at, verified.expires_at), (NOW, NOW + 900));
        assert_eq!(verified.expires_at, issued.expires_at.timestamp());
        assert_eq!(verified.kid, tokens.keys().current().public().kid());
        assert_eq!(verified.token_version, 7);
        assert_eq!((verified.scope().tenant(), verified.scope().actor()), (user.tenant, user.user.uuid()));
    }
}

#[test]
fn header_and_claims_are_exactly_those_of_the_contract() {
    let tokens = tokens(SigningAlgorithm::Es256);
    let user = UserToken { email: Some("a@acme.test"), role: Role::Viewer, ..user() };
    let issued = tokens.issue_user_at(&user, now()).unwrap();
    let mut parts = issued.token.expose_secret().split('.').map(part_as_json);
    let header = json!({"alg": "ES256", "kid": tokens.keys().current().public().kid(), "typ": "at+jwt"});
    assert_eq!(Value::Object(parts.next().unwrap()), header);
    let mut claims = parts.next().unwrap();
    let jti = claims.remove("jti").unwrap();
    let jti = jti.as_str().unwrap();
    assert!(jti.len() == 32 && jti.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{jti}");
    let expected = json!({
        "iss": "https://issuer.test", "aud": "multitenant-api", "exp": NOW + 900, "iat": NOW, "nbf": NOW,
        "sub": user.user, "client_id": "bulkhead", "user_id": user.user, "username": "acme_user", "email": "a@acme.test",
        "tenant": user.tenant, "tenant_id": user.tenant, "tenant_slug": "acme", "roles": ["viewer"],
        "scopes": ["read:*"], "scope": "read:*", "token_type": "access", "token_version": 7, "tenant_version": 3, "sid": user.session,
    });
    assert_eq!(Value::Object(claims), expected);
}

#[test]
fn an_absent_address_is_left_out_and_two_tokens_have_two_ids() {
    let tokens = tokens(SigningAlgorithm::Es256);
    let claims = || {
        let issued = tokens.issue_user_at(&user(), now()).unwrap();
        part_as_json(issued.token.expose_secret().split('.').nth(1).unwrap())
    };
    let (first, second) = (claims(), claims());
    assert!(!first.contains_key("email"));
    assert_ne!(first["jti"], second["jti"]);
}

#[test]
fn another_implementation_verifies_our_tokens_with_the_published_keys() {
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa] {
        let tokens = tokens(algorithm);
        let issued = tokens.issue_user_at(&user(), bulkhead_domain::clock::now()).unwrap();
        let jwk: Jwk = serde_json::from_value(tokens.keys().jwks()["keys"][0].clone()).unwrap();
        let mut rules = Validation::new(algorithm.as_str().parse().unwrap());
        rules.set_issuer(&["https://issuer.test"]);
        rules.set_audience(&["multitenant-api"]);
        let key = DecodingKey::from_jwk(&jwk).unwrap();
        let read = jsonwebtoken::decode::<Value>(issued.token.expose_secret(), &key, &rules).unwrap();
        assert_eq!(read.header.kid, jwk.common.key_id);
    }
}

#[test]
fn tok_6_the_old_key_is_accepted_during_the_overlap_and_refused_after_it() {
    let old = tokens(SigningAlgorithm::Es256);
    let token = old.issue_user_at(&user(), now()).unwrap().token;
    let next = fresh(SigningAlgorithm::EdDsa);
    let next_kid = next.public().kid().to_owned();
    let overlap = KeySet::new(next, vec![old.keys().current().public().clone()]);
    let overlap = Tokens::new(overlap, settings()).unwrap();
    assert!(overlap.verify_at(token.expose_secret(), now()).is_ok());
    let newer = overlap.issue_user_at(&user(), now()).unwrap().token;
    assert_eq!(overlap.verify_at(newer.expose_secret(), now()).unwrap().kid, next_kid);
    let after = tokens(SigningAlgorithm::EdDsa);
    assert_eq!(after.verify_at(token.expose_secret(), now()).unwrap_err(), TokenError::UnknownKey);
}

#[test]
fn settings_that_would_let_anybody_in_are_refused() {
    let with = |change: fn(&mut crate::token::TokenSettings)| {
        let mut settings = settings();
        change(&mut settings);
        Tokens::new(KeySet::new(fresh(SigningAlgorithm::Es256), vec![]), settings).map(drop).unwrap_err()
    };
    assert_eq!(with(|s| s.issuer.clear()), SettingsError::NoIssuer);
    assert_eq!(with(|s| s.audience.clear()), SettingsError::NoAudience);
    assert_eq!(with(|s| s.leeway = Duration::from_secs(31)), SettingsError::Leeway);
    assert_eq!(with(|s| s.access_lifetime = Duration::from_millis(900)), SettingsError::Lifetime);
    assert_eq!(with(|s| s.access_lifetime = Duration::from_secs(86_401)), SettingsError::Lifetime);
}

#[test]
fn nothing_that_can_be_printed_shows_a_token() {
    let tokens = tokens(SigningAlgorithm::Es256);
    let issued = tokens.issue_user_at(&user(), now()).unwrap();
    let verified = tokens.verify_at(issued.token.expose_secret(), now()).unwrap();
    let shown = format!("{issued:?} {verified:?} {tokens:?}");
    for part in issued.token.expose_secret().split('.') {
        assert!(!shown.contains(part), "{shown}");
    }
}
