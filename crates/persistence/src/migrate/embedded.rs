//! The migrations that this binary holds, compared with those that a database says it has. Talks to no database.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::MigrateError;

/// Directory name and SQL of every migration, oldest first.
pub(super) const MIGRATIONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// How a database stands to this binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// Every migration that this binary knows is applied, and no other.
    UpToDate,
    /// So many migrations are still to be applied.
    Pending(usize),
    /// Migrations are applied that this binary does not know: a newer one was here. By the rule of expand and
    /// contract this binary still works.
    Newer,
}

/// How a database with these migrations applied stands to this binary.
pub(super) fn state_of<'a>(applied: impl Iterator<Item = &'a str>) -> SchemaState {
    let known = |name: &&str| MIGRATIONS.iter().any(|(migration, _)| migration == name);
    let (ours, newer): (Vec<_>, Vec<_>) = applied.partition(known);
    match MIGRATIONS.len().saturating_sub(ours.len()) {
        0 if newer.is_empty() => SchemaState::UpToDate,
        0 => SchemaState::Newer,
        missing => SchemaState::Pending(missing),
    }
}

/// Name and SQL of what is missing from `applied` (names and checksums), oldest first.
pub(super) fn unapplied(
    applied: &[(String, String)],
) -> Result<Vec<(&'static str, &'static str)>, MigrateError> {
    let mut pending = Vec::new();
    for &(name, sql) in MIGRATIONS {
        match applied.iter().find(|(applied, _)| applied == name) {
            None => pending.push((name, sql)),
            Some((_, sum)) if *sum != checksum(sql) => return Err(MigrateError::Changed(name.to_owned())),
            Some(_) => {}
        }
    }
    Ok(pending)
}

/// SHA-256 in hexadecimal.
pub(super) fn checksum(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, SchemaState, checksum, state_of};

    #[test]
    fn migrations_are_embedded_in_order_and_named_by_the_rule() {
        assert!(!MIGRATIONS.is_empty());
        assert!(MIGRATIONS.is_sorted());
        for (name, _) in MIGRATIONS {
            let stamp = name.split_once('_').map(|(stamp, _)| stamp).unwrap();
            assert!(stamp.len() == 17 && stamp.bytes().all(|b| b.is_ascii_digit() || b == b'-'), "{name}");
        }
    }

    #[test]
    fn a_database_is_behind_level_or_ahead() {
        let all = || MIGRATIONS.iter().map(|(name, _)| *name);
        assert_eq!(state_of(all()), SchemaState::UpToDate);
        assert_eq!(state_of(all().skip(1)), SchemaState::Pending(1));
        assert_eq!(state_of(all().chain(["9999-01-01-000000_later"])), SchemaState::Newer);
        assert_eq!(state_of(all().skip(1).chain(["9999-01-01-000000_later"])), SchemaState::Pending(1));
    }

    #[test]
    fn the_checksum_is_sha_256_in_hexadecimal() {
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(checksum(""), of_nothing);
    }
}
