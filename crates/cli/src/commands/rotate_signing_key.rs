//! `bulkhead rotate-signing-key`: a new signing key in two steps, without logging anybody out. When keys may change
//! places, and how, is `key_ring`'s business; here, what is told about it.

use std::path::PathBuf;
use std::time::Duration;

use bulkhead_domain::clock::now;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::key_ring::rotation::{Step, may_sign_from, needed_until, rotate};
use crate::key_ring::{Key, KeySource, Ring, RingError, RingFiles, moment};
use crate::output::table;
use crate::services;

/// Its arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Three files: the configured one holds the key that signs; beside it, key.pem has key.next.pem, which is accepted and
published but does not sign yet, and key.previous.pem, which no longer signs. The first run makes the next key. A run
15 minutes later or more lets it sign, and makes another next one. Servers notice changed files within a second.
docs/operations.md has the runbook.")]
pub(crate) struct RotationArguments {
    /// Rotate although readers may not know the next key yet, or tokens of the previous key end
    #[arg(long, conflicts_with = "status")]
    force: bool,
    /// Change nothing; show the keys
    #[arg(long)]
    status: bool,
}

/// Rotates, or shows the keys.
pub(super) fn run(context: &Context, arguments: &RotationArguments) -> Result<(), Failure> {
    if !arguments.status {
        services::settle_development_key(context)?;
    }
    let source = services::key_source(context)?;
    let KeySource::Files(files) = &source else { return Err(RingError::NotInFiles.into()) };
    let algorithm = context.configuration.settings.auth.algorithm;
    // Settings that a server would refuse are refused here too, before anything is changed.
    let longest_life = source.signing(algorithm, services::token_settings(context))?.tokens.longest_life();
    let step = if arguments.status {
        None
    } else {
        Some(rotate(files, algorithm, longest_life, now(), arguments.force)?)
    };
    let keys = shown(files, files.load(algorithm)?, longest_life);
    let action = match step {
        None => "none",
        Some(Step::Publish) => "published",
        Some(Step::Rotate) => "rotated",
    };
    let documents: Vec<Value> = keys.iter().map(Shown::document).collect();
    let document = json!({ "action": action, "algorithm": algorithm.as_str(), "keys": documents });
    context.output.tell(&document, &text(step, &keys));
    Ok(())
}

/// A key as it is told of: never its text.
struct Shown {
    state: &'static str,
    key: Key,
    file: PathBuf,
    /// From when the next key may sign.
    may_sign_from: Option<DateTime<Utc>>,
    /// Until when the previous key may have live tokens.
    needed_until: Option<DateTime<Utc>>,
}

impl Shown {
    fn document(&self) -> Value {
        let mut document = json!({
            "state": self.state,
            "kid": self.key.kid(),
            "file": self.file,
            "modified_at": self.key.modified,
            "age_seconds": self.age().num_seconds(),
        });
        for (name, time) in [("may_sign_from", self.may_sign_from), ("needed_until", self.needed_until)] {
            if let (Some(object), Some(time)) = (document.as_object_mut(), time) {
                object.insert(name.to_owned(), json!(time));
            }
        }
        document
    }

    fn row(&self) -> Vec<String> {
        let note = match (self.may_sign_from, self.needed_until) {
            (Some(from), _) => format!("may sign from {}", moment(from)),
            (_, Some(until)) => format!("needed until {}", moment(until)),
            _ => "signs".to_owned(),
        };
        vec![self.state.to_owned(), self.key.kid().to_owned(), in_words(self.age()), note]
    }

    /// How long ago the file was written.
    fn age(&self) -> TimeDelta {
        (now() - self.key.modified).max(TimeDelta::zero())
    }
}

fn shown(files: &RingFiles, ring: Ring<Key>, longest_life: Duration) -> Vec<Shown> {
    let (state, file) = ("next", files.next.clone());
    let next = ring.next.map(|key| {
        let may_sign_from = Some(may_sign_from(&key));
        Shown { state, key, file, may_sign_from, needed_until: None }
    });
    let (state, file) = ("current", files.current.clone());
    let current = Shown { state, key: ring.current, file, may_sign_from: None, needed_until: None };
    let (state, file) = ("previous", files.previous.clone());
    let previous = ring.previous.map(|key| {
        let needed_until = Some(needed_until(&key, longest_life));
        Shown { state, key, file, may_sign_from: None, needed_until }
    });
    next.into_iter().chain([current]).chain(previous).collect()
}

fn text(step: Option<Step>, keys: &[Shown]) -> String {
    let from = keys.iter().find_map(|key| key.may_sign_from).map(moment).unwrap_or_default();
    let first = match step {
        None => String::new(),
        Some(Step::Publish) => {
            format!("a next key is published; run this again after {from} to let it sign\n\n")
        }
        Some(Step::Rotate) => {
            "the next key signs from now on; what the key before it signed is still accepted\n\n".to_owned()
        }
    };
    let mut rows = vec![["STATE", "KID", "AGE", ""].map(str::to_owned).to_vec()];
    rows.extend(keys.iter().map(Shown::row));
    first + &table(&rows)
}

/// An age in the largest unit of which there are two.
fn in_words(age: TimeDelta) -> String {
    let units = [(age.num_days(), "d"), (age.num_hours(), "h"), (age.num_minutes(), "min")];
    let found = units.into_iter().find(|(count, _)| *count >= 2);
    let (count, unit) = found.unwrap_or((age.num_seconds(), "s"));
    format!("{count} {unit}")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::in_words;

    #[test]
    fn an_age_is_told_in_the_largest_unit_of_which_there_are_two() {
        for (seconds, words) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 d"),
        ] {
            assert_eq!(in_words(TimeDelta::seconds(seconds)), words);
        }
    }
}
