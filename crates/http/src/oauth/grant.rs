//! The access token of a proven client: its rights, or the part of them that was asked for.

use bulkhead_auth::token::{ClientToken, Issued};
use bulkhead_domain::clock::now;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::FamilyId;
use bulkhead_domain::principal::SecretUse;
use bulkhead_domain::scope::ScopeSet;
use bulkhead_persistence::client_credentials::ClientAccount;

use super::proof::Proven;
use crate::clients::is_known_scope;
use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

/// A secret that ends within this time is worth a warning.
const SOON: chrono::TimeDelta = chrono::TimeDelta::days(14);

/// The longest scope that is named in a refusal, in characters.
const LONGEST_TOLD: usize = 64;

/// What was granted.
pub(crate) struct Granted {
    pub(crate) token: Issued,
    /// The granted scopes in one text.
    pub(crate) scope: String,
}

/// The rights to grant: all that the client has, or those it asks for, if it has them (RFC 6749 §3.3).
pub(crate) fn scopes(client: &ClientAccount, asked: Option<&str>) -> Outcome<ScopeSet> {
    let rights = client.rights();
    let Some(asked) = asked else { return Ok(rights) };
    let mut granted = ScopeSet::default();
    for word in asked.split(' ').filter(|word| !word.is_empty()) {
        // A wildcard covers words that name nothing; those are unknown all the same.
        let one = ScopeSet::parse_one(word).filter(|one| is_known_scope(word) && rights.covers(one));
        let one = one.ok_or_else(|| Problem::new(Code::InvalidScope, told(word)))?;
        granted = granted.union(&one);
    }
    if granted.is_empty() { Ok(rights) } else { Ok(granted) }
}

/// What is said of a scope that is not granted. Only what may be a scope is said again (RFC 6749 §3.3), and no essay.
fn told(word: &str) -> String {
    let is_scope =
        word.len() <= LONGEST_TOLD && word.bytes().all(|b| b.is_ascii_graphic() && !br#""\"#.contains(&b));
    if is_scope {
        format!("The client may not have the scope {word}.")
    } else {
        "The client may not have a scope that it asked for.".to_owned()
    }
}

/// Makes the token, of a session if it can be refreshed.
pub(crate) fn grant(
    worker: &Worker,
    proven: &Proven,
    scopes: &ScopeSet,
    session: Option<FamilyId>,
) -> Outcome<Granted> {
    let Proven { tenant, client, secret, .. } = proven;
    let secret_use = SecretUse { id: secret.id(), ends: proven.secret_ends() };
    if secret.expires_at.is_some_and(|end| end - now() < SOON) {
        tracing::warn!(
            client_id = client.client_id,
            secret = %secret.id(),
            ends = ?secret.expires_at,
            address = proven.address().map(tracing::field::display),
            "a token was given for a secret that ends soon"
        );
    }
    let roles: Vec<&str> = client.roles.iter().map(String::as_str).collect();
    let token = ClientToken {
        tenant: tenant.id(),
        tenant_slug: &tenant.slug,
        client: client.id(),
        identifier: &client.client_id,
        roles: &roles,
        scopes,
        secret: secret_use,
        session,
        allowed_ips: &client.allowed_ips,
        rate_limit: client.hourly_rate(),
        ends: [client.expires_at, secret.expires_at].into_iter().flatten().min(),
        token_version: client.token_epoch,
        tenant_version: tenant.token_epoch,
    };
    let token = worker.tokens().issue_client(&token).map_err(|error| Problem::internal(&error))?;
    Ok(Granted { token, scope: scopes.words().join(" ") })
}
