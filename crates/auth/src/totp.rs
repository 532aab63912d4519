//! Time-based one-time passwords (RFC 6238) as every authenticator app makes them: SHA-1, six digits, thirty seconds. Where
//! the secret and the last used step are kept, and how often somebody may guess, is not decided here.

use std::fmt;

use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Length of a secret in bytes: that of the hash, as RFC 4226 §4 recommends.
pub const SECRET_LENGTH: usize = 20;
/// Seconds of a step.
const PERIOD: i64 = 30;
/// Digits of a code.
const DIGITS: usize = 6;
/// One step either side of the present one is accepted: for clocks that differ, and for the time that typing takes
/// (RFC 6238 §5.2).
const TOLERANCE: i64 = 1;

/// RFC 4648 §6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What an authenticator app and the server share.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; SECRET_LENGTH]>);

impl TotpSecret {
    /// Makes a secret of 160 random bits.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0_u8; SECRET_LENGTH]);
        // The thread's generator is cryptographically secure and seeded by the operating system.
        rand::fill(bytes.as_mut_slice());
        Self(bytes)
    }

    /// Reads a secret that was stored; `None` when it has another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// The bytes to store, sealed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; SECRET_LENGTH] {
        &self.0
    }

    /// The secret in base32, for people whose app cannot scan.
    #[must_use]
    pub fn base32(&self) -> SecretString {
        // 20 bytes are 32 digits exactly, so there is no padding.
        let mut text = String::with_capacity(SECRET_LENGTH * 8 / 5);
        let (mut pending, mut bits) = (0_u32, 0_u32);
        for byte in self.0.iter() {
            pending = (pending << 8 | u32::from(*byte)) & 0xffff;
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                text.extend(base32_digit(pending >> bits));
            }
        }
        SecretString::from(text)
    }

    /// The `otpauth://` URI that an app takes from a QR code. `issuer` and `account` are what the app shows.
    #[must_use]
    pub fn uri(&self, issuer: &str, account: &str) -> SecretString {
        let (issuer, account) = (percent_encode(issuer), percent_encode(account));
        let secret = self.base32();
        let secret = secrecy::ExposeSecret::expose_secret(&secret);
        SecretString::from(format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
        ))
    }

    /// Checks a code that somebody typed, with or without blanks. The step to store when it is right: every later code
    /// must be of a later step, so that nobody who looked on can use the code again (RFC 6238 §5.2).
    #[must_use]
    pub fn verify(&self, code: &str, now: DateTime<Utc>, last_used_step: Option<i64>) -> Option<i64> {
        let given = digits(code)?;
        let present = now.timestamp().div_euclid(PERIOD);
        // All steps are tried, whichever it is. Should two have the same code, the later one uses up both.
        let mut found = None;
        for step in present - TOLERANCE..=present + TOLERANCE {
            let is_right = bool::from(self.code(step).as_slice().ct_eq(given.as_slice()));
            if is_right && last_used_step.is_none_or(|last| step > last) {
                found = Some(step);
            }
        }
        found
    }

    /// The code of one step (RFC 4226 §5.3).
    fn code(&self, step: i64) -> Zeroizing<[u8; DIGITS]> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.as_slice());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = tag.last().map_or(0, |last| usize::from(last & 0xf));
        let four = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied();
        let mut number = u32::from_be_bytes(four.unwrap_or_default()) & 0x7fff_ffff;
        let mut code = Zeroizing::new([b'0'; DIGITS]);
        for digit in code.iter_mut().rev() {
            *digit = u8::try_from(number % 10).map_or(b'0', |value| b'0' + value);
            number /= 10;
        }
        code
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

/// The digits of a code, when it is six digits and otherwise only spaces.
fn digits(code: &str) -> Option<Zeroizing<[u8; DIGITS]>> {
    let mut typed = code.bytes().filter(|byte| *byte != b' ');
    let mut digits = Zeroizing::new([0; DIGITS]);
    for slot in digits.iter_mut() {
        *slot = typed.next().filter(u8::is_ascii_digit)?;
    }
    typed.next().is_none().then_some(digits)
}

fn base32_digit(value: u32) -> Option<char> {
    let at = usize::try_from(value & 31).ok()?;
    BASE32.get(at).map(|&byte| char::from(byte))
}

/// Everything but unreserved characters (RFC 3986 §2.3). Apps take `+` for a plus sign, so a blank is `%20`.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use secrecy::ExposeSecret as _;

    use super::TotpSecret;

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret().verify(code, at(seconds), None), Some(seconds / 30), "{seconds}");
            let wrong = code.replace(&code[5..], "X");
            assert_eq!(secret().verify(&wrong, at(seconds), None), None);
        }
    }

    #[test]
    fn a_code_is_good_for_its_own_step_and_one_on_either_side() {
        let step = 1_111_111_109 / 30;
        for (steps_off, expected) in
            [(-2, None), (-1, Some(step)), (0, Some(step)), (1, Some(step)), (2, None)]
        {
            assert_eq!(secret().verify("081804", at((step + steps_off) * 30), None), expected, "{steps_off}");
            assert_eq!(secret().verify("081804", at((step + steps_off) * 30 + 29), None), expected);
        }
    }

    #[test]
    fn a_code_is_used_up_together_with_all_before_it() {
        let step = 1_111_111_109 / 30;
        let verify = |last| secret().verify("081804", at(step * 30), last);
        assert_eq!(verify(Some(step - 1)), Some(step));
        assert_eq!(verify(Some(step)), None);
        assert_eq!(verify(Some(step + 1)), None);
    }

    #[test]
    fn a_code_is_six_digits_and_spaces_between_them_do_not_count() {
        let verify = |code: &str| secret().verify(code, at(1_111_111_109), None).is_some();
        for good in ["081804", "081 804", " 0 8 1 8 0 4 "] {
            assert!(verify(good), "{good:?}");
        }
        for bad in
            ["", " ", "81804", "0818040", "0081804", "081-804", "081804\n", "٠٨١٨٠٤", "+81804", "081804\0"]
        {
            assert!(!verify(bad), "{bad:?}");
        }
    }

    #[test]
    fn the_secret_is_160_random_bits_in_base32_and_shows_nothing() {
        assert_eq!(secret().base32().expose_secret(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let ends = TotpSecret::from_bytes(&[0xff; 20]).unwrap();
        assert_eq!(ends.base32().expose_secret(), "7".repeat(32));
        assert_ne!(TotpSecret::generate().as_bytes(), TotpSecret::generate().as_bytes());
        assert!(TotpSecret::from_bytes(&[0; 19]).is_none() && TotpSecret::from_bytes(&[0; 21]).is_none());
        assert_eq!(format!("{:?}", secret()), "TotpSecret(..)");
    }

    #[test]
    fn the_uri_names_issuer_and_account_however_they_are_spelt() {
        let uri = secret().uri("Bulkhead: Öl & Co", "o'neil+x@example.com?secret=A");
        let issuer = "Bulkhead%3A%20%C3%96l%20%26%20Co";
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(
            uri.expose_secret(),
            format!(
                "otpauth://totp/{issuer}:o%27neil%2Bx%40example.com%3Fsecret%3DA\
                 ?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
            )
        );
    }
}
