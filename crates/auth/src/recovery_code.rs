//! Recovery codes, for the day when the authenticator app is lost: made together, shown once, and known afterwards by their
//! digests alone. That each is used once only is the database's business.

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::secret::Digest;

/// How many codes a person gets.
pub const COUNT: usize = 10;

/// Characters of a code, without dashes: 80 bits. A fast hash is enough for that many, unlike for passwords.
const LENGTH: usize = 16;
/// Characters between two dashes.
const GROUP: usize = 4;

/// Digits and lower-case letters without `i`, `l`, `o`, which look like digits, and `u` (Crockford's base32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A code to show, once, and what to store of it.
#[derive(Debug)]
pub struct NewRecoveryCode {
    /// The code, in groups: `7k2m-x0pd-94ts-hv6q`.
    pub plain: SecretString,
    /// Its digest.
    pub digest: Digest,
}

/// Makes a person's codes, all different.
#[must_use]
pub fn generate() -> [NewRecoveryCode; COUNT] {
    // 80 random bits do not come twice.
    std::array::from_fn(|_| generate_one())
}

fn generate_one() -> NewRecoveryCode {
    let mut code = Zeroizing::new([0_u8; LENGTH]);
    // The thread's generator is cryptographically secure and seeded by the operating system.
    rand::fill(code.as_mut_slice());
    let mut grouped = String::with_capacity(LENGTH + LENGTH / GROUP);
    for (at, byte) in code.iter_mut().enumerate() {
        // 32 characters: five bits of a byte choose one, each as likely as the others.
        *byte = ALPHABET.get(usize::from(*byte & 31)).copied().unwrap_or(b'0');
        if at > 0 && at % GROUP == 0 {
            grouped.push('-');
        }
        grouped.push(char::from(*byte));
    }
    NewRecoveryCode { plain: SecretString::from(grouped), digest: Digest::of_bytes(code.as_slice()) }
}

/// The digest of a code that somebody typed, to be looked up among the stored ones; `None` when it is not a code. Case,
/// dashes and blanks do not count, and `o`, `i` and `l` are read as the digits that they look like.
#[must_use]
pub fn digest_of(typed: &str) -> Option<Digest> {
    let mut characters =
        typed.bytes().filter(|byte| !b"- ".contains(byte)).map(|byte| match byte.to_ascii_lowercase() {
            b'o' => b'0',
            b'i' | b'l' => b'1',
            other => other,
        });
    let mut code = Zeroizing::new([0_u8; LENGTH]);
    for slot in code.iter_mut() {
        *slot = characters.next().filter(|byte| ALPHABET.contains(byte))?;
    }
    characters.next().is_none().then(|| Digest::of_bytes(code.as_slice()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use secrecy::ExposeSecret as _;

    use super::{COUNT, digest_of, generate};

    #[test]
    fn ten_different_codes_in_groups_that_are_easy_to_read() {
        let codes = generate();
        let texts = codes.iter().map(|code| code.plain.expose_secret()).collect::<BTreeSet<_>>();
        assert_eq!(texts.len(), COUNT);
        for text in texts {
            let groups = text.split('-').collect::<Vec<_>>();
            assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 4), "{text}");
            assert!(!text.contains(['i', 'l', 'o', 'u']), "{text}");
            assert!(!format!("{codes:?}").contains(text));
        }
    }

    #[test]
    fn every_character_comes_about_as_often() {
        let mut counts = [0_u32; 128];
        for code in (0..400).flat_map(|_| generate()) {
            code.plain.expose_secret().bytes().for_each(|byte| counts[usize::from(byte)] += 1);
        }
        // 64,000 characters: 2,000 of each, give or take 44; 300 is seven times that.
        let unlikely = b"0123456789abcdefghjkmnpqrstvwxyz".iter().find(|byte| {
            let count = counts[usize::from(**byte)];
            !(1_700..=2_300).contains(&count)
        });
        assert_eq!(unlikely, None, "{counts:?}");
    }

    #[test]
    fn a_code_is_found_however_it_was_typed() {
        let [code, other, ..] = generate();
        let text = code.plain.expose_secret();
        let misread = text.replace('0', "O").replace('1', "l");
        for typed in [
            text,
            &text.to_uppercase(),
            &text.replace('-', ""),
            &text.replace('-', " "),
            &format!("  {text} "),
            &misread,
            &misread.replace('l', "I"),
        ] {
            assert_eq!(digest_of(typed), Some(code.digest), "{typed}");
        }
        assert_ne!(digest_of(other.plain.expose_secret()), Some(code.digest));
    }

    #[test]
    fn what_is_not_a_code_has_no_digest() {
        let [code, ..] = generate();
        let text = code.plain.expose_secret();
        for bad in [
            "",
            "----",
            &text[1..],
            &format!("{text}0"),
            &text.replace('-', "_"),
            &"u".repeat(16),
            &"é".repeat(8),
        ] {
            assert!(digest_of(bad).is_none(), "{bad}");
        }
    }
}
