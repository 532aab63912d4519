//! What a rotation leaves on disk, at its end and at each point at which it may break off. That running servers follow is
//! shown by the black-box tests.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bulkhead_auth::algorithm::SigningAlgorithm;
use bulkhead_auth::key_generation::generate_key;
use bulkhead_auth::token::TokenSettings;
use bulkhead_domain::clock::now;
use bulkhead_domain::ids::new_id;
use secrecy::ExposeSecret as _;

use super::rotation::{Step, renames, rotate};
use super::writing::put_in_place;
use super::{KeySource, RingError, RingFiles};

const ES256: SigningAlgorithm = SigningAlgorithm::Es256;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A folder with a current key, removed at the end.
struct Folder {
    path: PathBuf,
    files: RingFiles,
    algorithm: SigningAlgorithm,
}

impl Folder {
    fn with_key(algorithm: SigningAlgorithm) -> Self {
        let path = std::env::temp_dir().join(format!("bulkhead-ring-{}", new_id().simple()));
        fs::create_dir(&path).unwrap();
        let current = path.join("key.pem");
        fs::write(&current, generate_key(algorithm).unwrap().expose_secret()).unwrap();
        Self { files: RingFiles::beside(&current), path, algorithm }
    }

    /// With all three keys, old enough to rotate.
    fn full(algorithm: SigningAlgorithm) -> Self {
        let folder = Self::with_key(algorithm);
        for _ in 0..2 {
            folder.rotate(true).unwrap();
        }
        folder.age(&folder.files.next, HOUR);
        folder.age(&folder.files.previous, 2 * DAY);
        folder
    }

    fn rotate(&self, force: bool) -> Result<Step, RingError> {
        rotate(&self.files, self.algorithm, DAY, now(), force)
    }

    fn age(&self, file: &Path, age: Duration) {
        File::open(file).unwrap().set_modified((now() - age).into()).unwrap();
    }

    /// Next, current, previous.
    fn kids(&self) -> [Option<String>; 3] {
        let ring = self.files.load(self.algorithm).unwrap();
        [ring.next, Some(ring.current), ring.previous].map(|key| key.map(|key| key.kid().to_owned()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[test]
fn the_other_keys_are_found_by_the_name_of_the_current_one() {
    for (current, next, previous) in [
        ("/a/signing-key.pem", "/a/signing-key.next.pem", "/a/signing-key.previous.pem"),
        ("/run/secrets/jwt", "/run/secrets/jwt.next", "/run/secrets/jwt.previous"),
        ("key.2026.pem", "key.2026.next.pem", "key.2026.previous.pem"),
    ] {
        let files = RingFiles::beside(Path::new(current));
        assert_eq!((files.next.as_path(), files.previous.as_path()), (Path::new(next), Path::new(previous)));
    }
}

#[test]
fn the_first_run_publishes_and_the_second_lets_the_published_key_sign() {
    for algorithm in SigningAlgorithm::ALL {
        let folder = Folder::with_key(algorithm);
        let [_, first, _] = folder.kids();
        assert_eq!(folder.rotate(false).unwrap(), Step::Publish);
        let [second, current, previous] = folder.kids();
        assert!(second.is_some() && current == first && previous.is_none(), "{algorithm}");
        folder.age(&folder.files.next, HOUR);
        assert_eq!(folder.rotate(false).unwrap(), Step::Rotate);
        let [third, current, previous] = folder.kids();
        assert_eq!((&current, &previous), (&second, &first), "{algorithm}");
        assert!(third.is_some() && third != second && third != first, "{algorithm}");
    }
}

#[test]
fn too_early_is_refused_and_changes_nothing() {
    let folder = Folder::full(ES256);
    let before = folder.kids();
    folder.age(&folder.files.next, Duration::from_secs(14 * 60));
    assert!(matches!(folder.rotate(false), Err(RingError::NextTooNew(_))));
    folder.age(&folder.files.next, HOUR);
    folder.age(&folder.files.previous, DAY);
    assert!(matches!(folder.rotate(false), Err(RingError::PreviousTooNew(_))), "the last server to notice");
    assert_eq!(folder.kids(), before);
    assert_eq!(fs::read_dir(&folder.path).unwrap().count(), 3, "nothing is left behind");
    assert_eq!(folder.rotate(true).unwrap(), Step::Rotate);
    assert_eq!(folder.kids()[2], before[1]);
}

#[test]
fn a_rotation_that_breaks_off_anywhere_leaves_a_usable_ring_and_can_be_repeated() {
    for done in 0..=3 {
        let folder = Folder::full(ES256);
        let [next, current, _] = folder.kids();
        let ring = folder.files.load(ES256).unwrap();
        let all = renames(Step::Rotate, &folder.files, ES256, &ring).unwrap();
        put_in_place(&all[..done]).unwrap();
        let [_, signing, _] = folder.kids();
        assert_eq!(signing, if done < 2 { current.clone() } else { next.clone() }, "{done}");
        assert!(folder.kids().contains(&current) && folder.kids().contains(&next), "{done}");
        // The next one is aged by the operator's patience; the previous one is as the rotation left it.
        if done < 3 {
            folder.rotate(false).unwrap();
        }
        let [fresh, signing, previous] = folder.kids();
        assert_eq!((&signing, &previous), (&next, &current), "{done}");
        assert!(fresh.is_some() && fresh != next, "{done}");
        assert_eq!(fs::read_dir(&folder.path).unwrap().count(), 3, "{done}");
    }
}

#[test]
fn a_server_that_reads_while_keys_change_places_misses_none_that_signs() {
    let folder = Folder::full(ES256);
    let [next, current, _] = folder.kids();
    let ring = folder.files.load(ES256).unwrap();
    let all = renames(Step::Rotate, &folder.files, ES256, &ring).unwrap();
    let mut moments = vec![folder.kids()];
    for rename in all.chunks(1) {
        put_in_place(rename).unwrap();
        moments.push(folder.kids());
    }
    // The files are read in the order next, current, previous; any number of renames may happen in between.
    for first in 0..moments.len() {
        for second in first..moments.len() {
            for third in second..moments.len() {
                let read = [&moments[first][0], &moments[second][1], &moments[third][2]];
                assert!(read.contains(&&current) && read.contains(&&next), "{first} {second} {third}");
            }
        }
    }
}

#[test]
fn of_two_rotations_at_once_the_second_is_refused() {
    let folder = Folder::full(ES256);
    let before = folder.kids();
    let other = File::open(&folder.path).unwrap();
    other.lock().unwrap();
    assert!(matches!(folder.rotate(true), Err(RingError::Busy(_))));
    assert_eq!(folder.kids(), before);
    drop(other);
    assert_eq!(folder.rotate(true).unwrap(), Step::Rotate);
}

#[test]
fn new_files_are_for_their_owner_and_for_a_group_that_was_let_in_on_purpose() {
    for (model, made) in [(0o600, 0o600), (0o400, 0o600), (0o644, 0o600), (0o640, 0o640)] {
        let folder = Folder::with_key(ES256);
        fs::set_permissions(&folder.files.current, Permissions::from_mode(model)).unwrap();
        for _ in 0..2 {
            folder.rotate(true).unwrap();
        }
        for file in [&folder.files.next, &folder.files.current, &folder.files.previous] {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, made, "{model:o} {file:?}");
        }
    }
}

#[test]
fn the_current_key_signs_and_comes_first_and_the_others_are_accepted() {
    let folder = Folder::full(ES256);
    let [next, current, previous] = folder.kids();
    let settings = TokenSettings {
        issuer: "issuer".to_owned(),
        audience: "audience".to_owned(),
        access_lifetime: HOUR,
        leeway: Duration::ZERO,
    };
    let signing = KeySource::Files(folder.files.clone()).signing(ES256, settings).unwrap();
    let accepted: Vec<_> = signing.tokens.keys().keys().map(|key| Some(key.kid().to_owned())).collect();
    assert_eq!(accepted, [current, previous, next]);
    assert_eq!(signing.peppers.len(), 3);
}

#[test]
fn a_file_that_holds_no_such_key_is_named() {
    let folder = Folder::full(ES256);
    for (file, text) in [
        (&folder.files.next, generate_key(SigningAlgorithm::EdDsa).unwrap()),
        (&folder.files.previous, "a half-written key".into()),
    ] {
        let sound = fs::read(file).unwrap();
        fs::write(file, text.expose_secret()).unwrap();
        let error = folder.rotate(true).unwrap_err().to_string();
        assert!(error.contains(file.to_str().unwrap()) && !error.contains(text.expose_secret()), "{error}");
        fs::write(file, sound).unwrap();
    }
    fs::remove_file(&folder.files.current).unwrap();
    assert!(folder.rotate(true).unwrap_err().to_string().contains("key.pem"));
}
