//! The claims of an access token: how they are written, and how strictly they are read. Signatures are not checked
//! here; by the time claims are read, theirs was.

use std::time::Duration;

use bulkhead_domain::ids::{FamilyId, TenantId, parse_id};
use bulkhead_domain::principal::{Principal, PrincipalKind};
use bulkhead_domain::scope::ScopeSet;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::token_error::TokenError;

/// The value of `token_type` that an access token has.
const ACCESS: &str = "access";

/// First second of the year 10000. No date of a token lies beyond.
const END_OF_TIME: i64 = 253_402_300_800;

/// The claims of a token to be signed.
#[derive(Serialize)]
pub(crate) struct AccessClaims<'a> {
    pub(crate) iss: &'a str,
    pub(crate) aud: &'a str,
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) jti: String,
    pub(crate) sub: Uuid,
    pub(crate) tenant: TenantId,
    /// The same as `tenant`, for clients that look for this name.
    pub(crate) tenant_id: TenantId,
    pub(crate) tenant_slug: &'a str,
    pub(crate) roles: &'a [&'a str],
    pub(crate) scopes: &'a [String],
    /// The same as `scopes`, in one text (RFC 9068 §2.2.3).
    pub(crate) scope: String,
    pub(crate) token_type: &'static str,
    pub(crate) token_version: i64,
    pub(crate) tenant_version: i64,
    #[serde(flatten)]
    pub(crate) subject: Subject<'a>,
}

/// The claims that only one kind of principal has.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Subject<'a> {
    /// A person.
    User {
        user_id: Uuid,
        username: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<&'a str>,
        sid: FamilyId,
    },
}

impl AccessClaims<'_> {
    pub(crate) const TOKEN_TYPE: &'static str = ACCESS;
}

/// What a verifier asks of a token's claims.
pub(crate) struct Demands<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    /// Unix seconds.
    pub(crate) now: i64,
    /// Seconds by which another clock may differ.
    pub(crate) leeway: i64,
}

/// Claims that met every demand.
pub(crate) struct Accepted {
    pub(crate) principal: Principal,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) token_version: i64,
    pub(crate) tenant_version: i64,
}

/// Reads claims and checks every one that decides anything.
pub(crate) fn read(members: &Map<String, Value>, demands: &Demands<'_>) -> Result<Accepted, TokenError> {
    let claims = Claims(members);
    if claims.text("iss")? != demands.issuer {
        return Err(TokenError::WrongIssuer);
    }
    if !claims.audience()?.contains(&demands.audience) {
        return Err(TokenError::WrongAudience);
    }
    let (issued_at, expires_at) = check_times(&claims, demands)?;
    if claims.text("token_type")? != ACCESS {
        return Err(TokenError::NotAccessToken);
    }
    Ok(Accepted {
        principal: read_principal(&claims)?,
        issued_at,
        expires_at,
        token_version: claims.count("token_version")?,
        // A token that does not say is of the oldest epoch.
        tenant_version: if claims.has("tenant_version") { claims.count("tenant_version")? } else { 0 },
    })
}

/// Checks `exp`, `nbf` and `iat` (RFC 7519 §4.1.4 to §4.1.6); gives `iat` and `exp`.
fn check_times(claims: &Claims<'_>, demands: &Demands<'_>) -> Result<(i64, i64), TokenError> {
    let (exp, nbf, iat) = (claims.date("exp")?, claims.date("nbf")?, claims.date("iat")?);
    if has_expired(exp, demands.now, demands.leeway) {
        return Err(TokenError::Expired);
    }
    let latest = demands.now.saturating_add(demands.leeway);
    if nbf > latest || iat > latest {
        return Err(TokenError::NotYetValid);
    }
    Ok((iat, exp))
}

/// The one rule of expiry. All in Unix seconds: `exp` itself is the first moment too late.
pub(crate) const fn has_expired(exp: i64, now: i64, leeway: i64) -> bool {
    now >= exp.saturating_add(leeway)
}

/// Reads who the token speaks of. A principal's kind is told by claims of its own, never by its id, so that a client
/// whose id equals a user's is still not that user (RFC 9700 §4.15).
fn read_principal(claims: &Claims<'_>) -> Result<Principal, TokenError> {
    let tenant = claims.id("tenant")?;
    if claims.has("tenant_id") && claims.id("tenant_id")? != tenant {
        return Err(TokenError::Contradiction("tenant_id"));
    }
    let id = claims.id("sub")?;
    if claims.has("client_type") {
        return Err(TokenError::UnknownPrincipal);
    }
    if claims.id("user_id")? != id {
        return Err(TokenError::Contradiction("user_id"));
    }
    Ok(Principal {
        tenant: TenantId::from_uuid(tenant),
        tenant_slug: claims.text("tenant_slug")?.to_owned(),
        kind: PrincipalKind::User,
        id,
        // Required: a user's token without a session could not be ended with that session.
        session: Some(FamilyId::from_uuid(claims.id("sid")?)),
        scopes: ScopeSet::parse(claims.texts("scopes")?),
    })
}

/// Claims, read by exact type.
struct Claims<'a>(&'a Map<String, Value>);

impl<'a> Claims<'a> {
    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn value(&self, name: &'static str) -> Result<&'a Value, TokenError> {
        self.0.get(name).ok_or(TokenError::MissingClaim(name))
    }

    fn text(&self, name: &'static str) -> Result<&'a str, TokenError> {
        self.value(name)?.as_str().ok_or(TokenError::MalformedClaim(name))
    }

    fn texts(&self, name: &'static str) -> Result<Vec<&'a str>, TokenError> {
        let values = self.value(name)?.as_array().ok_or(TokenError::MalformedClaim(name))?;
        values.iter().map(|value| value.as_str().ok_or(TokenError::MalformedClaim(name))).collect()
    }

    /// `aud` is a text or an array of texts (RFC 7519 §4.1.3).
    fn audience(&self) -> Result<Vec<&'a str>, TokenError> {
        match self.value("aud")? {
            Value::String(one) => Ok(vec![one]),
            _ => self.texts("aud"),
        }
    }

    /// A UUID in the one spelling in which we write it: another is not from us.
    fn id(&self, name: &'static str) -> Result<Uuid, TokenError> {
        let text = self.text(name)?;
        let id = parse_id(text).ok_or(TokenError::MalformedClaim(name))?;
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(TokenError::MalformedClaim(name));
        }
        Ok(id)
    }

    /// A number that counts: whole, and not negative.
    fn count(&self, name: &'static str) -> Result<i64, TokenError> {
        self.value(name)?.as_i64().filter(|count| *count >= 0).ok_or(TokenError::MalformedClaim(name))
    }

    /// A NumericDate (RFC 7519 §2) in whole seconds. A fraction is allowed there, and cut off here.
    fn date(&self, name: &'static str) -> Result<i64, TokenError> {
        let value = self.value(name)?;
        let whole = || value.as_i64().filter(|date| *date >= 0);
        let cut = || {
            let fraction = value.as_number().filter(|number| number.is_f64())?.as_f64()?;
            i64::try_from(Duration::try_from_secs_f64(fraction).ok()?.as_secs()).ok()
        };
        whole().or_else(cut).filter(|date| *date < END_OF_TIME).ok_or(TokenError::MalformedClaim(name))
    }
}
