//! How keys change places: next, current, previous. When they may, so that no token and no session ends; and in which
//! order, so that running servers and crashes meet a usable ring at every moment.

use std::fs::{File, TryLockError};
use std::time::Duration;

use bulkhead_auth::algorithm::SigningAlgorithm;
use bulkhead_auth::key_generation::generate_key;
use bulkhead_auth::keyset::JWKS_MAX_AGE;
use chrono::{DateTime, Utc};

use super::writing::{Rename, folder_of, put_in_place, stage};
use super::{Key, Ring, RingError, RingFiles};

/// How long changed files may take to be in use on every server: a second where they are shared, some minutes where they
/// are copied or mounted as a secret. Clocks that differ are in it.
const SPREADING: Duration = Duration::from_secs(10 * 60);

/// How long a key is published before it may sign: until every server publishes it, and then as long as readers may keep
/// an older set.
const PUBLISHED_FOR: Duration = JWKS_MAX_AGE.saturating_add(SPREADING);

/// What a rotation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// There is no next key: makes one, which will be published.
    Publish,
    /// The next key signs from now on, the current one becomes the previous one, and a new next one is made.
    Rotate,
}

/// When the next key may sign.
pub(crate) fn may_sign_from(next: &Key) -> DateTime<Utc> {
    next.modified + PUBLISHED_FOR
}

/// When the last token of the previous key has expired, also one of the last server that signed with it.
pub(crate) fn needed_until(previous: &Key, longest_life: Duration) -> DateTime<Utc> {
    previous.modified + SPREADING + longest_life
}

/// Rotates, alone: a second rotation at the same time is refused. `longest_life` is that of a token.
///
/// # Errors
/// It is too early and `force` is not given; a key cannot be read or written; another rotation is going on.
pub(crate) fn rotate(
    files: &RingFiles,
    algorithm: SigningAlgorithm,
    longest_life: Duration,
    now: DateTime<Utc>,
    force: bool,
) -> Result<Step, RingError> {
    let _alone = lock(files)?;
    let ring = files.load(algorithm)?;
    let step = next_step(&ring, longest_life, now, force)?;
    put_in_place(&renames(step, files, algorithm, &ring)?)?;
    Ok(step)
}

/// The system drops the lock with the process, so no crash leaves it behind. It is on the folder, because the files
/// themselves are replaced.
fn lock(files: &RingFiles) -> Result<File, RingError> {
    let path = folder_of(&files.current);
    let folder = File::open(path).map_err(RingError::file("open", path))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(RingError::Busy(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(RingError::file("lock", path)(error)),
    }
}

/// What is to be done next, if it may be done now.
///
/// A rotation that broke off after its first rename shows as a previous key that is also the current one. It may go on:
/// the key that it dropped was old enough, or the operator insisted.
pub(super) fn next_step(
    ring: &Ring<Key>,
    longest_life: Duration,
    now: DateTime<Utc>,
    force: bool,
) -> Result<Step, RingError> {
    let other_than_current = |key: &&Key| key.kid() != ring.current.kid();
    let Some(next) = ring.next.as_ref().filter(other_than_current) else { return Ok(Step::Publish) };
    if force {
        return Ok(Step::Rotate);
    }
    let may_sign = may_sign_from(next);
    if now < may_sign {
        return Err(RingError::NextTooNew(may_sign));
    }
    let needed = ring.previous.as_ref().filter(other_than_current).map(|key| needed_until(key, longest_life));
    match needed.filter(|until| now < *until) {
        Some(until) => Err(RingError::PreviousTooNew(until)),
        None => Ok(Step::Rotate),
    }
}

/// Writes the new files beside their places, and says in which order they take them.
///
/// First the current key is *also* the previous one, then the next one replaces it, then there is a new next one. So there
/// is always a current key, and whichever has signed is among the three. The new files are dated now, which is when the
/// old key retires and the new one is published.
pub(super) fn renames(
    step: Step,
    files: &RingFiles,
    algorithm: SigningAlgorithm,
    ring: &Ring<Key>,
) -> Result<Vec<Rename>, RingError> {
    let fresh = generate_key(algorithm).map_err(RingError::Unmade)?;
    let publish = stage(&fresh, &files.next, &files.current)?;
    if step == Step::Publish {
        return Ok(vec![publish]);
    }
    let retire = stage(&ring.current.text, &files.previous, &files.current)?;
    let promote = Rename { from: files.next.clone(), to: files.current.clone() };
    Ok(vec![retire, promote, publish])
}
