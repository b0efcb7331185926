//! Cursors: after which document a query goes on. A cursor belongs to its query: it is refused in another.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    order::MAX_KEY,
    refuse,
    sort::{MAX_FIELDS, Position, Sort},
};
use crate::error::{Error, Result, Violation};

/// How many characters a cursor has at most: it holds the values that documents are sorted by.
pub const MAX_LENGTH: usize = 8_192;

/// What a query is, for its cursors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of a query for a collection: what it selects, and in which order.
    pub fn of(collection_id: Uuid, selector: &Value, sort: &Sort) -> Self {
        let mut hash = Sha256::new();
        hash.update(collection_id.as_bytes());
        hash.update(selector.to_string());
        hash.update([0]);
        hash.update(sort.to_json().to_string());
        Self(URL_SAFE_NO_PAD.encode(&hash.finalize()[..16]))
    }
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    #[serde(rename = "q")]
    query: String,
    #[serde(rename = "v")]
    values: Vec<String>,
    #[serde(rename = "i")]
    id: String,
}

/// The cursor of a position.
pub fn encode(query: &Fingerprint, position: &Position) -> Result<String> {
    let values = position.values.iter().map(|value| URL_SAFE_NO_PAD.encode(value)).collect();
    let cursor = Cursor { query: query.0.clone(), values, id: position.id.clone() };
    let json = serde_json::to_vec(&cursor)
        .map_err(|error| Error::Internal(format!("a cursor cannot be written: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// The position of a cursor.
///
/// # Errors
/// If it is no cursor of this query.
pub fn decode(
    text: &str,
    query: &Fingerprint,
    sort: &Sort,
    at: &str,
) -> Result<Position, Violation> {
    let position = || {
        let json = URL_SAFE_NO_PAD.decode(Some(text).filter(|it| it.len() <= MAX_LENGTH)?).ok()?;
        let cursor: Cursor = serde_json::from_slice(&json).ok()?;
        let values = cursor.values.iter().map(|value| URL_SAFE_NO_PAD.decode(value).ok());
        let values: Vec<_> = values.collect::<Option<_>>()?;
        let fits = values.len() == sort.values().len()
            && values.iter().all(|value| value.len() <= MAX_KEY)
            && !cursor.id.contains('\0');
        (fits && cursor.query == query.0).then_some(Position { values, id: cursor.id })
    };
    position()
        .ok_or_else(|| refuse(at, "cursor", "must be the next_cursor of a page of the same query"))
}

// The longest: base64 of base64, and an id of 512 bytes of which each is escaped.
const _: () = assert!((MAX_FIELDS * MAX_KEY * 4 / 3 + 2 * 512 + 100) * 4 / 3 < MAX_LENGTH);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sort(sort: Value) -> Sort {
        Sort::parse(sort.as_array().expect("an array"), "").expect("a sort")
    }

    #[test]
    fn a_cursor_belongs_to_its_query() {
        let by_n = sort(json!(["n"]));
        let query = Fingerprint::of(Uuid::nil(), &json!({ "a": 1 }), &by_n);
        let position = Position { values: vec![vec![0x30, 0, 0xff]], id: "é/\"\\".to_owned() };
        let cursor = encode(&query, &position).expect("a cursor");
        assert_eq!(decode(&cursor, &query, &by_n, "/cursor"), Ok(position));

        let down = sort(json!([{ "n": "desc" }]));
        for (other, sort) in [
            (Fingerprint::of(Uuid::nil(), &json!({ "a": 2 }), &by_n), &by_n),
            (Fingerprint::of(Uuid::max(), &json!({ "a": 1 }), &by_n), &by_n),
            (Fingerprint::of(Uuid::nil(), &json!({ "a": 1 }), &down), &down),
        ] {
            let refused = decode(&cursor, &other, sort, "/cursor").expect_err("another query");
            assert_eq!((refused.pointer.as_str(), &*refused.code), ("/cursor", "cursor"));
        }
        for text in ["", "x", "e30", &"a".repeat(MAX_LENGTH + 1)] {
            assert!(decode(text, &query, &by_n, "/cursor").is_err(), "{text:.10}");
        }
    }

    #[test]
    fn what_nobody_was_given_is_refused() {
        let by_n = sort(json!(["n"]));
        let query = Fingerprint::of(Uuid::nil(), &json!({}), &by_n);
        for (values, id) in [
            (vec![], "a"),
            (vec![vec![1], vec![2]], "a"),
            (vec![vec![1; MAX_KEY + 1]], "a"),
            (vec![vec![1]], "a\0"),
        ] {
            let position = Position { values, id: id.to_owned() };
            let cursor = encode(&query, &position).expect("a cursor");
            assert!(decode(&cursor, &query, &by_n, "").is_err(), "{position:?}");
        }
    }
}
