//! The claims of an access token: how they are written, and how strictly they are read. Signatures are not checked
//! here; by the time claims are read, theirs was.

use std::time::Duration;

use bulkhead_domain::ids::{FamilyId, SecretId, TenantId, parse_id};
use bulkhead_domain::principal::{Principal, PrincipalKind, Restrictions, SecretUse};
use bulkhead_domain::scope::ScopeSet;
use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::token_error::TokenError;

/// The value of `token_type` that an access token of a person or a client has.
pub(crate) const ACCESS: &str = "access";
/// The same for a token that an operator made for a service.
pub(crate) const SERVICE: &str = "service";
/// The value of `client_type` that a client's token has.
pub(crate) const SERVICE_ACCOUNT: &str = "service_account";

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
    /// Who asked for the token (RFC 9068 §2.2): an API client, or the product's own log-in.
    pub(crate) client_id: &'a str,
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
    /// An API client. Its restrictions travel with the token, so that they hold for every request without asking the
    /// database; whoever changes them ends its tokens.
    Client {
        client_type: &'static str,
        secret_id: SecretId,
        #[serde(skip_serializing_if = "Option::is_none")]
        secret_ends: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        sid: Option<FamilyId>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        allowed_ips: &'a [String],
        #[serde(skip_serializing_if = "Option::is_none")]
        rate_limit: Option<u32>,
    },
    /// A service, by the name that the operator gave it.
    Service { client_type: &'static str, service: &'a str },
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
    pub(crate) id: Uuid,
    pub(crate) client_id: String,
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
    Ok(Accepted {
        principal: read_principal(&claims)?,
        id: claims.token_id()?,
        client_id: if claims.has("client_id") { claims.text("client_id")? } else { "" }.to_owned(),
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
    let kind = kind_of(claims)?;
    let is_client = kind == PrincipalKind::Client;
    Ok(Principal {
        tenant: TenantId::from_uuid(tenant),
        tenant_slug: claims.text("tenant_slug")?.to_owned(),
        kind,
        id: claims.id("sub")?,
        // Required of a person: a token without a session could not be ended with that session.
        session: match kind {
            PrincipalKind::User => Some(claims.id("sid")?),
            PrincipalKind::Client if claims.has("sid") => Some(claims.id("sid")?),
            PrincipalKind::Client | PrincipalKind::Service => None,
        }
        .map(FamilyId::from_uuid),
        secret: if is_client { Some(secret_use(claims)?) } else { None },
        scopes: ScopeSet::parse(claims.texts("scopes")?),
        restrictions: if is_client { restrictions(claims)? } else { Restrictions::default() },
    })
}

/// Which kind of principal the token speaks of. `token_type` and `client_type` must agree on it.
fn kind_of(claims: &Claims<'_>) -> Result<PrincipalKind, TokenError> {
    let token_type = claims.text("token_type")?;
    let client_type = if claims.has("client_type") { Some(claims.text("client_type")?) } else { None };
    match (token_type, client_type) {
        (ACCESS, None) if claims.id("user_id")? == claims.id("sub")? => Ok(PrincipalKind::User),
        (ACCESS, None) => Err(TokenError::Contradiction("user_id")),
        (ACCESS, Some(SERVICE_ACCOUNT)) => Ok(PrincipalKind::Client),
        (SERVICE, Some(SERVICE)) => Ok(PrincipalKind::Service),
        (ACCESS | SERVICE, _) => Err(TokenError::UnknownPrincipal),
        _ => Err(TokenError::NotAccessToken),
    }
}

fn secret_use(claims: &Claims<'_>) -> Result<SecretUse, TokenError> {
    let ends = if claims.has("secret_ends") { Some(claims.count("secret_ends")?) } else { None };
    Ok(SecretUse { id: SecretId::from_uuid(claims.id("secret_id")?), ends })
}

/// A restriction that cannot be read is not one that may be left out.
fn restrictions(claims: &Claims<'_>) -> Result<Restrictions, TokenError> {
    let malformed = TokenError::MalformedClaim;
    let allowed = if claims.has("allowed_ips") { claims.texts("allowed_ips")? } else { Vec::new() };
    let networks: Result<Vec<IpNet>, _> = allowed.into_iter().map(str::parse).collect();
    let hourly_rate = if claims.has("rate_limit") { Some(claims.count("rate_limit")?) } else { None };
    let hourly_rate = hourly_rate.map(u32::try_from).transpose().or(Err(malformed("rate_limit")))?;
    Ok(Restrictions { networks: networks.or(Err(malformed("allowed_ips")))?, hourly_rate })
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

    /// `jti`: 128 bits in hexadecimal, as we write them.
    fn token_id(&self) -> Result<Uuid, TokenError> {
        let text = self.text("jti")?;
        let is_ours =
            text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        let id = is_ours.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        id.map(Uuid::from_u128).ok_or(TokenError::MalformedClaim("jti"))
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
