//! What people are mailed about joining. A text names the tenant and the recipient's own user name, and nothing else that
//! somebody could have written to use the server for messages of his own. A token stands behind the `#` of a link, which
//! browsers send to no server, so it is in nobody's log.

use bulkhead_auth::one_time::NewOneTimeToken;
use bulkhead_domain::clock::now;
use bulkhead_domain::code::Code;
use bulkhead_mail::Mail;
use bulkhead_persistence::credentials::DirectoryEntry;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret as _;

use crate::problem::{Outcome, Problem};
use crate::worker::Worker;

/// How long a mailed token is good for, in which time somebody is asked to do something that it did not ask for.
const LIFETIME: TimeDelta = TimeDelta::days(7);

/// When a token ends that is made now.
pub(super) fn end() -> DateTime<Utc> {
    now() + LIFETIME
}

/// Refuses what ends in a mail where none is sent.
pub(super) fn offered(worker: &Worker) -> Outcome<()> {
    if worker.services.mailer.is_on() {
        return Ok(());
    }
    Err(Problem::new(Code::NotOffered, "This server sends no mail, so the person could not be told."))
}

/// To somebody whom an administrator invited.
pub(super) fn invitation(worker: &Worker, tenant: &DirectoryEntry, to: &str, token: &NewOneTimeToken) {
    let text = format!(
        "You are invited to join {} as a member of its team.\n\n{}\
         If you do not know what this is about, nothing is to be done.\n",
        tenant.name,
        to_accept(worker, token)
    );
    send(worker, to, format!("Invitation to {}", tenant.name), text);
}

/// To somebody who wants to register.
pub(super) fn registration(worker: &Worker, tenant: &DirectoryEntry, to: &str, token: &NewOneTimeToken) {
    let text = format!(
        "Somebody, probably you, asked to register at {} with this address.\n\n{}\
         If it was not you, nothing has happened and nothing is to be done.\n",
        tenant.name,
        to_accept(worker, token)
    );
    send(worker, to, format!("Your registration at {}", tenant.name), text);
}

/// To a member who, or in whose name somebody, wants to register again.
pub(super) fn known_already(worker: &Worker, tenant: &DirectoryEntry, to: &str) {
    let text = format!(
        "Somebody, probably you, asked to register at {} with this address.\n\n\
         There is an account with it already. Log in at\n{}\n\nand if you do not remember the password, ask there for a \
         new one.\n\nIf it was not you, nothing has happened and nothing is to be done.\n",
        tenant.name, worker.settings.frontend_url
    );
    send(worker, to, format!("Your registration at {}", tenant.name), text);
}

/// To somebody for whom an administrator made an account.
pub(super) fn welcome(
    worker: &Worker,
    tenant: &DirectoryEntry,
    (to, username): (&str, &str),
    token: &NewOneTimeToken,
) {
    let text = format!(
        "There is an account for you at {}. Its user name is {username}.\n\n\
         To choose its password, open\n{}/reset-password#token={}\n\n{}",
        tenant.name,
        worker.settings.frontend_url,
        token.plain.expose_secret(),
        good_for()
    );
    send(worker, to, format!("Your account at {}", tenant.name), text);
}

/// To the address that somebody wants to have.
pub(super) fn new_address(
    worker: &Worker,
    tenant: &DirectoryEntry,
    (to, username): (&str, &str),
    token: &NewOneTimeToken,
) {
    let text = format!(
        "{username} at {} wants to use this address from now on.\n\n\
         If that is you, log in and open\n{}/confirm-email#token={}\n\nThe link is good for one day, once. \
         If it is not you, nothing has happened and nothing is to be done.\n",
        tenant.name,
        worker.settings.frontend_url,
        token.plain.expose_secret()
    );
    send(worker, to, format!("Your new address at {}", tenant.name), text);
}

/// To the address that somebody had.
pub(super) fn address_changed(worker: &Worker, tenant: &DirectoryEntry, (to, username): (&str, &str)) {
    let text = format!(
        "The account {username} at {} has another e-mail address now, and this one no longer belongs to it.\n\n\
         If it was not you who changed it, tell an administrator of {} at once.\n",
        tenant.name, tenant.name
    );
    send(worker, to, format!("Your address at {}", tenant.name), text);
}

fn to_accept(worker: &Worker, token: &NewOneTimeToken) -> String {
    let (page, token) = (&worker.settings.frontend_url, token.plain.expose_secret());
    format!(
        "To go on, and to choose your password, open\n{page}/accept-invitation#token={token}\n\n\
         Where the link does not work, this is the token in it:\n{token}\n\n{}",
        good_for()
    )
}

fn good_for() -> String {
    format!("It is good for {} days, once.\n", LIFETIME.num_days())
}

fn send(worker: &Worker, to: &str, subject: String, text: String) {
    worker.services.mailer.send(Mail { to: to.to_owned(), subject, text });
}
