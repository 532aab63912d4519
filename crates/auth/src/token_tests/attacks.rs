//! Attacks on the form, the header and the signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulkhead_domain::ids::{FamilyId, TenantId};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Forge, now, tokens, user};
use crate::algorithm::SigningAlgorithm;
use crate::compact::base64url;
use crate::keys::tests::{fresh, public_der};
use crate::refresh;
use crate::token_error::TokenError;

#[test]
fn the_control_token_is_accepted_in_both_spellings_of_its_type() {
    for algorithm in SigningAlgorithm::ALL {
        let forge = Forge::with(algorithm);
        assert_eq!(forge.verdict(&forge.sign()), Ok(()));
        assert_eq!(forge.with_header("typ", Some(json!("application/at+jwt"))), Ok(()));
    }
}

#[test]
fn tok_1_no_algorithm_but_the_keys_own_is_taken_with_and_without_a_signature() {
    let forge = Forge::new();
    let bad = ["none", "None", "nOnE", "", "HS256", "ES384", "es256", "ES256 ", "RS256"]
        .map(|alg| Some(json!(alg)));
    for alg in bad.into_iter().chain([None, Some(json!(256)), Some(Value::Null), Some(json!(["ES256"]))]) {
        assert_eq!(forge.with_header("alg", alg.clone()), Err(TokenError::WrongAlgorithm), "{alg:?}");
        let mut forge = Forge::new();
        forge.header.remove("alg");
        forge.header.extend(alg.map(|alg| ("alg".to_owned(), alg)));
        let token = forge.sign();
        let unsigned = &token[..=token.rfind('.').unwrap()];
        assert_eq!(forge.verdict(unsigned), Err(TokenError::WrongAlgorithm));
    }
}

#[test]
fn tok_2_a_public_key_is_no_hmac_secret_in_any_of_its_spellings() {
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa] {
        let mut forge = Forge::with(algorithm);
        let jwk = forge.key().public().public_jwk().unwrap().clone();
        let der = public_der(forge.key());
        let pem =
            format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
        let spellings = [
            pem.clone().into_bytes(),
            pem.trim_end().as_bytes().to_vec(),
            pem.replace('\n', "\r\n").into_bytes(),
            der,
            jwk.to_string().into_bytes(),
        ];
        for secret in spellings {
            for (alg, expected) in
                [("HS256", TokenError::WrongAlgorithm), (algorithm.as_str(), TokenError::BadSignature)]
            {
                forge.header.insert("alg".to_owned(), json!(alg));
                let message = message_of(&forge);
                let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
                let tag = aws_lc_rs::hmac::sign(&key, message.as_bytes());
                assert_eq!(forge.verdict(&format!("{message}.{}", base64url(tag.as_ref()))), Err(expected));
            }
        }
    }
}

fn message_of(forge: &Forge) -> String {
    let token = forge.sign();
    token[..token.rfind('.').unwrap()].to_owned()
}

#[test]
fn tok_3_an_edited_payload_under_the_old_signature_is_refused() {
    let forge = Forge::new();
    let good = forge.sign();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let header = message.split('.').next().unwrap();
    for (claim, value) in [
        ("tenant", json!(TenantId::generate())),
        ("sub", json!(TenantId::generate())),
        ("roles", json!(["owner"])),
        ("scopes", json!(["tenant:admin"])),
        ("exp", json!(4_000_000_000_u64)),
    ] {
        let payload = json!(super::bent(&forge.claims, claim, Some(value))).to_string();
        let token = format!("{header}.{}.{signature}", base64url(payload.as_bytes()));
        assert_eq!(forge.verdict(&token), Err(TokenError::BadSignature), "{claim}");
    }
}

#[test]
fn tok_3_a_bent_signature_is_refused() {
    for algorithm in SigningAlgorithm::ALL {
        let forge = Forge::with(algorithm);
        let message = message_of(&forge);
        let good = forge.key().sign(message.as_bytes()).unwrap();
        let other = forge.key().sign(b"another message").unwrap();
        let mut cases = vec![
            vec![],
            vec![0; good.len()],
            vec![0xff; good.len()],
            other,
            [good.clone(), vec![0]].concat(),
        ];
        cases.push(good[..good.len() - 1].to_vec());
        for bit in [0, 7, good.len() * 4, good.len() * 8 - 1] {
            let mut flipped = good.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            cases.push(flipped);
        }
        for case in cases {
            let token = format!("{message}.{}", base64url(&case));
            assert_eq!(forge.verdict(&token), Err(TokenError::BadSignature), "{algorithm} {case:?}");
        }
    }
}

#[test]
fn tok_4_a_key_that_the_token_brings_along_is_not_looked_at() {
    let mut forge = Forge::new();
    let stranger = fresh(SigningAlgorithm::Es256);
    let url = json!("http://127.0.0.1:9/keys");
    forge.header.insert("jwk".to_owned(), stranger.public().public_jwk().unwrap().clone());
    for (name, value) in [("jku", url.clone()), ("x5u", url), ("x5c", json!(["MIIB"]))] {
        forge.header.insert(name.to_owned(), value);
    }
    assert_eq!(forge.verdict(&forge.sign()), Ok(()), "ignored under our own signature");
    let sign = |forge: &Forge| {
        let message = message_of(forge);
        format!("{message}.{}", base64url(&stranger.sign(message.as_bytes()).unwrap()))
    };
    assert_eq!(forge.verdict(&sign(&forge)), Err(TokenError::BadSignature));
    forge.header.insert("kid".to_owned(), json!(stranger.public().kid()));
    assert_eq!(forge.verdict(&sign(&forge)), Err(TokenError::UnknownKey));
}

#[test]
fn tok_5_a_key_id_is_required_and_only_ever_compared() {
    let forge = Forge::new();
    for kid in
        [None, Some(Value::Null), Some(json!(1)), Some(json!([forge.key().public().kid()])), Some(json!({}))]
    {
        assert_eq!(forge.with_header("kid", kid.clone()), Err(TokenError::NoKeyId), "{kid:?}");
    }
    for kid in
        ["", "unknown", "../../../dev/null", "' OR '1'='1", "http://127.0.0.1/", "a\0b", &"k".repeat(5000)]
    {
        assert_eq!(forge.with_header("kid", Some(json!(kid))), Err(TokenError::UnknownKey), "{kid:.20}");
    }
    assert_eq!(forge.with_header("kid", Some(json!("k".repeat(10_000)))), Err(TokenError::TooLarge));
}

#[test]
fn tok_13_members_that_stand_twice_are_refused_in_header_and_payload() {
    let forge = Forge::new();
    let (header, claims) = (json!(forge.header).to_string(), json!(forge.claims).to_string());
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    for member in [r#""alg":"none""#, r#""kid":"x""#, r#""alg":"ES256""#, r#""\u0061lg":"ES256""#] {
        let token = forge.sign_texts(&twice(&header, member), &claims);
        assert_eq!(forge.verdict(&token), Err(TokenError::BadHeader), "{member}");
    }
    let own_tenant = format!(r#""tenant":{}"#, forge.claims["tenant"]);
    for member in [own_tenant.as_str(), r#""t\u0065nant":"x""#, r#""extra":{"a":1,"a":2}"#, r#""scopes":[]"#]
    {
        let token = forge.sign_texts(&header, &twice(&claims, member));
        assert_eq!(forge.verdict(&token), Err(TokenError::BadPayload), "{member}");
    }
    assert_eq!(forge.verdict(&forge.sign_texts(&header, &twice(&claims, r#""extra":{"a":1}"#))), Ok(()));
}

#[test]
fn tok_14_another_type_or_a_critical_extension_is_refused() {
    let forge = Forge::new();
    let types = ["JWT", "jwt", "rt+jwt", "AT+JWT", "at+jwt ", "", "dpop+jwt"].map(|typ| Some(json!(typ)));
    for typ in types.into_iter().chain([None, Some(Value::Null), Some(json!(["at+jwt"]))]) {
        assert_eq!(forge.with_header("typ", typ.clone()), Err(TokenError::WrongType), "{typ:?}");
    }
    for (name, value) in [
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", Value::Null),
        ("b64", json!(false)),
        ("b64", json!(true)),
    ] {
        assert_eq!(forge.with_header(name, Some(value)), Err(TokenError::UnknownExtension), "{name}");
    }
}

#[test]
fn tok_14_only_the_strict_compact_form_is_read() {
    let forge = Forge::new();
    let good = forge.sign();
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let flattened = json!({"protected": header, "payload": payload, "signature": signature}).to_string();
    for bad in [
        "",
        ".",
        "..",
        "...",
        "abc",
        header,
        &format!("{header}.{payload}"),
        &format!("{good}."),
        &format!("{good}.{signature}"),
        &format!("{header}..{payload}.{signature}.{signature}"),
        &flattened,
        &format!(" {good}"),
        &format!("{good} "),
        &format!("{good}\n"),
        &format!("{good}="),
        &format!("{good}\0"),
        &format!("{header}.{payload}=.{signature}"),
        &format!("{header}.{payload}.+/{}", &signature[2..]),
        &format!("{header}. {payload}.{signature}"),
        &format!("{header}.é{payload}.{signature}"),
    ] {
        let refused = forge.verdict(bad).unwrap_err();
        assert!(matches!(refused, TokenError::Malformed | TokenError::BadHeader), "{bad:?}: {refused}");
    }
    assert_eq!(forge.verdict(&"a".repeat(8193)), Err(TokenError::TooLarge));
    assert_eq!(forge.verdict(&".".repeat(8193)), Err(TokenError::TooLarge));
}

#[test]
fn headers_and_payloads_that_are_no_objects_are_refused() {
    let forge = Forge::new();
    let (header, claims) = (json!(forge.header).to_string(), json!(forge.claims).to_string());
    for bad in ["", "null", "[]", "1", "\"x\"", "{", "{}{}", "\u{feff}{}"] {
        assert_eq!(forge.verdict(&forge.sign_texts(bad, &claims)), Err(TokenError::BadHeader), "{bad}");
        assert_eq!(forge.verdict(&forge.sign_texts(&header, bad)), Err(TokenError::BadPayload), "{bad}");
    }
}

#[test]
fn tok_15_other_secrets_of_ours_are_no_access_tokens_and_access_tokens_are_no_refresh_tokens() {
    let tokens = tokens(SigningAlgorithm::Es256);
    let refresh_token = refresh::generate(TenantId::generate(), FamilyId::generate()).plain;
    assert_eq!(tokens.verify_at(refresh_token.expose_secret(), now()).unwrap_err(), TokenError::Malformed);
    let access = tokens.issue_user_at(&user(), now()).unwrap().token;
    assert!(refresh::RefreshToken::parse(access.expose_secret()).is_none());
}
