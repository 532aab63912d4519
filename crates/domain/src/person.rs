//! How a person is named: user names and e-mail addresses, what is a sound one, and the normal form by which two
//! spellings are the same name. Not what a person may do (`scope`), nor how they prove who they are.

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// The longest user name, in characters, in either form.
pub const USERNAME_MAX: usize = 150;
/// The longest e-mail address, in characters (RFC 5321 §4.5.3.1.3, less the angle brackets).
pub const EMAIL_MAX: usize = 254;

/// Why a name was refused. The text is fit for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing is left after trimming.
    #[error("This field may not be blank.")]
    Blank,
    /// More characters than are stored.
    #[error("Ensure this field has no more than {0} characters.")]
    TooLong(usize),
    /// White space, control or invisible characters, which make two names look alike.
    #[error("This field may not contain spaces or control characters.")]
    Unprintable,
    /// Not `somebody@somewhere`.
    #[error("Enter a valid e-mail address.")]
    NotAnAddress,
}

/// A user name as it was typed, and its normal form. An e-mail address may serve as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    text: String,
    norm: String,
}

impl Username {
    /// Reads a user name: 1 to [`USERNAME_MAX`] characters, none of them white space or a control character.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (text, norm) = printable(text, USERNAME_MAX)?;
        Ok(Self { text, norm })
    }

    /// As typed, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form that is unique in a tenant and that log-in looks up.
    #[must_use]
    pub fn norm(&self) -> &str {
        &self.norm
    }
}

/// An e-mail address as it was typed, and its normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    text: String,
    norm: String,
}

impl Email {
    /// Reads an address: up to [`EMAIL_MAX`] characters, exactly one `@` with something on both sides of it, in the
    /// normal form too. Only a message that arrives proves more.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (text, norm) = printable(text, EMAIL_MAX)?;
        if is_address(&text) && is_address(&norm) {
            Ok(Self { text, norm })
        } else {
            Err(NameError::NotAnAddress)
        }
    }

    /// As typed, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form that is unique in a tenant.
    #[must_use]
    pub fn norm(&self) -> &str {
        &self.norm
    }
}

/// The normal form of a user name or address: trimmed, NFKC (UAX #15) and lower-case.
///
/// Two spellings with one normal form name one person. It is total, so that log-in can look up whatever was typed,
/// and applying it twice changes nothing.
#[must_use]
pub fn normalize_name(text: &str) -> String {
    // Lower-casing can undo composition (İ becomes i and a combining dot), hence the second pass.
    let lower: String = text.trim().nfkc().flat_map(char::to_lowercase).collect();
    lower.nfkc().collect::<String>().trim().to_owned()
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty() && !host.contains('@'))
}

fn printable(text: &str, max: usize) -> Result<(String, String), NameError> {
    let text = text.trim();
    let norm = normalize_name(text);
    if norm.is_empty() {
        return Err(NameError::Blank);
    }
    if text.chars().count() > max || norm.chars().count() > max {
        return Err(NameError::TooLong(max));
    }
    if text.chars().chain(norm.chars()).any(is_unprintable) {
        return Err(NameError::Unprintable);
    }
    Ok((text.to_owned(), norm))
}

/// White space, control characters, and the format characters that show nothing or turn the writing direction
/// (UTS #39 §2): with them two different names look the same.
fn is_unprintable(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    c.is_whitespace() || c.is_control() || invisible
}

#[cfg(test)]
mod tests {
    use super::{Email, NameError, Username, normalize_name};

    #[test]
    fn spellings_of_one_name_share_a_normal_form_and_normalising_twice_changes_nothing() {
        for (one, other) in
            [("Ada", " ada "), ("ＡＤＡ", "ada"), ("Z\u{fc}rich", "ZU\u{308}RICH"), ("ﬁn", "FIN")]
        {
            assert_eq!(normalize_name(one), normalize_name(other), "{one}");
        }
        for text in ["İstanbul", "ẞ", "Å", "ǅ", "ﷺ", "a\u{a0}"] {
            let once = normalize_name(text);
            assert_eq!(normalize_name(&once), once, "{text}");
        }
    }

    #[test]
    fn a_username_may_be_an_address_but_has_no_white_space_and_an_end() {
        for good in ["a", "ada@example.com", "ada.l-o_v+e", "Æð", &"x".repeat(150)] {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", NameError::Blank),
            (" \t", NameError::Blank),
            ("a b", NameError::Unprintable),
            ("a\0b", NameError::Unprintable),
            ("a\u{200b}b", NameError::Unprintable),
            ("\u{202e}abc", NameError::Unprintable),
            (&"x".repeat(151), NameError::TooLong(150)),
            // One character that normalises to eighteen.
            (&"ﷺ".repeat(20), NameError::TooLong(150)),
        ] {
            assert_eq!(Username::parse(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn an_address_has_one_at_sign_with_something_on_both_sides() {
        assert_eq!(Email::parse(" Ada@Example.COM ").unwrap().norm(), "ada@example.com");
        for bad in ["ada", "@example.com", "ada@", "a@b@c", "a＠b@c"] {
            assert_eq!(Email::parse(bad), Err(NameError::NotAnAddress), "{bad}");
        }
    }
}
