//! Where PostgreSQL's programs are on this machine. Looks, and starts nothing but `--version` and `pg_config`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::DevClusterError;

/// The oldest version that the migrations are written for.
const OLDEST: u32 = 13;

/// What a cluster needs. Client-only installations have none of the three.
const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Folders with one sub-folder, or one name, for each version: the part before and the part after the version.
const VERSIONED: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr/libexec", ""),
    ("/usr", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
];

/// A complete set of programs.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    /// The folder they are in.
    pub(super) folder: PathBuf,
    /// Their major version.
    pub(super) major: u32,
}

impl Binaries {
    /// The path of one program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn in_folder(folder: PathBuf) -> Option<Self> {
        if !PROGRAMS.iter().all(|program| folder.join(program).is_file()) {
            return None;
        }
        let major = major_of(&output(&folder.join("postgres"), "--version")?)?;
        (major >= OLDEST).then_some(Self { folder, major })
    }
}

/// Finds the programs: PATH first, then the distributions' places, newest first.
///
/// `wanted` is the version that made the existing data, `for_folder`; only that one can read it.
///
/// # Errors
/// [`DevClusterError::NotInstalled`] or [`DevClusterError::OtherVersion`].
pub(super) fn find(wanted: Option<u32>, for_folder: &Path) -> Result<Binaries, DevClusterError> {
    let mut found = candidates().into_iter().filter_map(Binaries::in_folder).peekable();
    if found.peek().is_none() {
        return Err(DevClusterError::NotInstalled);
    }
    let Some(wanted) = wanted else { return found.next().ok_or(DevClusterError::NotInstalled) };
    let other = || DevClusterError::OtherVersion { folder: for_folder.to_path_buf(), wanted };
    found.find(|binaries| binaries.major == wanted).ok_or_else(other)
}

fn candidates() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect::<Vec<_>>();
    let mut usual =
        VERSIONED.iter().flat_map(|(parent, below)| versions_in(parent, below)).collect::<Vec<_>>();
    usual.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    folders.extend(usual.into_iter().map(|(_, folder)| folder));
    folders.push(PathBuf::from("/usr/local/pgsql/bin"));
    folders.extend(output(Path::new("pg_config"), "--bindir").map(|folder| PathBuf::from(folder.trim())));
    folders
}

/// Sub-folders whose name is a version, alone (`15`) or after PostgreSQL's name (`postgresql@16`, `pgsql-17`).
fn versions_in(parent: &str, below: &str) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let bare =
                ["postgresql", "pgsql"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(&name);
            let version = bare.trim_start_matches(['@', '-']).parse::<u32>().ok()?;
            Some((version, entry.path().join(below)))
        })
        .collect()
}

fn output(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `15` from `postgres (PostgreSQL) 15.18 (Debian 15.18-1)`, `18` from `postgres (PostgreSQL) 18beta1`.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits = number.split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major_of;

    #[test]
    fn the_major_version_is_read_from_what_distributions_print() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_of("something else"), None);
    }
}
