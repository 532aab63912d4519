//! What the password pool promises: right verdicts, equal work, and bounds that hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use secrecy::SecretString;

use super::{HashError, HashSettings, PasswordHasher, Verdict};
use crate::password_policy::UnusablePassword;

fn pool(permits: usize, queue: usize, wait: Duration) -> PasswordHasher {
    PasswordHasher::new(HashSettings { permits, beside_others: permits, queue, wait }).unwrap()
}

fn roomy() -> PasswordHasher {
    pool(2, 100, Duration::from_secs(60))
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// Takes one of the pool's threads until the returned sender is dropped.
fn occupy(pool: &Arc<PasswordHasher>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), HashError>>) {
    let (release, released) = mpsc::channel();
    let pool = Arc::clone(pool);
    let work = move || {
        let _ = released.recv();
        Ok(())
    };
    (release, tokio::spawn(async move { pool.run(work).await }))
}

async fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "the condition never came true");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn the_right_password_matches_and_a_wrong_one_does_not() {
    let pool = roomy();
    let stored = pool.hash(secret("correct horse")).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert_eq!(pool.verify(secret("correct horse"), Some(stored.clone())).await.unwrap(), Verdict::Match);
    for wrong in ["correct horsf", "correct horse ", "Correct horse", ""] {
        assert_eq!(
            pool.verify(secret(wrong), Some(stored.clone())).await.unwrap(),
            Verdict::NoMatch,
            "{wrong:?}"
        );
    }
    assert_ne!(pool.hash(secret("correct horse")).await.unwrap(), stored, "a new salt each time");
}

#[tokio::test]
async fn passwords_differ_beyond_byte_72_and_not_by_their_unicode_form() {
    let pool = roomy();
    let long = "x".repeat(72);
    let stored = pool.hash(secret(&format!("{long}a"))).await.unwrap();
    assert_eq!(pool.verify(secret(&format!("{long}b")), Some(stored)).await.unwrap(), Verdict::NoMatch);
    let stored = pool.hash(secret("caf\u{e9} au lait")).await.unwrap();
    assert_eq!(pool.verify(secret("cafe\u{301} au lait"), Some(stored)).await.unwrap(), Verdict::Match);
}

#[tokio::test]
async fn a_hash_made_with_other_parameters_matches_and_asks_to_be_renewed() {
    let pool = roomy();
    let made_with = |algorithm, memory, passes| {
        let params = Params::new(memory, passes, 1, None).unwrap();
        Some(Argon2::new(algorithm, Version::V0x13, params).hash_password(b"password").unwrap().to_string())
    };
    for (algorithm, memory, passes) in
        [(Algorithm::Argon2id, 8192, 2), (Algorithm::Argon2id, 19_456, 3), (Algorithm::Argon2i, 19_456, 2)]
    {
        let stored = made_with(algorithm, memory, passes);
        assert_eq!(pool.verify(secret("password"), stored.clone()).await.unwrap(), Verdict::MatchNeedsRehash);
        assert_eq!(pool.verify(secret("wrong"), stored).await.unwrap(), Verdict::NoMatch);
    }
    let stored = made_with(Algorithm::Argon2id, 19_456, 2);
    assert_eq!(pool.verify(secret("password"), stored).await.unwrap(), Verdict::Match);
}

#[tokio::test]
async fn no_account_and_no_usable_hash_never_match_and_take_as_long_as_a_wrong_password() {
    let pool = roomy();
    let stored = pool.hash(secret("something else")).await.unwrap();
    let unusable = [
        "",
        "!",
        "$argon2id$",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ",
        "$2b$12$abc",
        "pbkdf2_sha256$1$a$b",
        "pbkdf2_sha256$1$seasalt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "!pbkdf2_sha256$10000$seasalt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ];
    let mut cases = vec![Some(stored), None];
    cases.extend(unusable.map(|text| Some(text.to_owned())));
    let mut least = vec![Duration::MAX; cases.len()];
    for _ in 0..5 {
        for (case, least) in cases.iter().zip(&mut least) {
            let started = Instant::now();
            assert_eq!(
                pool.verify(secret("guess"), case.clone()).await.unwrap(),
                Verdict::NoMatch,
                "{case:?}"
            );
            *least = (*least).min(started.elapsed());
        }
    }
    // Without the dummy the ratio is in the hundreds; the machine's noise is not.
    assert!(least.iter().all(|took| *took * 4 > least[0]), "{least:?}");
}

#[tokio::test]
async fn what_can_be_nobodys_password_is_refused_before_any_hashing() {
    let pool = Arc::new(pool(1, 0, Duration::ZERO));
    // The one thread is taken: whatever reached the pool would be turned away as busy.
    let (release, _task) = occupy(&pool);
    until(|| pool.turns.free() == 0).await;
    for (text, expected) in [
        ("x".repeat(1 << 20), UnusablePassword::TooLong),
        ("nul\0nul".to_owned(), UnusablePassword::ContainsNul),
    ] {
        let hashed = pool.hash(secret(&text)).await;
        assert!(matches!(hashed, Err(HashError::Unusable(why)) if why == expected));
        let verified = pool.verify(secret(&text), None).await;
        assert!(matches!(verified, Err(HashError::Unusable(why)) if why == expected));
    }
    assert!(matches!(pool.hash(secret("fine")).await, Err(HashError::Busy)));
    drop(release);
}

#[tokio::test]
async fn beyond_permits_and_queue_callers_are_turned_away_at_once_and_the_queued_one_is_served() {
    let pool = Arc::new(pool(1, 1, Duration::from_secs(60)));
    let (release, running) = occupy(&pool);
    until(|| pool.turns.free() == 0).await;
    let (_, queued) = occupy(&pool);
    until(|| pool.admitted.available_permits() == 0).await;
    let started = Instant::now();
    assert!(matches!(pool.hash(secret("one too many")).await, Err(HashError::Busy)));
    assert!(started.elapsed() < Duration::from_secs(10), "it did not wait");
    assert!(!queued.is_finished());
    drop(release);
    running.await.unwrap().unwrap();
    queued.await.unwrap().unwrap();
    until(|| pool.admitted.available_permits() == 2).await;
    pool.hash(secret("room again")).await.unwrap();
}

#[tokio::test]
async fn waiting_ends_after_the_time_allowed_and_gives_the_place_back() {
    let pool = Arc::new(pool(1, 5, Duration::from_millis(20)));
    let (release, _running) = occupy(&pool);
    until(|| pool.turns.free() == 0).await;
    assert!(matches!(pool.hash(secret("patient")).await, Err(HashError::Busy)));
    assert_eq!(pool.admitted.available_permits(), 5, "only the running one holds a place");
    drop(release);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_free_the_thread_it_started() {
    let pool = Arc::new(pool(1, 0, Duration::from_secs(60)));
    let started = Arc::new(AtomicBool::new(false));
    let (release, released) = mpsc::channel::<()>();
    let task = tokio::spawn({
        let (pool, started) = (Arc::clone(&pool), Arc::clone(&started));
        async move {
            let work = move || {
                started.store(true, Ordering::SeqCst);
                let _ = released.recv();
                Ok(())
            };
            pool.run(work).await
        }
    });
    until(|| started.load(Ordering::SeqCst)).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(pool.turns.free(), 0, "its thread still runs");
    assert!(matches!(pool.hash(secret("not yet")).await, Err(HashError::Busy)));
    drop(release);
    until(|| pool.turns.free() == 1).await;
    pool.hash(secret("now")).await.unwrap();
}

#[tokio::test]
async fn a_hash_from_django_matches_in_the_form_it_was_sent_or_in_ours_and_asks_to_be_renewed() {
    let pool = roomy();
    // Of "cafe\u{301} au lait" and "caf\u{e9} au lait", made with Python's hashlib.
    let decomposed = "pbkdf2_sha256$10000$seasalt$1c4DIlXWwCxhpvuoKDmjYjU1hOsrUGVBJtQwbPg4ELs=";
    let composed = "pbkdf2_sha256$10000$seasalt$fCGPPVeioPTT6mO/9gLqx9uXxRIBpfg3I7Cs29NJf94=";
    for (sent, stored, verdict) in [
        ("cafe\u{301} au lait", decomposed, Verdict::MatchNeedsRehash),
        ("cafe\u{301} au lait", composed, Verdict::MatchNeedsRehash),
        ("caf\u{e9} au lait", composed, Verdict::MatchNeedsRehash),
        ("cafe au lait", composed, Verdict::NoMatch),
    ] {
        let verified = pool.verify(secret(sent), Some(stored.to_owned())).await.unwrap();
        assert_eq!(verified, verdict, "{sent:?} {stored}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_is_hashed_by_as_many_threads_as_there_are_permits_and_all_else_goes_before_them() {
    let pool = Arc::new(roomy());
    let storm: Vec<_> = (0..30)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { pool.verify(secret("guess"), None).await })
        })
        .collect();
    for guess in storm {
        assert_eq!(guess.await.unwrap().unwrap(), Verdict::NoMatch);
    }
    let mut hashing = Vec::new();
    for thread in std::fs::read_dir("/proc/self/task").unwrap() {
        let folder = thread.unwrap().path();
        if std::fs::read_to_string(folder.join("comm")).unwrap().trim() == "hash" {
            let stat = std::fs::read_to_string(folder.join("stat")).unwrap();
            // proc_pid_stat(5): the name in parentheses is field 2, the nice value field 19.
            let nice = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().to_owned();
            hashing.push(nice);
        }
    }
    assert!((1..=2).contains(&hashing.len()), "{hashing:?}");
    assert!(hashing.iter().all(|nice| nice == "19"), "{hashing:?}");
}
