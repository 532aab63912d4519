//! Cursors: the place of one row in one ordering of one list of one tenant, opaque to clients.
//!
//! A cursor carries a digest of what it was made for. It is not a secret: whoever makes one up learns nothing, since the
//! query still sees only its own tenant. The digest turns a cursor that was moved to another tenant, list or ordering
//! into a clear refusal instead of a page from nowhere.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulkhead_domain::code::Code;
use bulkhead_domain::ids::{TenantId, parse_id};
use bulkhead_domain::list::{Ordering, Position, Window};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::value;
use crate::problem::{Outcome, Problem};

/// Longest cursor that is looked at: a text of 255 characters takes up to 1 400 when it is written out twice.
const LONGEST: usize = 4096;

/// What a cursor belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Binding<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) resource: &'a str,
    pub(crate) ordering: Ordering,
    pub(crate) descending: bool,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    /// Backwards.
    b: bool,
    /// The ordering column's value.
    v: Option<serde_json::Value>,
    /// The id.
    i: String,
    /// The digest.
    d: String,
}

impl Binding<'_> {
    fn digest(&self, backwards: bool, value: Option<&serde_json::Value>, id: &str) -> String {
        let value = value.map(ToString::to_string).unwrap_or_default();
        let parts = format!(
            "{}|{}|{}|{}|{backwards}|{id}|{value}",
            self.tenant, self.resource, self.ordering.name, self.descending
        );
        let digest = Sha256::digest(parts);
        digest.first_chunk::<9>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).unwrap_or_default()
    }

    /// Makes the cursor that continues behind (or, backwards, before) a row that was written out.
    pub(crate) fn cursor_at(&self, row: &serde_json::Value, backwards: bool) -> String {
        let value = row.get(self.ordering.name).filter(|value| !value.is_null()).cloned();
        let id = row.get("id").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let digest = self.digest(backwards, value.as_ref(), &id);
        let wire = Wire { b: backwards, v: value, i: id, d: digest };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&wire).unwrap_or_default())
    }

    /// Reads a cursor.
    pub(crate) fn window_at(&self, cursor: &str) -> Outcome<Window> {
        self.read(cursor).ok_or_else(|| {
            Problem::new(
                Code::InvalidCursor,
                "cursor: not made by this list with this ordering. Start without it.",
            )
        })
    }

    fn read(&self, cursor: &str) -> Option<Window> {
        let text = (cursor.len() <= LONGEST).then(|| URL_SAFE_NO_PAD.decode(cursor).ok()).flatten()?;
        let wire: Wire = serde_json::from_slice(&text).ok()?;
        if self.digest(wire.b, wire.v.as_ref(), &wire.i) != wire.d {
            return None;
        }
        let value = match &wire.v {
            Some(_) => {
                let row = serde_json::json!({ self.ordering.name: wire.v });
                Some(value::of_row(self.ordering.kind, &row, self.ordering.name)?)
            }
            None if self.ordering.nullable => None,
            None => return None,
        };
        let position = Position { value, id: parse_id(&wire.i)? };
        Some(if wire.b { Window::Before(position) } else { Window::After(position) })
    }
}

#[cfg(test)]
mod tests {
    use bulkhead_domain::ids::TenantId;
    use bulkhead_domain::list::{Kind, Ordering, Window};
    use serde_json::json;

    use super::Binding;

    #[test]
    fn a_cursor_reads_back_for_what_it_was_made_for_and_for_nothing_else() {
        let binding = Binding {
            tenant: TenantId::generate(),
            resource: "projects",
            ordering: Ordering::by("created_at", Kind::Instant),
            descending: true,
        };
        let row = json!({"id": "0191e4a0-7b5c-7c3e-8f00-0123456789ab", "created_at": "2026-11-20T10:00:00.123456Z"});
        let cursor = binding.cursor_at(&row, false);
        assert!(matches!(binding.read(&cursor), Some(Window::After(_))));
        assert!(Binding { tenant: TenantId::generate(), ..binding }.read(&cursor).is_none());
        assert!(Binding { resource: "tasks", ..binding }.read(&cursor).is_none());
        assert!(Binding { descending: false, ..binding }.read(&cursor).is_none());
        for garbage in ["", "x", "e30", &cursor[1..], &format!("{cursor}A"), &"A".repeat(9000)] {
            assert!(binding.read(garbage).is_none(), "{garbage}");
        }
    }
}
