//! What a new password must be like. Only ever asked when a password is chosen: one that was accepted before is
//! verified whatever the policy says today.

mod common;
mod pattern;

use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// Longest accepted password in bytes of UTF-8, as sent: 256 characters of any script (NIST SP 800-63B asks for at
/// least 64), and nothing that would make hashing dearer.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Shortest new password in characters, unless the operator asks for more.
pub const DEFAULT_MIN_LENGTH: usize = 12;

/// What is left of a filled-up word is judged from this many characters on.
const SHORTEST_CORE: usize = 4;

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
    /// It is a word that stands beside it: the username, the tenant, the product. Or that word over and over, or filled up.
    #[error("the password is a name that anybody could guess")]
    ContextWord,
    /// It is one of the commonest passwords, perhaps over and over, or filled up with digits and signs.
    #[error("the password is one that many people use, or such a one made longer")]
    Common,
    /// A few characters over and over, or a walk along the keyboard or the alphabet.
    #[error("the password repeats itself, or follows the keyboard or the alphabet")]
    Predictable,
    /// It cannot be hashed.
    #[error(transparent)]
    Unusable(#[from] UnusablePassword),
}

/// Checks a password that somebody chooses.
///
/// `min_length` is in characters (code points after NFC). `context` holds words that it must not be, in whatever
/// case. There are no composition rules, as NIST SP 800-63B §3.1.1.2 demands; the commonest passwords are refused, as it
/// demands too, and what anybody would make of them to reach the length.
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
    let whole = folded.expose_secret();
    let core = core(whole);
    let is_word = |word: &str| !word.is_empty() && (repeats(whole, word) || repeats(core, word));
    if context.iter().any(|word| is_word(&fold(word))) {
        return Err(PasswordWeakness::ContextWord);
    }
    check_text(whole)?;
    check_text(core)
}

/// What is left without the digits, signs and blanks that people fill a word up with.
fn core(text: &str) -> &str {
    let core = text.trim_matches(|character: char| !character.is_alphabetic());
    // Two or three letters among many digits are as good as any others.
    if core.chars().count() < SHORTEST_CORE { "" } else { core }
}

/// Whether it is common or predictable, as it stands or as what it repeats.
fn check_text(text: &str) -> Result<(), PasswordWeakness> {
    let unit = pattern::repeated_unit(text);
    let parts = || [Some(text), unit, unit.map(core)].into_iter().flatten();
    if unit.is_some_and(pattern::is_short) || parts().any(pattern::is_walk) {
        return Err(PasswordWeakness::Predictable);
    }
    if parts().any(common::is_common) {
        return Err(PasswordWeakness::Common);
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
    !text.is_empty() && text.as_bytes().chunks(word.len()).all(|part| part == word.as_bytes())
}

#[cfg(test)]
mod tests;
