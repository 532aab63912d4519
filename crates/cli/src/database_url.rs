//! The parts of a database URL that `bootstrap` needs: which role, with which password, in which database. Connecting
//! reads URLs by itself.

use secrecy::{ExposeSecret as _, SecretString};

/// What a URL says. Absent parts are left to PostgreSQL's defaults.
#[derive(Debug, Default)]
pub(crate) struct UrlParts {
    /// The role.
    pub(crate) user: Option<String>,
    /// Its password.
    pub(crate) password: Option<SecretString>,
    /// The database.
    pub(crate) database: Option<String>,
}

impl UrlParts {
    /// Reads the parts; parameters (`?user=`) beat the places before them, as in libpq.
    pub(crate) fn of(url: &SecretString) -> Self {
        let text = url.expose_secret();
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = address.split_once('/').unwrap_or((address, ""));
        let credentials = authority.rsplit_once('@').map_or("", |(credentials, _)| credentials);
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let parameter = |wanted: &str| {
            let pairs = parameters.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value).next_back()
        };
        let part = |name: &str, otherwise: &str| {
            let text = percent_decode(parameter(name).unwrap_or(otherwise));
            (!text.is_empty()).then_some(text)
        };
        Self {
            user: part("user", user),
            password: part("password", password).map(SecretString::from),
            database: part("dbname", database),
        }
    }
}

/// RFC 3986 §2.1. What is not a well-formed escape stands for itself.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let escaped =
            digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match escaped.filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::UrlParts;

    fn parts(url: &str) -> (Option<String>, Option<String>, Option<String>) {
        let parts = UrlParts::of(&url.into());
        (parts.user, parts.password.map(|password| password.expose_secret().to_owned()), parts.database)
    }

    #[test]
    fn user_password_and_database_are_read_from_either_form() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parts("postgresql://a:p%40s%2Fs@db:5432/x"), (some("a"), some("p@s/s"), some("x")));
        assert_eq!(parts("postgresql:///x?user=a&host=%2Ftmp"), (some("a"), None, some("x")));
        assert_eq!(parts("postgresql://db"), (None, None, None));
        assert_eq!(parts("postgres://a:100%@db/x").1, some("100%"));
    }
}
