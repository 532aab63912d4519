//! What a new password must be like. Only ever asked when a password is chosen: one that was accepted before is
//! verified whatever the policy says today.

use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// Longest accepted password in bytes of UTF-8, as sent: 256 characters of any script (NIST SP 800-63B asks for at
/// least 64), and nothing that would make hashing dearer.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Shortest new password in characters, unless the operator asks for more.
pub const DEFAULT_MIN_LENGTH: usize = 12;

/// Why a password cannot be hashed at all, whether it is being chosen or presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusablePassword {
    /// Longer than [`MAX_PASSWORD_BYTES`].
    #[error("the password is longer than {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// Contains U+0000, at which other software would cut it off.
    #[error("the password contains a NUL character")]
    ContainsNul,
}

/// Why a new password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordWeakness {
    /// Fewer characters than asked.
    #[error("the password is shorter than {min_length} characters")]
    TooShort {
        /// How many characters it needs.
        min_length: usize,
    },
    /// It is a word that stands beside it: the username, the tenant, the product. Or that word over and over.
    #[error("the password is a name that anybody could guess")]
    ContextWord,
    /// It cannot be hashed.
    #[error(transparent)]
    Unusable(#[from] UnusablePassword),
}

/// Checks a password that somebody chooses.
///
/// `min_length` is in characters (code points after NFC). `context` holds words that it must not be, in whatever
/// case. There are no composition rules, as NIST SP 800-63B §3.1.1.2 demands.
///
/// # Errors
/// The first weakness found.
pub fn check_new_password(
    password: &str,
    min_length: usize,
    context: &[&str],
) -> Result<(), PasswordWeakness> {
    let normal = normalise(password)?;
    if normal.expose_secret().chars().count() < min_length {
        return Err(PasswordWeakness::TooShort { min_length });
    }
    let folded = SecretString::from(normal.expose_secret().to_lowercase());
    if context.iter().any(|word| repeats(folded.expose_secret(), &fold(word))) {
        return Err(PasswordWeakness::ContextWord);
    }
    Ok(())
}

/// The form in which a password is hashed: NFC, and otherwise exactly what was sent.
///
/// Keyboards of different systems write `é` as one code point or as two; to the person it is the same password
/// (NIST SP 800-63B §3.1.1.2 asks for NFKC or NFC; NFC loses nothing). Nothing is trimmed, folded or cut off.
///
/// # Errors
/// When it cannot be hashed. The bounds hold for what was sent, before any work is done on it.
pub fn normalise(password: &str) -> Result<SecretString, UnusablePassword> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(UnusablePassword::TooLong);
    }
    if password.contains('\0') {
        return Err(UnusablePassword::ContainsNul);
    }
    if is_nfc(password) {
        return Ok(SecretString::from(password));
    }
    // NFC is at most three times as long (UAX #15 §11): with room for that, no copy is left behind by growing.
    let mut normal = String::with_capacity(password.len() * 3);
    normal.extend(password.nfc());
    Ok(SecretString::from(normal))
}

fn fold(word: &str) -> String {
    word.nfc().collect::<String>().to_lowercase()
}

/// Whether `text` is `word`, once or several times over.
fn repeats(text: &str, word: &str) -> bool {
    !word.is_empty()
        && !text.is_empty()
        && text.as_bytes().chunks(word.len()).all(|part| part == word.as_bytes())
}

#[cfg(test)]
mod tests {
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
        assert_eq!(check("            "), Ok(()), "no composition rules");
        assert_eq!(
            check(&"e\u{301}".repeat(11)),
            Err(PasswordWeakness::TooShort { min_length: 12 }),
            "NFC first"
        );
        assert_eq!(check_new_password("short", 5, &[]), Ok(()));
    }

    #[test]
    fn two_hundred_and_fifty_six_characters_of_any_kind_fit_and_more_than_1024_bytes_do_not() {
        assert_eq!(check(&"🦀".repeat(256)), Ok(()));
        assert_eq!(check(&"a".repeat(1025)), Err(UnusablePassword::TooLong.into()));
        assert_eq!(check("with a \0 in it"), Err(UnusablePassword::ContainsNul.into()));
    }

    #[test]
    fn a_word_of_the_context_is_no_password_in_any_case_or_number() {
        assert_eq!(check("acme_user@example.COM"), Err(PasswordWeakness::ContextWord));
        assert_eq!(check("AcmeAcmeAcme"), Err(PasswordWeakness::ContextWord));
        assert_eq!(check("acme acme acme"), Ok(()), "only the word itself");
        assert_eq!(check_new_password("anything", 1, &[""]), Ok(()), "an empty word forbids nothing");
    }

    #[test]
    fn composed_and_decomposed_forms_are_one_password_and_nothing_else_is_touched() {
        let of = |text: &str| normalise(text).unwrap().expose_secret().to_owned();
        assert_eq!(of("cafe\u{301}"), of("caf\u{e9}"));
        for distinct in [" padded ", "Case", "case", "ﬁ", "fi", "Ⅳ"] {
            assert_eq!(of(distinct), distinct);
        }
    }
}
