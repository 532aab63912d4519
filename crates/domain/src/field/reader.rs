//! Reads the members of one JSON object and collects every complaint, so that a client learns all at once.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Field;

/// What is wrong, by member.
pub type FieldErrors = BTreeMap<String, Vec<String>>;

/// A body that can be read from a JSON object. Members that it does not know are ignored, never stored.
pub trait Fields: Sized {
    /// Reads the members; `None` when the reader holds at least one complaint.
    fn read(reader: &mut Reader) -> Option<Self>;

    /// Reads a whole object.
    ///
    /// # Errors
    /// Every complaint, by member.
    fn from_object(object: Map<String, Value>) -> Result<Self, FieldErrors> {
        let mut reader = Reader { object, errors: FieldErrors::new() };
        match Self::read(&mut reader) {
            Some(fields) if reader.errors.is_empty() => Ok(fields),
            _ => Err(reader.errors),
        }
    }
}

/// The object being read.
pub struct Reader {
    object: Map<String, Value>,
    errors: FieldErrors,
}

impl Reader {
    /// A member that must be there.
    pub fn required<T: Field>(&mut self, name: &str) -> Option<T> {
        if self.object.contains_key(name) {
            return self.maybe(name).flatten();
        }
        self.complain(name, "This field is required.".to_owned())
    }

    /// A member that has a value of its own when it is left out.
    pub fn or<T: Field>(&mut self, name: &str, default: T) -> Option<T> {
        match self.maybe(name) {
            Some(Some(value)) => Some(value),
            Some(None) => Some(default),
            None => None,
        }
    }

    /// A member of a merge patch (RFC 7396): left out means unchanged. The outer `None` is a complaint.
    pub fn maybe<T: Field>(&mut self, name: &str) -> Option<Option<T>> {
        let Some(value) = self.object.remove(name) else { return Some(None) };
        let is_null = value.is_null();
        match T::parse(value) {
            Ok(value) => Some(Some(value)),
            Err(_) if is_null => self.complain(name, "This field may not be null.".to_owned()),
            Err(sentence) => self.complain(name, sentence),
        }
    }

    /// A member as it was sent, for whoever reads it in a way of its own.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.object.remove(name)
    }

    /// What is wrong with one of many rows, under the row's place.
    pub(super) fn complain_of_row(&mut self, at: usize, errors: FieldErrors) {
        self.errors.extend(of_row(at, errors));
    }

    pub(super) fn complain<T>(&mut self, name: &str, sentence: String) -> Option<T> {
        self.errors.entry(name.to_owned()).or_default().push(sentence);
        None
    }
}

/// The complaints about one of many rows: `rows.3.title`, or `rows.3` for the whole row.
#[must_use]
pub fn of_row(at: usize, errors: FieldErrors) -> FieldErrors {
    let named = |member: &str| if member.is_empty() { String::new() } else { format!(".{member}") };
    errors.into_iter().map(|(member, said)| (format!("rows.{at}{}", named(&member)), said)).collect()
}
