//! Which new passwords are taken, and which are not.

use secrecy::ExposeSecret as _;

use super::{DEFAULT_MIN_LENGTH, PasswordWeakness, UnusablePassword, check_new_password, normalise};

const CONTEXT: [&str; 3] = ["Acme_User@Example.com", "acme", "bulkhead"];

fn check(password: &str) -> Result<(), PasswordWeakness> {
    check_new_password(password, DEFAULT_MIN_LENGTH, &CONTEXT)
}

#[test]
fn length_counts_characters_and_any_script_and_spaces_are_welcome() {
    assert_eq!(check("elevenchars"), Err(PasswordWeakness::TooShort { min_length: 12 }));
    assert_eq!(check("twelve chars"), Ok(()));
    assert_eq!(check("żółć żółć żó"), Ok(()));
    assert_eq!(check("only lower case"), Ok(()), "no composition rules");
    assert_eq!(
        check(&"e\u{301}".repeat(11)),
        Err(PasswordWeakness::TooShort { min_length: 12 }),
        "NFC first"
    );
    assert_eq!(check_new_password("q7Jt0", 5, &[]), Ok(()));
}

#[test]
fn two_hundred_and_fifty_six_characters_of_any_kind_fit_and_more_than_1024_bytes_do_not() {
    let crabs = ('\u{1f980}'..).take(256).collect::<String>();
    assert_eq!((crabs.len(), check(&crabs)), (1024, Ok(())));
    assert_eq!(check(&"a".repeat(1025)), Err(UnusablePassword::TooLong.into()));
    assert_eq!(check("with a \0 in it"), Err(UnusablePassword::ContainsNul.into()));
}

#[test]
fn a_word_of_the_context_is_no_password_in_any_case_or_number() {
    assert_eq!(check("acme_user@example.COM"), Err(PasswordWeakness::ContextWord));
    assert_eq!(check("AcmeAcmeAcme"), Err(PasswordWeakness::ContextWord));
    assert_eq!(check("2026: Acme!!!"), Err(PasswordWeakness::ContextWord));
    assert_eq!(check("acme, then acme"), Ok(()), "only the word itself");
    assert_eq!(check_new_password("q7Jt0", 1, &[""]), Ok(()), "an empty word forbids nothing");
}

#[test]
fn the_commonest_passwords_are_refused_however_they_reach_the_length() {
    for common in [
        "password1234",
        "Password123!!!",
        "!!Passw0rd!!2026",
        "PASSWORDPASSWORD",
        "monkeymonkey1",
        "monkey12monkey12",
        "dragon 123456",
        "administrator",
        "trustno1trustno1",
    ] {
        assert_eq!(check(common), Err(PasswordWeakness::Common), "{common}");
    }
}

#[test]
fn what_anybody_could_predict_is_refused() {
    for predictable in [
        "            ",
        "aaaaaaaaaaaa",
        "żżżżżżżżżżżż",
        "xkxkxkxkxkxk",
        "7391739173917391",
        "hahahaha2026",
        "123456789012",
        "abcdefghijkl",
        "ZYXWVUTSRQPO",
        "qwertyuiop12",
        "qwertyqwerty",
        "qwertzuiop.2026",
        "!@#$%^&*()123",
    ] {
        assert_eq!(check(predictable), Err(PasswordWeakness::Predictable), "{predictable}");
    }
}

#[test]
fn honest_passphrases_and_random_passwords_pass() {
    for good in [
        "a passphrase to test",
        "correct horse battery staple",
        "the first passphrase",
        "Tr0ub4dor&3 and more",
        "summer in the city 1966",
        "zielony słoń 12 razy",
        "monkey and dragon",
        "q7Jt0vYxG3mZ",
        "839104726518",
        "aa9182736455",
        "中文密码也可以用的吗好的",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
}

#[test]
fn composed_and_decomposed_forms_are_one_password_and_nothing_else_is_touched() {
    let of = |text: &str| normalise(text).unwrap().expose_secret().to_owned();
    assert_eq!(of("cafe\u{301}"), of("caf\u{e9}"));
    for distinct in [" padded ", "Case", "case", "ﬁ", "fi", "Ⅳ"] {
        assert_eq!(of(distinct), distinct);
    }
}
