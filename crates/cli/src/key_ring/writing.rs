//! Putting key files in place so that a crash at any point leaves whole files: everything is written beside its place
//! first, and then only renamed. Which file goes where is not said here.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::RingError;

/// A file that takes another's place.
#[derive(Debug)]
pub(super) struct Rename {
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
}

/// Writes a key beside `place`, durably, to be renamed to it. Whoever may read `model`, as its owner or deliberately as
/// its group (mode 0640), may read the new file: a rotation by root must not lock the server out. Nobody else may.
///
/// # Errors
/// What the system says; also when the new file cannot be given to the owner of `model`.
pub(super) fn stage(key: &SecretString, place: &Path, model: &Path) -> Result<Rename, RingError> {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let from = place.with_file_name(name);
    write_private(&from, key, model).map_err(RingError::file("write", &from))?;
    Ok(Rename { from, to: place.to_owned() })
}

fn write_private(path: &Path, key: &SecretString, model: &Path) -> io::Result<()> {
    // What a crash left behind would keep its mode and its owner.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let model = fs::metadata(model)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (model.uid(), model.gid()) {
        fchown(&file, Some(model.uid()), Some(model.gid()))?;
    }
    if model.mode() & 0o044 == 0o040 {
        file.set_permissions(Permissions::from_mode(0o640))?;
    }
    file.write_all(key.expose_secret().as_bytes())?;
    file.sync_all()
}

/// Renames in this order, each durably before the next.
///
/// # Errors
/// What the system says. Renames before the fault are done, those after it are not.
pub(super) fn put_in_place(renames: &[Rename]) -> Result<(), RingError> {
    for Rename { from, to } in renames {
        fs::rename(from, to).map_err(RingError::file("replace", to))?;
        let folder = folder_of(to);
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(RingError::file("sync", folder))?;
    }
    Ok(())
}

/// The folder that a file is in.
pub(super) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
