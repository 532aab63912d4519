//! Access tokens: issuing them, and turning a presented one into a [`Verified`] principal. Whether that principal was
//! revoked since is not known here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bulkhead_domain::clock;
use bulkhead_domain::ids::TenantId;
use bulkhead_domain::principal::Principal;
use bulkhead_domain::scope::ScopeSet;
use bulkhead_domain::tenant::TenantScope;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use secrecy::SecretString;
use uuid::Uuid;

mod subjects;

pub use subjects::{ClientToken, ServiceToken, UserToken};

use crate::claims::{self, AccessClaims, Demands, Subject};
use crate::compact;
use crate::keyset::KeySet;
use crate::token_error::{IssueError, SettingsError, TokenError};

/// The most leeway that may be configured.
const MAX_LEEWAY: Duration = Duration::from_secs(30);

/// The longest life that may be configured: a token that outlives the working day is a password.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The `client_id` of people's tokens: they log in with the product itself.
const FIRST_PARTY: &str = "bulkhead";

/// What tokens say and must say.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// The `iss` claim.
    pub issuer: String,
    /// The `aud` claim.
    pub audience: String,
    /// How long an access token lives. 900 s unless the operator says otherwise; in whole seconds.
    pub access_lifetime: Duration,
    /// By how much another server's clock may differ. At most, and usually, 30 s.
    pub leeway: Duration,
}

/// A token that was made.
#[derive(Debug)]
pub struct Issued {
    /// The token, to be sent once and stored nowhere.
    pub token: SecretString,
    /// When it was made, in whole seconds.
    pub issued_at: DateTime<Utc>,
    /// The first moment at which it is no longer valid.
    pub expires_at: DateTime<Utc>,
}

/// What a sound token says. Not yet known: whether it was revoked.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Who presents it, and what for.
    pub principal: Principal,
    /// The token's own id, from the `jti` claim.
    pub id: Uuid,
    /// Who asked for it, from the `client_id` claim. For reading only: it decides nothing.
    pub client_id: String,
    /// When it was made, in Unix seconds.
    pub issued_at: i64,
    /// The first Unix second at which it is no longer valid, leeway apart.
    pub expires_at: i64,
    /// The key that signed it.
    pub kid: String,
    /// The epoch of the principal at the time.
    pub token_version: i64,
    /// The epoch of its tenant at the time.
    pub tenant_version: i64,
}

impl Verified {
    /// The right to work in the principal's tenant.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "a verified token is the proof that the call asks for")]
    pub const fn scope(&self) -> TenantScope {
        let Principal { tenant, kind, id, .. } = self.principal;
        TenantScope::assert_authenticated(tenant, kind, id)
    }
}

/// What every kind of token says.
struct Frame<'a> {
    tenant: TenantId,
    tenant_slug: &'a str,
    tenant_version: i64,
    token_version: i64,
    id: u128,
    sub: Uuid,
    client_id: &'a str,
    token_type: &'static str,
    roles: &'a [&'a str],
    scopes: &'a ScopeSet,
    lifetime: TimeDelta,
    /// An end that comes before that of the life-time.
    ends: Option<DateTime<Utc>>,
}

/// Issues and verifies access tokens. Immutable: other keys or settings mean another one of these.
#[derive(Debug)]
pub struct Tokens {
    keys: KeySet,
    settings: TokenSettings,
    lifetime: TimeDelta,
    leeway_seconds: i64,
    generation: u64,
}

impl Tokens {
    /// Checks the settings and takes the keys.
    ///
    /// # Errors
    /// When a setting would make tokens that are anybody's, or that live too long.
    pub fn new(keys: KeySet, settings: TokenSettings) -> Result<Self, SettingsError> {
        /// Tells one set of keys from the next within this process.
        static GENERATIONS: AtomicU64 = AtomicU64::new(0);

        if settings.issuer.is_empty() {
            return Err(SettingsError::NoIssuer);
        }
        if settings.audience.is_empty() {
            return Err(SettingsError::NoAudience);
        }
        let whole_seconds = Duration::from_secs(settings.access_lifetime.as_secs());
        if whole_seconds.is_zero() || whole_seconds > MAX_LIFETIME {
            return Err(SettingsError::Lifetime);
        }
        if settings.leeway > MAX_LEEWAY {
            return Err(SettingsError::Leeway);
        }
        let lifetime = TimeDelta::from_std(whole_seconds).or(Err(SettingsError::Lifetime))?;
        let leeway_seconds = i64::try_from(settings.leeway.as_secs()).or(Err(SettingsError::Leeway))?;
        let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed);
        Ok(Self { keys, settings, lifetime, leeway_seconds, generation })
    }

    /// What the tokens say and must say.
    #[must_use]
    pub const fn settings(&self) -> &TokenSettings {
        &self.settings
    }

    /// The keys, for publishing them.
    #[must_use]
    pub const fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Makes an access token for a user who has just proven who it is.
    ///
    /// # Errors
    /// Only a defect: of the clock or of the cryptographic library.
    pub fn issue_user(&self, user: &UserToken<'_>) -> Result<Issued, IssueError> {
        self.issue_user_at(user, clock::now())
    }

    /// [`Tokens::issue_user`] at a given time.
    ///
    /// # Errors
    /// As there.
    pub fn issue_user_at(&self, user: &UserToken<'_>, now: DateTime<Utc>) -> Result<Issued, IssueError> {
        let scopes = user.role.scopes();
        let frame = Frame {
            tenant: user.tenant,
            tenant_slug: user.tenant_slug,
            tenant_version: user.tenant_version,
            token_version: user.token_version,
            id: rand::random(),
            sub: user.user.uuid(),
            client_id: FIRST_PARTY,
            token_type: claims::ACCESS,
            roles: &[user.role.as_str()],
            scopes: &scopes,
            lifetime: self.lifetime,
            ends: None,
        };
        let subject = Subject::User {
            user_id: user.user.uuid(),
            username: user.username,
            email: user.email,
            sid: user.session,
        };
        self.issue(&frame, subject, now)
    }

    /// Makes an access token for a client that has just proven who it is.
    ///
    /// # Errors
    /// Only a defect: of the clock or of the cryptographic library.
    pub fn issue_client(&self, client: &ClientToken<'_>) -> Result<Issued, IssueError> {
        let frame = Frame {
            tenant: client.tenant,
            tenant_slug: client.tenant_slug,
            tenant_version: client.tenant_version,
            token_version: client.token_version,
            id: rand::random(),
            sub: client.client.uuid(),
            client_id: client.identifier,
            token_type: claims::ACCESS,
            roles: client.roles,
            scopes: client.scopes,
            lifetime: self.lifetime,
            ends: client.ends,
        };
        let subject = Subject::Client {
            client_type: claims::SERVICE_ACCOUNT,
            secret_id: client.secret.id,
            secret_ends: client.secret.ends,
            sid: client.session,
            allowed_ips: client.allowed_ips,
            rate_limit: client.rate_limit,
        };
        self.issue(&frame, subject, clock::now())
    }

    /// Makes a token for a service.
    ///
    /// # Errors
    /// The life-time is none that is allowed; otherwise only a defect.
    pub fn issue_service(&self, service: &ServiceToken<'_>) -> Result<Issued, IssueError> {
        let lifetime = Duration::from_secs(service.lifetime.as_secs());
        if lifetime.is_zero() || lifetime > MAX_LIFETIME {
            return Err(IssueError::OutOfRange);
        }
        let frame = Frame {
            tenant: service.tenant,
            tenant_slug: service.tenant_slug,
            tenant_version: service.tenant_version,
            token_version: 0,
            id: service.id.as_u128(),
            sub: service.id,
            client_id: service.service,
            token_type: claims::SERVICE,
            roles: &[],
            scopes: service.scopes,
            lifetime: TimeDelta::from_std(lifetime).or(Err(IssueError::OutOfRange))?,
            ends: None,
        };
        let subject = Subject::Service { client_type: claims::SERVICE, service: service.service };
        self.issue(&frame, subject, clock::now())
    }

    fn issue(
        &self,
        frame: &Frame<'_>,
        subject: Subject<'_>,
        now: DateTime<Utc>,
    ) -> Result<Issued, IssueError> {
        let issued_at = now.trunc_subsecs(0);
        let expires_at = issued_at.checked_add_signed(frame.lifetime).ok_or(IssueError::OutOfRange)?;
        let expires_at = frame.ends.map_or(expires_at, |ends| expires_at.min(ends.trunc_subsecs(0)));
        let scopes = frame.scopes.words();
        let claims = AccessClaims {
            iss: &self.settings.issuer,
            aud: &self.settings.audience,
            exp: expires_at.timestamp(),
            iat: issued_at.timestamp(),
            nbf: issued_at.timestamp(),
            jti: format!("{:032x}", frame.id),
            sub: frame.sub,
            client_id: frame.client_id,
            tenant: frame.tenant,
            tenant_id: frame.tenant,
            tenant_slug: frame.tenant_slug,
            roles: frame.roles,
            scope: scopes.join(" "),
            scopes: &scopes,
            token_type: frame.token_type,
            token_version: frame.token_version,
            tenant_version: frame.tenant_version,
            subject,
        };
        let token = SecretString::from(compact::write(self.keys.current(), &claims)?);
        Ok(Issued { token, issued_at, expires_at })
    }

    /// Verifies a presented token: its form, its key, its signature, its claims.
    ///
    /// # Errors
    /// The first reason to refuse it.
    pub fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        self.verify_at(token, clock::now())
    }

    /// [`Tokens::verify`] at a given time.
    ///
    /// # Errors
    /// As there.
    pub fn verify_at(&self, token: &str, now: DateTime<Utc>) -> Result<Verified, TokenError> {
        let (members, key) = compact::read(&self.keys, token)?;
        let demands = Demands {
            issuer: &self.settings.issuer,
            audience: &self.settings.audience,
            now: now.timestamp(),
            leeway: self.leeway_seconds,
        };
        let accepted = claims::read(&members, &demands)?;
        Ok(Verified {
            principal: accepted.principal,
            id: accepted.id,
            client_id: accepted.client_id,
            issued_at: accepted.issued_at,
            expires_at: accepted.expires_at,
            kid: key.kid().to_owned(),
            token_version: accepted.token_version,
            tenant_version: accepted.tenant_version,
        })
    }

    /// How long a token can be accepted, leeway included: a service's may live longest.
    #[must_use]
    pub const fn longest_life(&self) -> Duration {
        MAX_LIFETIME.saturating_add(self.settings.leeway)
    }

    /// Whether a token that was verified before has expired since, by the rule of [`Tokens::verify_at`].
    #[must_use]
    pub fn has_expired(&self, verified: &Verified, now: DateTime<Utc>) -> bool {
        claims::has_expired(verified.expires_at, now.timestamp(), self.leeway_seconds)
    }

    /// A number that no other `Tokens` of this process has.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }
}
