//! How a document is kept in Firestore, where one has at most a mebibyte: a large body is in parts beside it.

use std::fmt::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    super::{Entry, Stored, path_name},
    failure::Failure,
};

/// How many bytes of a body one document has. The rest of its mebibyte is for the values that it is found by.
const MAX_PART: usize = 800 << 10;

/// A document as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// Without its body, as long as `parts` are not read.
    pub(super) stored: Stored,
    /// How many other documents have its body.
    pub(super) parts: usize,
    /// Its place among the changes of the collection.
    pub(super) position: u64,
    /// What a write names that stands on it.
    pub(super) update_time: String,
}

/// The parts of a body; none if it is kept with the document.
pub(super) fn parts(body: Option<&str>) -> Vec<&str> {
    let mut rest = body.filter(|body| body.len() > MAX_PART).unwrap_or_default();
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.floor_char_boundary(MAX_PART));
        parts.push(part);
        rest = after;
    }
    parts
}

pub(super) fn integer(number: impl ToString) -> Value {
    json!({ "integerValue": number.to_string() })
}

pub(super) fn text(text: &str) -> Value {
    json!({ "stringValue": text })
}

pub(super) fn bytes(bytes: &[u8]) -> Value {
    json!({ "bytesValue": BASE64_STANDARD.encode(bytes) })
}

/// Where the value at a path is kept.
pub(super) fn field(path: &str) -> String {
    let mut field = "index.".to_owned();
    // A `String` takes whatever is written to it.
    _ = write!(field, "{}", path_name(path));
    field
}

/// The fields of a document.
pub(super) fn fields(stored: &Stored, entries: &[Entry], position: u64) -> Value {
    let index = entries.iter().map(|entry| (path_name(&entry.path), bytes(&entry.value)));
    let parts = parts(stored.body.as_deref()).len();
    let mut fields = Map::from_iter([
        ("key".to_owned(), text(&stored.key)),
        ("version".to_owned(), integer(stored.version)),
        ("created_at".to_owned(), integer(stored.created_at.timestamp_micros())),
        ("updated_at".to_owned(), integer(stored.updated_at.timestamp_micros())),
        ("write_id".to_owned(), text(&stored.write_id.to_string())),
        ("present".to_owned(), json!({ "booleanValue": !stored.is_deleted() })),
        ("position".to_owned(), integer(position)),
        ("parts".to_owned(), integer(parts)),
        ("index".to_owned(), json!({ "mapValue": { "fields": Map::from_iter(index) } })),
    ]);
    if let Some(body) = stored.body.as_deref().filter(|_| parts == 0) {
        fields.insert("body".to_owned(), text(body));
    }
    Value::Object(fields)
}

/// What is said of a document that has not what steward writes.
fn unreadable() -> Failure {
    Failure::Lost("a document of Firestore was not understood")
}

fn read_integer<T: std::str::FromStr>(fields: &Value, name: &str) -> Result<T, Failure> {
    let number = fields[name]["integerValue"].as_str().and_then(|text| text.parse().ok());
    number.ok_or_else(unreadable)
}

pub(super) fn read_text<'a>(fields: &'a Value, name: &str) -> Result<&'a str, Failure> {
    fields[name]["stringValue"].as_str().ok_or_else(unreadable)
}

fn read_instant(fields: &Value, name: &str) -> Result<DateTime<Utc>, Failure> {
    DateTime::from_timestamp_micros(read_integer(fields, name)?).ok_or_else(unreadable)
}

/// The position that the head of a collection has reached, and its time.
pub(super) fn read_head(document: &Value) -> Result<(u64, String), Failure> {
    let time = document["updateTime"].as_str().ok_or_else(unreadable)?;
    Ok((read_integer(&document["fields"], "position")?, time.to_owned()))
}

impl Kept {
    /// Reads a document.
    pub(super) fn of(document: &Value) -> Result<Self, Failure> {
        let fields = &document["fields"];
        let stored = Stored {
            key: read_text(fields, "key")?.to_owned(),
            version: read_integer(fields, "version")?,
            body: fields["body"]["stringValue"].as_str().map(str::to_owned),
            created_at: read_instant(fields, "created_at")?,
            updated_at: read_instant(fields, "updated_at")?,
            write_id: read_text(fields, "write_id")?.parse().map_err(|_| unreadable())?,
        };
        Ok(Self {
            stored,
            parts: read_integer(fields, "parts")?,
            position: read_integer(fields, "position")?,
            update_time: document["updateTime"].as_str().ok_or_else(unreadable)?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_document_is_read_as_it_was_written() {
        let at = |micros| DateTime::from_timestamp_micros(micros).expect("an instant");
        for body in [None, Some("{\"a\":1.00}".to_owned())] {
            let stored = Stored {
                key: "a/é".to_owned(),
                version: i64::MAX,
                body,
                created_at: at(1_780_000_000_123_457),
                updated_at: at(1_780_000_000_123_458),
                write_id: Uuid::from_u128(7),
            };
            let fields = fields(&stored, &[], 12);
            let document = json!({ "fields": fields, "updateTime": "2026-11-29T12:00:00.000001Z" });
            let kept = Kept::of(&document).expect("a document");
            assert_eq!((kept.stored, kept.parts, kept.position), (stored, 0, 12));
        }
    }

    #[test]
    fn a_large_body_is_in_parts_that_end_between_characters() {
        let body = format!("{{\"a\":\"{}\"}}", "\u{1f600}".repeat(260_000));
        let found = parts(Some(&body));
        assert_eq!((found.len(), found.concat()), (2, body.clone()));
        assert!(found.iter().all(|part| part.len() <= MAX_PART));
        assert_eq!(parts(Some("{}")), Vec::<&str>::new());
        assert_eq!(parts(None), Vec::<&str>::new());
    }
}
