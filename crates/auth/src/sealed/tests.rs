//! What sealing promises: nothing opens but what was sealed, for whom it was sealed, with a key that is still there.

use bulkhead_domain::ids::{TenantId, UserId};
use secrecy::ExposeSecret as _;

use super::{OVERHEAD, SealingKeyError, SealingKeys, context, generate_key};

const ONE: &str = "z1zI8JpGm0Ye5cVnTq3bLr9xKd7WfAh2uSoE4vQyXkM=";
const TWO: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn keys(lines: &[&str]) -> SealingKeys {
    SealingKeys::parse(&lines.join("\n")).unwrap()
}

#[test]
fn what_was_sealed_opens_in_its_own_context_only() {
    let keys = keys(&[ONE]);
    let (tenant, user) = (TenantId::generate(), UserId::generate());
    let mine = context("totp", tenant, user);
    let sealed = keys.seal(b"a small secret", &mine).unwrap();
    assert_eq!(sealed.len(), 14 + OVERHEAD);
    assert_eq!(keys.open(&sealed, &mine).unwrap().as_slice(), b"a small secret");
    for other in [
        context("totp", tenant, UserId::generate()),
        context("totp", TenantId::generate(), user),
        context("challenge", tenant, user),
        Vec::new(),
    ] {
        assert!(keys.open(&sealed, &other).is_none());
    }
    assert!(keys.open(&keys.seal(b"", b"").unwrap(), b"").unwrap().is_empty());
}

#[test]
fn nothing_is_sealed_twice_alike_and_the_plain_text_does_not_show() {
    let keys = keys(&[ONE]);
    let (one, two) = (keys.seal(b"plaintext", b"").unwrap(), keys.seal(b"plaintext", b"").unwrap());
    assert_ne!(one, two);
    assert!(!one.windows(9).any(|part| part == b"plaintext"));
    assert_eq!(format!("{keys:?}"), "SealingKeys(..)");
}

#[test]
fn no_bit_can_be_changed_and_nothing_cut_off_or_added() {
    let keys = keys(&[ONE, TWO]);
    let sealed = keys.seal(b"secret", b"context").unwrap();
    for at in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[at / 8] ^= 1 << (at % 8);
        assert!(keys.open(&changed, b"context").is_none(), "bit {at}");
    }
    for length in 0..sealed.len() {
        assert!(keys.open(&sealed[..length], b"context").is_none(), "{length} bytes");
    }
    assert!(keys.open(&[sealed.as_slice(), b"x"].concat(), b"context").is_none());
}

#[test]
fn keys_rotate_the_first_seals_and_every_one_opens() {
    let sealed = keys(&[ONE]).seal(b"old", b"").unwrap();
    let rotated = keys(&[TWO, ONE]);
    assert_eq!(rotated.open(&sealed, b"").unwrap().as_slice(), b"old");
    assert!(rotated.is_outdated(&sealed));
    let renewed = rotated.seal(b"old", b"").unwrap();
    assert!(!rotated.is_outdated(&renewed));
    let without_the_old = keys(&[TWO]);
    assert!(without_the_old.open(&sealed, b"").is_none());
    assert_eq!(without_the_old.open(&renewed, b"").unwrap().as_slice(), b"old");
}

#[test]
fn a_key_may_be_spelt_in_base64_of_either_alphabet_and_in_hexadecimal() {
    let sealed = keys(&[ONE]).seal(b"x", b"").unwrap();
    let unpadded = ONE.trim_end_matches('=');
    let hexadecimal = "cf5cc8f09a469b461ee5c5674eaddb2ebf7129ded67c0876b92a04e2f4325e43";
    for same in
        [unpadded, hexadecimal, "\n# made in May\n  z1zI8JpGm0Ye5cVnTq3bLr9xKd7WfAh2uSoE4vQyXkM= \r\n"]
    {
        assert!(keys(&[same]).open(&sealed, b"").is_some(), "{same}");
    }
    keys(&[ONE, &TWO.to_uppercase()]);
    let (standard, url_safe) =
        ("+/zI8JpGm0Ye5cVnTq3bLr9xKd7WfAh2uSoE4vQyXkM=", "-_zI8JpGm0Ye5cVnTq3bLr9xKd7WfAh2uSoE4vQyXkM=");
    let sealed = keys(&[standard]).seal(b"x", b"").unwrap();
    assert!(keys(&[url_safe]).open(&sealed, b"").is_some());
}

#[test]
fn unfit_keys_are_refused_with_their_line_and_never_shown() {
    let phrase = "dGhpcy1pcy1hLTMyLWJ5dGUtbG9uZy1wYXNzcGhyYXM=";
    let malformed = |line| SealingKeyError::Malformed { line };
    for (text, why) in [
        ("", SealingKeyError::None),
        ("# nothing\n\n", SealingKeyError::None),
        ("secret", malformed(1)),
        (&ONE[1..], malformed(1)),
        (&format!("{ONE}{ONE}"), malformed(1)),
        (&TWO[1..], malformed(1)),
        (&TWO.replace("9f", "+f"), malformed(1)),
        (&format!("{ONE}\n{}", &TWO[2..]), malformed(2)),
        (&"é".repeat(32), malformed(1)),
        (&"00".repeat(32), SealingKeyError::NotRandom { line: 1 }),
        (&"0123456789abcdef".repeat(4), SealingKeyError::NotRandom { line: 1 }),
        (phrase, SealingKeyError::NotRandom { line: 1 }),
        (&format!("{ONE}\n{TWO}\n{ONE}"), SealingKeyError::Repeated { line: 3 }),
    ] {
        let error = SealingKeys::parse(text).unwrap_err();
        assert_eq!(error, why, "{text}");
        assert!(!error.to_string().contains("z1zI8"));
    }
}

#[test]
fn a_key_that_we_make_is_one_that_we_take() {
    let (one, two) = (generate_key(), generate_key());
    assert_ne!(one.expose_secret(), two.expose_secret());
    assert_eq!(one.expose_secret().len(), 44);
    keys(&[one.expose_secret(), two.expose_secret()]);
}
