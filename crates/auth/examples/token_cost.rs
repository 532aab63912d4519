//! What an access token of a client costs the processor, and how much of that is its signature. `make bench` subtracts it
//! from what the server spends on a token. No database and no network: those are measured with the server.
//!
//! Prints one line for each algorithm: `ES256 TOKEN SIGNATURE`, in microseconds of one core, medians of eleven batches.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use bulkhead_auth::algorithm::SigningAlgorithm;
use bulkhead_auth::key_generation::generate_key;
use bulkhead_auth::keys::SigningKey;
use bulkhead_auth::keyset::KeySet;
use bulkhead_auth::token::{ClientToken, TokenSettings, Tokens};
use bulkhead_domain::ids::{ClientId, SecretId, TenantId};
use bulkhead_domain::principal::SecretUse;
use bulkhead_domain::scope::ScopeSet;
use secrecy::ExposeSecret as _;

type Outcome<T> = Result<T, Box<dyn Error>>;

const BATCHES: usize = 11;
/// Linux adds to a thread's time every few milliseconds, so a batch must take much longer than that.
const CALLS: u32 = 20_000;

fn main() -> Outcome<()> {
    let mut lines = String::new();
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Hs256] {
        let (token, signed) = token_cost(algorithm)?;
        let signature = signature_cost(algorithm, signed)?;
        lines.push_str(&format!("{algorithm} {token:.1} {signature:.1}\n"));
    }
    Ok(io::stdout().write_all(lines.as_bytes())?)
}

/// The cost of a whole token, and the length of what is signed in it.
fn token_cost(algorithm: SigningAlgorithm) -> Outcome<(f64, usize)> {
    let tokens = Tokens::new(
        KeySet::new(SigningKey::load(algorithm, &generate_key(algorithm)?)?, Vec::new()),
        TokenSettings {
            issuer: "http://127.0.0.1:18080".to_owned(),
            audience: "multitenant-api".to_owned(),
            access_lifetime: Duration::from_secs(900),
            leeway: Duration::from_secs(30),
        },
    )?;
    let scopes = ScopeSet::parse(["read:*", "write:*", "delete:*"]);
    let client = ClientToken {
        tenant: TenantId::generate(),
        tenant_slug: "bench-1000",
        client: ClientId::generate(),
        identifier: "client_0193000000007000800000000000100000007000800200000000100",
        roles: &["write"],
        scopes: &scopes,
        secret: SecretUse { id: SecretId::generate(), ends: None },
        session: None,
        allowed_ips: &[],
        rate_limit: None,
        ends: None,
        token_version: 0,
        tenant_version: 0,
    };
    let issued = tokens.issue_client(&client)?;
    let signed = issued.token.expose_secret().rfind('.').unwrap_or_default();
    let cost = median(|| tokens.issue_client(&client).map(drop).map_err(Into::into))?;
    Ok((cost, signed))
}

/// The cost of the signature alone, of a text of `length` bytes, by the library itself.
fn signature_cost(algorithm: SigningAlgorithm, length: usize) -> Outcome<f64> {
    let text = vec![b'a'; length];
    if algorithm == SigningAlgorithm::Hs256 {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        return median(|| {
            black_box(hmac::sign(&key, black_box(&text)));
            Ok(())
        });
    }
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref())?;
    median(|| {
        black_box(key.sign(&random, black_box(&text))?);
        Ok(())
    })
}

/// Microseconds of a call: the median of several batches.
fn median(mut call: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let mut costs = Vec::new();
    for _ in 0..BATCHES {
        let before = Clock::now();
        for _ in 0..CALLS {
            call()?;
        }
        costs.push(before.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS));
    }
    costs.sort_by(f64::total_cmp);
    Ok(costs.get(BATCHES / 2).copied().unwrap_or_default())
}

/// The time that this thread has been on a core, where the system tells (Linux): another program that wants the core
/// does not count then. Elsewhere the time that has passed.
enum Clock {
    OnCore(Duration),
    Passed(Instant),
}

impl Clock {
    fn now() -> Self {
        on_core().map_or_else(|| Self::Passed(Instant::now()), Self::OnCore)
    }

    fn elapsed(&self) -> Duration {
        match self {
            Self::OnCore(before) => on_core().unwrap_or_default().saturating_sub(*before),
            Self::Passed(before) => before.elapsed(),
        }
    }
}

fn on_core() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
