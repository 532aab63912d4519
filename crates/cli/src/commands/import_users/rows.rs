//! The rows of a file of people: from CSV or JSON lines to checked values. Every complaint names its row, and none quotes a
//! password's hash. The database is not asked here.

use std::collections::BTreeMap;

use bulkhead_auth::password::is_importable;
use bulkhead_domain::person::{Email, Username};
use bulkhead_domain::scope::Role;
use bulkhead_persistence::platform::{ImportedUser, NewUser};
use secrecy::SecretString;
use serde_json::Value;

use crate::failure::Failure;

/// What a row may say. Other columns of the older system are left alone.
type Row = BTreeMap<String, String>;

/// Reads CSV whose first line names the columns.
pub(super) fn csv(text: &str, role: Role) -> Result<Vec<ImportedUser>, Failure> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| wrong(1, &error.to_string()))?.clone();
    if !names.iter().any(|name| name == "email") {
        return Err(wrong(1, "the first line must name the columns, and email among them"));
    }
    let mut people = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let number = at + 2;
        let record =
            record.map_err(|_error| wrong(number, "it has another number of fields than the first line"))?;
        let row = names.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect();
        people.push(person(number, &row, role)?);
    }
    Ok(people)
}

/// Reads one JSON object a line; empty lines are skipped.
pub(super) fn json_lines(text: &str, role: Role) -> Result<Vec<ImportedUser>, Failure> {
    let mut people = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = at + 1;
        let object = match serde_json::from_str(line) {
            Ok(Value::Object(object)) => object,
            _ => return Err(wrong(number, "it is not a JSON object")),
        };
        let row = object.into_iter().filter_map(|(name, value)| Some((name, word(value)?))).collect();
        people.push(person(number, &row, role)?);
    }
    Ok(people)
}

/// A value as CSV would have it; `None` for null and for what is no single value.
fn word(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn person(number: usize, row: &Row, usual: Role) -> Result<ImportedUser, Failure> {
    let field = |name: &str| row.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let email = field("email").ok_or_else(|| wrong(number, "it has no email"))?;
    let username = field("username").unwrap_or(email);
    let role = match field("role") {
        None => usual,
        Some(word) => Role::parse(word)
            .ok_or_else(|| wrong(number, "its role is none of owner, admin, member and viewer"))?,
    };
    let is_active = match field("is_active").map(str::to_ascii_lowercase).as_deref() {
        None | Some("true" | "t" | "1") => true,
        Some("false" | "f" | "0") => false,
        Some(_) => return Err(wrong(number, "its is_active is neither true nor false")),
    };
    // Django marks people without a password with a "!".
    let hash = field("password").filter(|hash| !hash.starts_with('!'));
    if hash.is_some_and(|hash| !is_importable(hash)) {
        return Err(wrong(number, "its password is not a hash that can be verified here"));
    }
    let about = |what: &str, error: &dyn std::fmt::Display| wrong(number, &format!("its {what}: {error}"));
    let user = NewUser {
        username: Username::parse(username).map_err(|error| about("username", &error))?,
        email: Email::parse(email).map_err(|error| about("email", &error))?,
        first_name: field("first_name").unwrap_or_default().to_owned(),
        last_name: field("last_name").unwrap_or_default().to_owned(),
        role,
        password_hash: hash.map(SecretString::from),
    };
    Ok(ImportedUser { row: number, user, is_active })
}

fn wrong(row: usize, what: &str) -> Failure {
    Failure::ImportRow { row, what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use bulkhead_domain::scope::Role;

    use super::{csv, json_lines};

    const HASH: &str = "pbkdf2_sha256$20000$pepperpepper$q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

    #[test]
    fn the_same_people_are_read_from_csv_and_from_json_lines() {
        let table = format!(
            "id,username,email,password,first_name,is_active\n1,anna,anna@example.com,{HASH},\"A, nna\",true\n2,,bob@example.com,!,,False\n"
        );
        let lines = format!(
            "{{\"username\":\"anna\",\"email\":\"anna@example.com\",\"password\":\"{HASH}\",\"first_name\":\"A, nna\",\"is_active\":true}}\n\n\
             {{\"email\":\"bob@example.com\",\"password\":\"!\",\"is_active\":false,\"groups\":[1]}}\n"
        );
        for people in [csv(&table, Role::Member).unwrap(), json_lines(&lines, Role::Member).unwrap()] {
            let told: Vec<_> = people
                .iter()
                .map(|p| {
                    (
                        p.user.username.as_str(),
                        p.user.first_name.as_str(),
                        p.user.password_hash.is_some(),
                        p.is_active,
                    )
                })
                .collect();
            assert_eq!(told, [("anna", "A, nna", true, true), ("bob@example.com", "", false, false)]);
        }
    }

    #[test]
    fn a_wrong_row_is_named_and_its_password_is_not_quoted() {
        for (text, row) in [
            ("username\nanna\n", "row 1"),
            ("email,password\na@b,plain-secret\n", "row 2"),
            ("email\na@b\nnobody\n", "row 3"),
            ("email,role\na@b,king\n", "row 2"),
            ("email,is_active\na@b,perhaps\n", "row 2"),
            ("email,role\na@b\n", "row 2"),
        ] {
            let error = csv(text, Role::Member).unwrap_err().to_string();
            assert!(error.contains(row) && !error.contains("plain-secret"), "{error}");
        }
        assert!(json_lines("[1]", Role::Member).unwrap_err().to_string().contains("row 1"));
    }
}
