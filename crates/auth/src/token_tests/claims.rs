//! Attacks with claims, under a right signature: what a stolen or misused key, another service of ours, or a defect
//! of an older version could have signed.

use bulkhead_domain::scope::{Action, Scope};
use serde_json::{Value, json};

use super::{Forge, NOW, now};
use crate::token_error::TokenError;

/// Checks that a claim is refused as malformed with each of these values.
fn malformed(forge: &Forge, claim: &'static str, values: impl IntoIterator<Item = Value>) {
    for value in values {
        let shown = value.to_string();
        assert_eq!(
            forge.with_claim(claim, Some(value)),
            Err(TokenError::MalformedClaim(claim)),
            "{claim}: {shown}"
        );
    }
}

fn not_a_text() -> [Value; 5] {
    [Value::Null, json!(1), json!(true), json!({}), json!([])]
}

#[test]
fn every_claim_that_decides_something_is_required() {
    let forge = Forge::new();
    for claim in [
        "iss",
        "aud",
        "exp",
        "iat",
        "nbf",
        "sub",
        "user_id",
        "tenant",
        "tenant_slug",
        "sid",
        "scopes",
        "token_type",
        "token_version",
        "jti",
    ] {
        assert_eq!(forge.with_claim(claim, None), Err(TokenError::MissingClaim(claim)));
    }
    for claim in ["tenant_id", "client_id", "username", "email", "roles", "scope"] {
        assert_eq!(forge.with_claim(claim, None), Ok(()), "{claim} decides nothing");
    }
}

#[test]
fn tok_7_exp_is_refused_from_the_second_after_the_leeway_on() {
    let forge = Forge::new();
    for expired in [0, NOW - 3600, NOW - 31, NOW - 30] {
        assert_eq!(forge.with_claim("exp", Some(json!(expired))), Err(TokenError::Expired), "{expired}");
    }
    for valid in [NOW - 29, NOW, NOW + 900] {
        assert_eq!(forge.with_claim("exp", Some(json!(valid))), Ok(()), "{valid}");
    }
}

#[test]
fn tok_7_and_8_dates_are_numbers_that_a_calendar_has() {
    let forge = Forge::new();
    for claim in ["exp", "nbf", "iat"] {
        malformed(
            &forge,
            claim,
            [
                json!((NOW + 900).to_string()),
                json!(""),
                json!(-1),
                json!(-0.5),
                json!(1e300),
                json!(u64::MAX),
                json!(i64::MAX),
                json!(253_402_300_800_u64),
                Value::Null,
                json!(true),
                json!([NOW + 900]),
                json!({}),
            ],
        );
    }
}

#[test]
fn a_fraction_of_a_second_is_tolerated_and_cut_off() {
    let forge = Forge::new();
    let moment = |seconds: i64| json!(format!("{seconds}.75").parse::<f64>().unwrap());
    assert_eq!(forge.with_claim("exp", Some(moment(NOW + 900))), Ok(()));
    assert_eq!(forge.with_claim("exp", Some(moment(NOW - 30))), Err(TokenError::Expired));
    assert_eq!(forge.with_claim("nbf", Some(moment(NOW + 30))), Ok(()));
}

#[test]
fn tok_8_a_start_in_the_future_is_refused_beyond_the_leeway() {
    let forge = Forge::new();
    for claim in ["nbf", "iat"] {
        assert_eq!(forge.with_claim(claim, Some(json!(NOW + 31))), Err(TokenError::NotYetValid), "{claim}");
        assert_eq!(forge.with_claim(claim, Some(json!(NOW + 30))), Ok(()), "{claim}");
    }
}

#[test]
fn tok_10_the_issuer_is_one_exact_text() {
    let forge = Forge::new();
    for wrong in ["", "https://issuer.test/", "https://ISSUER.test", "https://other.test"] {
        assert_eq!(forge.with_claim("iss", Some(json!(wrong))), Err(TokenError::WrongIssuer), "{wrong}");
    }
    malformed(&forge, "iss", not_a_text());
    malformed(&forge, "iss", [json!(["https://issuer.test"])]);
}

#[test]
fn tok_11_the_audience_contains_us_and_holds_nothing_but_texts() {
    let forge = Forge::new();
    for right in [json!("multitenant-api"), json!(["other", "multitenant-api"])] {
        assert_eq!(forge.with_claim("aud", Some(right)), Ok(()));
    }
    for wrong in
        [json!(""), json!([]), json!("other"), json!(["other", "MULTITENANT-API"]), json!("multitenant-api ")]
    {
        assert_eq!(forge.with_claim("aud", Some(wrong.clone())), Err(TokenError::WrongAudience), "{wrong}");
    }
    malformed(
        &forge,
        "aud",
        [Value::Null, json!(1), json!({"aud": "multitenant-api"}), json!(["multitenant-api", 1])],
    );
}

#[test]
fn tok_12_ids_are_uuids_in_their_canonical_spelling() {
    let forge = Forge::new();
    for claim in ["tenant", "tenant_id", "sub", "user_id", "sid"] {
        malformed(&forge, claim, not_a_text());
        let id = "0191e4a0-7b5c-7c3e-8f00-0123456789ab";
        malformed(
            &forge,
            claim,
            [
                json!(""),
                json!("acme"),
                json!(id.to_uppercase()),
                json!(id.replace('-', "")),
                json!(format!("{{{id}}}")),
                json!(format!("urn:uuid:{id}")),
                json!(format!("{id} ")),
                json!([id]),
            ],
        );
    }
}

#[test]
fn claims_that_say_the_same_thing_twice_must_agree() {
    let forge = Forge::new();
    let other = json!("0191e4a0-7b5c-7c3e-8f00-0123456789ab");
    for claim in ["tenant_id", "user_id"] {
        assert_eq!(forge.with_claim(claim, Some(other.clone())), Err(TokenError::Contradiction(claim)));
    }
    assert_eq!(forge.with_claim("tenant", Some(other.clone())), Err(TokenError::Contradiction("tenant_id")));
    assert_eq!(forge.with_claim("sub", Some(other)), Err(TokenError::Contradiction("user_id")));
}

#[test]
fn tok_15_only_access_tokens_are_access_tokens() {
    let forge = Forge::new();
    for other in ["refresh", "Access", "", "access "] {
        assert_eq!(
            forge.with_claim("token_type", Some(json!(other))),
            Err(TokenError::NotAccessToken),
            "{other}"
        );
    }
    let service = forge.with_claim("token_type", Some(json!("service")));
    assert_eq!(service, Err(TokenError::UnknownPrincipal), "a person is no service");
    malformed(&forge, "token_type", not_a_text());
}

#[test]
fn tok_16_a_token_of_another_kind_of_principal_is_not_a_users() {
    let forge = Forge::new();
    // A client's token must name its secret, so a user's cannot become one by a word.
    let bent = forge.with_claim("client_type", Some(json!("service_account")));
    assert_eq!(bent, Err(TokenError::MissingClaim("secret_id")));
    for kind in ["", "service", "user"] {
        let bent = forge.with_claim("client_type", Some(json!(kind)));
        assert_eq!(bent, Err(TokenError::UnknownPrincipal), "{kind}");
    }
    malformed(&forge, "client_type", not_a_text());
    malformed(&forge, "jti", [json!(""), json!("x"), json!("A".repeat(32)), json!("0".repeat(33)), json!(1)]);
}

#[test]
fn rights_come_from_the_scopes_claim_and_from_nowhere_else() {
    let mut forge = Forge::new();
    forge.claims.insert("scopes".to_owned(), json!(["read:tasks", "no scope", ""]));
    forge.claims.insert("scope".to_owned(), json!("tenant:admin write:tasks"));
    forge.claims.insert("roles".to_owned(), json!(["owner"]));
    let scopes = forge.tokens.verify_at(&forge.sign(), now()).unwrap().principal.scopes;
    assert!(scopes.allows(Scope::Resource(Action::Read, "tasks")));
    assert!(!scopes.allows(Scope::Resource(Action::Write, "tasks")));
    assert!(!scopes.allows(Scope::TenantAdmin));
    malformed(&forge, "scopes", [Value::Null, json!("read:tasks"), json!({}), json!(["read:tasks", 1])]);
    assert_eq!(forge.with_claim("scopes", Some(json!([]))), Ok(()), "a principal that may do nothing");
}

#[test]
fn the_epoch_is_a_whole_number_that_is_not_negative() {
    let forge = Forge::new();
    malformed(
        &forge,
        "token_version",
        [Value::Null, json!("7"), json!(-1), json!(7.5), json!(u64::MAX), json!([7])],
    );
    assert_eq!(forge.with_claim("token_version", Some(json!(0))), Ok(()));
}
