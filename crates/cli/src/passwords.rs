//! New passwords: asked for without echo, twice, or read from stdin; checked, hashed, and never shown.

use std::io::{BufRead as _, IsTerminal as _};

use bulkhead_auth::password::{HashSettings, PasswordHasher};
use bulkhead_auth::password_policy::check_new_password;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::failure::Failure;

/// Gets a new password and checks it. `known` are words that it must not be.
///
/// # Errors
/// It is too weak, the two entries differ, or there is nobody to ask.
pub(crate) fn new_password(
    context: &Context,
    from_stdin: bool,
    known: &[&str],
) -> Result<SecretString, Failure> {
    context.output.quieten();
    let password = if from_stdin { read_line()? } else { ask_twice()? };
    let shortest = context.configuration.settings.auth.min_password_length;
    check_new_password(password.expose_secret(), shortest, known)?;
    Ok(password)
}

/// Hashes it for storage.
///
/// # Errors
/// [`Failure::Hash`].
pub(crate) async fn hash(context: &Context, password: SecretString) -> Result<SecretString, Failure> {
    let hasher = PasswordHasher::new(hash_settings(context))?;
    Ok(hasher.hash(password).await?.into())
}

/// How much hashing may go on at once: on every core, unless the settings say less, and on all but one while other requests are at work.
pub(crate) fn hash_settings(context: &Context) -> HashSettings {
    let auth = &context.configuration.settings.auth;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let permits = auth.hash_permits.map_or(cores, usize::from);
    let beside_others = permits.min(cores - 1);
    HashSettings { permits, beside_others, queue: auth.hash_queue, wait: auth.hash_wait }
}

/// The first line of stdin, without its end.
fn read_line() -> Result<SecretString, Failure> {
    let mut line = Zeroizing::new(String::new());
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::System("read the password", error))?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n'])))
}

fn ask_twice() -> Result<SecretString, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::NoTerminal);
    }
    let ask = |prompt: &str| {
        let typed = rpassword::prompt_password(prompt);
        typed.map(Zeroizing::new).map_err(|error| Failure::System("read the password", error))
    };
    let (first, second) = (ask("Password: ")?, ask("Password, again: ")?);
    if first != second {
        return Err(Failure::PasswordsDiffer);
    }
    Ok(SecretString::from(first.as_str()))
}
