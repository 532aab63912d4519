//! What issuing and verifying access tokens promises. The attacks carry the ids of the security checklist (TOK-n).

mod attacks;
mod claims;
mod issuing;
mod machines;

use std::time::Duration;

use bulkhead_domain::ids::{FamilyId, TenantId, UserId};
use bulkhead_domain::scope::Role;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use crate::algorithm::SigningAlgorithm;
use crate::compact::base64url;
use crate::keys::SigningKey;
use crate::keys::tests::fresh;
use crate::keyset::KeySet;
use crate::token::{TokenSettings, Tokens, UserToken};
use crate::token_error::TokenError;

pub(crate) const NOW: i64 = 1_700_000_000;

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 500_000_000).unwrap()
}

pub(crate) fn settings() -> TokenSettings {
    TokenSettings {
        issuer: "https://issuer.test".to_owned(),
        audience: "multitenant-api".to_owned(),
        access_lifetime: Duration::from_secs(900),
        leeway: Duration::from_secs(30),
    }
}

pub(crate) fn tokens(algorithm: SigningAlgorithm) -> Tokens {
    Tokens::new(KeySet::new(fresh(algorithm), vec![]), settings()).unwrap()
}

pub(crate) fn user() -> UserToken<'static> {
    UserToken {
        tenant: TenantId::generate(),
        tenant_slug: "acme",
        user: UserId::generate(),
        username: "acme_user",
        email: None,
        role: Role::Member,
        session: FamilyId::generate(),
        token_version: 7,
        tenant_version: 3,
    }
}

/// A header and a payload that a test may bend before signing them with the right key.
struct Forge {
    tokens: Tokens,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Forge {
    fn new() -> Self {
        Self::with(SigningAlgorithm::Es256)
    }

    fn with(algorithm: SigningAlgorithm) -> Self {
        let tokens = tokens(algorithm);
        let issued = tokens.issue_user_at(&user(), now()).unwrap();
        let mut parts = issued.token.expose_secret().split('.').map(part_as_json);
        let (header, claims) = (parts.next().unwrap(), parts.next().unwrap());
        Self { tokens, header, claims }
    }

    fn key(&self) -> &SigningKey {
        self.tokens.keys().current()
    }

    fn sign(&self) -> String {
        self.sign_texts(&json!(self.header).to_string(), &json!(self.claims).to_string())
    }

    fn sign_texts(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let signature = self.key().sign(message.as_bytes()).unwrap();
        format!("{message}.{}", base64url(&signature))
    }

    fn verdict(&self, token: &str) -> Result<(), TokenError> {
        self.tokens.verify_at(token, now()).map(drop)
    }

    /// The verdict on the token with one claim replaced, or removed by `None`.
    fn with_claim(&self, name: &str, value: Option<Value>) -> Result<(), TokenError> {
        let claims = bent(&self.claims, name, value);
        self.verdict(&self.sign_texts(&json!(self.header).to_string(), &json!(claims).to_string()))
    }

    /// The verdict on the token with one header member replaced, or removed by `None`.
    fn with_header(&self, name: &str, value: Option<Value>) -> Result<(), TokenError> {
        let header = bent(&self.header, name, value);
        self.verdict(&self.sign_texts(&json!(header).to_string(), &json!(self.claims).to_string()))
    }
}

fn bent(members: &Map<String, Value>, name: &str, value: Option<Value>) -> Map<String, Value> {
    let mut members = members.clone();
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    members
}

fn part_as_json(part: &str) -> Map<String, Value> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
