//! Paths of the older systems that serve the operations of today. Off unless the operator says so. An alias is another way to
//! the same operations, with the same rights and limits; what they answer is today's.

/// An older path, and the path of today that it stands for.
const ALIASES: [(&str, &str); 9] = [
    ("/auth/login/", "/api/v1/auth/login/"),
    ("/auth/signup/", "/api/v1/auth/register/"),
    ("/auth/logout/", "/api/v1/auth/logout/"),
    ("/auth/refresh/", "/api/v1/auth/token/refresh/"),
    ("/auth/token/refresh/", "/api/v1/auth/token/refresh/"),
    ("/api/register/", "/api/v1/auth/register/"),
    ("/api/token/", "/api/v1/auth/token/"),
    ("/api/token/refresh/", "/api/v1/auth/token/refresh/"),
    ("/api/profile/", "/api/v1/profile/"),
];

/// The older paths that stand for `path`.
pub(crate) fn of(path: &str) -> impl Iterator<Item = &'static str> {
    ALIASES.iter().filter(move |(_, today)| *today == path).map(|(older, _)| *older)
}

#[cfg(test)]
mod tests {
    use super::ALIASES;
    use crate::routes::operations;

    #[test]
    fn every_alias_stands_for_a_path_that_is_served_and_hides_none() {
        let operations = operations();
        let served = |path: &str| operations.iter().any(|operation| operation.path == path);
        for (older, today) in ALIASES {
            assert!(served(today) && !served(older), "{older}: {today}");
        }
    }
}
