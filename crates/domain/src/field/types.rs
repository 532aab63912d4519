//! The kinds of single fields: texts with a bound, dates, numbers, and choices. Each refuses what
//! PostgreSQL could not store (NUL, numbers beyond its range), so that no input becomes a server error.

use chrono::{Datelike, NaiveDate};
use serde_json::Value;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use super::Field;

pub(super) const NULL_CHARACTER: &str = "Null characters are not allowed.";

/// One line of text of 1 to `MAX` characters, without surrounding white space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Field for Text<MAX> {
    type Column = String;

    fn parse(value: Value) -> Result<Self, String> {
        let text = read_text(value)?;
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err("This field may not be blank.".to_owned());
        }
        bounded(trimmed, MAX)?;
        Ok(Self(trimmed.to_owned()))
    }

    fn schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX))
            .build()
            .into()
    }

    fn into_column(self) -> String {
        self.0
    }
}

/// Text of at most `MAX` characters, kept exactly as sent; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LongText<const MAX: usize>(String);

impl<const MAX: usize> Field for LongText<MAX> {
    type Column = String;

    fn parse(value: Value) -> Result<Self, String> {
        let text = read_text(value)?;
        bounded(&text, MAX)?;
        Ok(Self(text))
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::String).max_length(Some(MAX)).build().into()
    }

    fn into_column(self) -> String {
        self.0
    }
}

fn read_text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) if text.contains('\0') => Err(NULL_CHARACTER.to_owned()),
        Value::String(text) => Ok(text),
        _ => Err("Not a valid string.".to_owned()),
    }
}

fn bounded(text: &str, max: usize) -> Result<(), String> {
    if text.chars().count() > max {
        return Err(format!("Ensure this field has no more than {max} characters."));
    }
    Ok(())
}

/// A calendar day, `YYYY-MM-DD`, of the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(NaiveDate);

impl Day {
    /// Reads a day; stricter than `chrono`, which also takes signs, blanks and single digits.
    #[must_use]
    pub fn from_text(text: &str) -> Option<NaiveDate> {
        let digits_in_place = text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        let day = digits_in_place.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()?;
        (day.year() >= 1).then_some(day)
    }
}

impl Field for Day {
    type Column = NaiveDate;

    fn parse(value: Value) -> Result<Self, String> {
        value
            .as_str()
            .and_then(Self::from_text)
            .map(Self)
            .ok_or_else(|| "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.".to_owned())
    }

    fn schema() -> Schema {
        let format = SchemaFormat::KnownFormat(KnownFormat::Date);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build().into()
    }

    fn into_column(self) -> NaiveDate {
        self.0
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole<const MIN: i64, const MAX: i64>(i64);

/// A whole number from 0 to 2^53-1, the largest that every JSON reader keeps exactly (RFC 8259 §6).
pub type Count = Whole<0, 9_007_199_254_740_991>;

impl<const MIN: i64, const MAX: i64> Field for Whole<MIN, MAX> {
    type Column = i64;

    fn parse(value: Value) -> Result<Self, String> {
        if !value.is_i64() && !value.is_u64() {
            return Err("A valid integer is required.".to_owned());
        }
        match value.as_i64() {
            Some(number) if number < MIN => {
                Err(format!("Ensure this value is greater than or equal to {MIN}."))
            }
            Some(number) if number <= MAX => Ok(Self(number)),
            _ => Err(format!("Ensure this value is less than or equal to {MAX}.")),
        }
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(MIN)).maximum(Some(MAX)).build().into()
    }

    fn into_column(self) -> i64 {
        self.0
    }
}

/// `true` or `false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switch(bool);

impl Switch {
    /// `true`.
    pub const ON: Self = Self(true);
}

impl Field for Switch {
    type Column = bool;

    fn parse(value: Value) -> Result<Self, String> {
        value.as_bool().map(Self).ok_or_else(|| "Must be a valid boolean.".to_owned())
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::Boolean).build().into()
    }

    fn into_column(self) -> bool {
        self.0
    }
}

/// One of a fixed list of words. Implemented by the [`choice!`](crate::choice) macro.
pub trait Choice: Copy + Sized + 'static {
    /// Every value.
    const ALL: &'static [Self];

    /// The value's word, as stored and as sent.
    fn as_str(self) -> &'static str;

    /// Reads a word, exactly as written.
    #[must_use]
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.as_str() == word)
    }

    /// Every word.
    #[must_use]
    fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|value| value.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Count, Day, Field, LongText, Text};

    #[test]
    fn text_is_trimmed_bounded_in_characters_and_never_blank() {
        assert_eq!(Text::<3>::parse(json!(" äöü ")).unwrap().into_column(), "äöü");
        for bad in [json!(""), json!("  "), json!("abcd"), json!(1), json!(null), json!(["a"])] {
            assert!(Text::<3>::parse(bad.clone()).is_err(), "{bad}");
        }
        assert!(Text::<3>::parse(json!("a\u{0}")).unwrap_err().contains("Null"));
        assert_eq!(LongText::<3>::parse(json!(" a ")).unwrap().into_column(), " a ");
    }

    #[test]
    fn a_day_is_ten_characters_of_a_real_date() {
        assert!(Day::parse(json!("2026-02-28")).is_ok());
        for bad in [
            "2026-02-29",
            "2026-2-8",
            "+2026-02-28",
            "0000-01-01",
            "infinity",
            "-5000-01-01",
            "2026-02-28T00:00:00Z",
            "",
        ] {
            assert!(Day::parse(json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_count_is_a_whole_number_that_every_reader_keeps_exactly() {
        assert!(Count::parse(json!(0)).is_ok());
        assert!(Count::parse(json!(9_007_199_254_740_991_i64)).is_ok());
        for bad in [
            json!(-1),
            json!(1.0),
            json!("1"),
            json!(9_007_199_254_740_992_i64),
            json!(u64::MAX),
            json!(null),
            json!(true),
        ] {
            assert!(Count::parse(bad.clone()).is_err(), "{bad}");
        }
    }
}
