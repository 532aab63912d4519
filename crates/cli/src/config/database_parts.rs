//! A database URL put together from the parts that older systems keep in separate variables (`DB_HOST`, ...).

use std::fmt::Write as _;

use super::aliases::{Unused, unused};
use super::environment::Variables;
use super::layers::Layer;

/// The names of the parts in one older system.
struct Family {
    name: &'static str,
    user: &'static str,
    password: &'static str,
    host: &'static str,
    port: &'static str,
}

/// The families, the one that wins first.
const FAMILIES: [Family; 3] = [
    Family { name: "DB_NAME", user: "DB_USER", password: "DB_PASSWORD", host: "DB_HOST", port: "DB_PORT" },
    Family {
        name: "POSTGRES_DB",
        user: "POSTGRES_USER",
        password: "POSTGRES_PASSWORD",
        host: "POSTGRES_HOST",
        port: "POSTGRES_PORT",
    },
    Family {
        name: "DATABASE_NAME",
        user: "DATABASE_USER",
        password: "DATABASE_PASSWORD",
        host: "DATABASE_HOST",
        port: "DATABASE_PORT",
    },
];

/// What the parts amount to.
pub(crate) struct Parts {
    /// The layer with `database.url`, when there are enough of them.
    pub(crate) layer: Option<Layer>,
    /// The parts that were seen and have no effect.
    pub(crate) unused: Vec<Unused>,
}

impl Family {
    fn variables(&self) -> [&'static str; 5] {
        [self.name, self.user, self.password, self.host, self.port]
    }

    /// A database name and a user are the least that makes a URL; a lone POSTGRES_PASSWORD belongs to something else.
    fn is_whole(&self, variables: &Variables) -> bool {
        [self.name, self.user].iter().all(|part| variables.get(*part).is_some_and(|text| !text.is_empty()))
    }

    fn url(&self, variables: &Variables) -> String {
        let part = |name: &str, otherwise: &str| {
            let text = variables.get(name).map(String::as_str).filter(|text| !text.is_empty());
            percent_encode(text.unwrap_or(otherwise))
        };
        let password = match part(self.password, "") {
            none if none.is_empty() => none,
            password => format!(":{password}"),
        };
        let (user, name) = (part(self.user, ""), part(self.name, ""));
        format!(
            "postgresql://{user}{password}@{}:{}/{name}",
            part(self.host, "localhost"),
            part(self.port, "5432")
        )
    }
}

/// Reads the first whole family. `DATABASE_URL` beats every family, so with it they are all unused.
pub(crate) fn read(variables: &Variables) -> Parts {
    let url_is_set = variables.get("DATABASE_URL").is_some_and(|url| !url.is_empty());
    let chosen = FAMILIES.iter().find(|family| family.is_whole(variables)).filter(|_| !url_is_set);
    let reason = match (url_is_set, chosen) {
        (true, _) => "DATABASE_URL is set and wins".to_owned(),
        (false, Some(winner)) => format!("{} is set and its family wins", winner.name),
        (false, None) => "a database name and a user are both needed to make a URL".to_owned(),
    };
    let others = FAMILIES.iter().filter(|family| chosen.is_none_or(|winner| winner.name != family.name));
    let seen = others.flat_map(Family::variables).filter(|variable| variables.contains_key(*variable));
    let unused = seen.map(|variable| unused(variable, &reason)).collect();
    let layer = chosen.map(|family| {
        let place = format!("environment variables {} ... {}", family.name, family.port);
        Layer::single(place, "database.url", family.url(variables).into())
    });
    Parts { layer, unused }
}

/// RFC 3986 §2.1: everything but the unreserved characters, so that a password may hold `@`, `/` or `%`.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::config::environment::Variables;

    fn set(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn url(variables: &Variables) -> Option<String> {
        let layer = read(variables).layer?;
        layer.values["database"].as_dict()?["url"].as_str().map(str::to_owned)
    }

    #[test]
    fn parts_make_one_url_with_every_odd_character_encoded() {
        let parts =
            set(&[("DB_NAME", "shop"), ("DB_USER", "app"), ("DB_PASSWORD", "p@ss/w%rd"), ("DB_HOST", "db")]);
        assert_eq!(url(&parts).as_deref(), Some("postgresql://app:p%40ss%2Fw%25rd@db:5432/shop"));
    }

    #[test]
    fn a_lone_password_makes_no_url_and_is_listed_as_unused() {
        let read = read(&set(&[("POSTGRES_PASSWORD", "secret-of-a-container")]));
        assert!(read.layer.is_none());
        assert_eq!(read.unused[0].variable, "POSTGRES_PASSWORD");
    }

    #[test]
    fn a_whole_url_beats_its_parts() {
        let both = set(&[("DATABASE_URL", "postgresql:///x"), ("DB_NAME", "shop"), ("DB_USER", "app")]);
        assert_eq!(url(&both), None);
        assert_eq!(read(&both).unused.len(), 2);
    }
}
