//! An authenticator app (RFC 6238): what a person has in the pocket when the server asks for a code.

use aws_lc_rs::hmac;

/// The code of a secret in Base32, so many steps of 30 seconds from now.
#[must_use]
pub fn code(secret: &str, steps_from_now: i64) -> String {
    let step = bulkhead_domain::clock::now().timestamp() / 30 + steps_from_now;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &from_base32(secret));
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn from_base32(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = alphabet.iter().position(|known| *known == letter).expect("a letter of Base32");
        bits = bits << 5 | u32::try_from(value).expect("five bits");
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).expect("eight bits"));
        }
    }
    bytes
}
