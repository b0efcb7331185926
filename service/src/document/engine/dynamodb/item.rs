//! Documents as items.

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeBounds,
};

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};

use super::{
    super::{CollectionId, Entry, Query, Stored, path_name},
    failure::Failure,
    keys,
};

/// What an item of the table is.
pub(super) type Item = HashMap<String, AttributeValue>;

/// How many bytes of a body a part has at most: an item has 400 KB.
const PART_BYTES: usize = 300 * 1024;

/// A document as it is in the table, but for the parts of its body.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) stored: Stored,
    /// How many parts its body has; none if the body is in the item, or the document is deleted.
    pub(super) parts: usize,
    /// Where its last write is among the changes.
    pub(super) position: u64,
    /// The `SK` of what it is found by, by the names of the paths.
    pub(super) terms: BTreeMap<String, String>,
}

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The attributes that say where an item is.
pub(super) fn key(pk: &str, sk: &str) -> Item {
    [("PK", pk), ("SK", sk)].map(|(name, part)| (name.to_owned(), text(part))).into()
}

fn get<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    let text = match item.get(name)? {
        AttributeValue::S(text) | AttributeValue::N(text) => text,
        _ => return None,
    };
    text.parse().ok()
}

/// The text of an attribute.
pub(super) fn text_of(item: &Item, name: &str) -> Result<String, Failure> {
    get(item, name).ok_or_else(unreadable)
}

/// The number of an attribute.
pub(super) fn number_of(item: &Item, name: &str) -> Result<u64, Failure> {
    get(item, name).ok_or_else(unreadable)
}

pub(super) fn unreadable() -> Failure {
    Failure::Lost("DynamoDB's answer was not understood".to_owned())
}

/// The parts of a body that is too large for one item.
pub(super) fn parts(body: Option<&str>) -> Vec<&str> {
    let mut rest = body.filter(|body| body.len() > PART_BYTES).unwrap_or_default();
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(rest.floor_char_boundary(PART_BYTES));
        parts.push(part);
        rest = behind;
    }
    parts
}

impl Kept {
    pub(super) fn new(stored: &Stored, entries: &[Entry], position: u64) -> Self {
        let term = |entry: &Entry| keys::term(&entry.value, &stored.key);
        let terms = entries.iter().map(|entry| (path_name(&entry.path), term(entry)));
        let parts = parts(stored.body.as_deref()).len();
        Self { stored: stored.clone(), parts, position, terms: terms.collect() }
    }

    pub(super) fn item(&self, id: CollectionId) -> Item {
        let Self { stored, parts, position, terms } = self;
        let Stored { key: name, version, body, created_at, updated_at, write_id } = stored;
        let mut item = key(&keys::documents(id), name);
        let terms = terms.iter().map(|(path, term)| (path.clone(), text(term)));
        item.extend([
            ("version".to_owned(), number(version)),
            ("created_at".to_owned(), text(created_at.to_rfc3339())),
            ("updated_at".to_owned(), text(updated_at.to_rfc3339())),
            ("write_id".to_owned(), text(write_id.to_string())),
            ("body_parts".to_owned(), number(parts)),
            ("change_position".to_owned(), number(position)),
            ("terms".to_owned(), AttributeValue::M(terms.collect())),
        ]);
        item.extend(
            body.iter().filter(|_| *parts == 0).map(|body| ("body".to_owned(), text(body))),
        );
        if body.is_none() {
            item.insert("is_deleted".to_owned(), AttributeValue::Bool(true));
        }
        item
    }

    /// What an item says. A body that is in parts is missing.
    pub(super) fn of(item: &Item) -> Result<Self, Failure> {
        let instant = |name| get::<DateTime<Utc>>(item, name).ok_or_else(unreadable);
        let is_deleted = item.contains_key("is_deleted");
        let stored = Stored {
            key: text_of(item, "SK")?,
            version: get(item, "version").ok_or_else(unreadable)?,
            // Of one in parts, it is read into this.
            body: get::<String>(item, "body").or_else(|| (!is_deleted).then(String::new)),
            created_at: instant("created_at")?,
            updated_at: instant("updated_at")?,
            write_id: get(item, "write_id").ok_or_else(unreadable)?,
        };
        let terms = item.get("terms").and_then(|terms| terms.as_m().ok()).ok_or_else(unreadable)?;
        let terms =
            terms.iter().map(|(path, term)| Some((path.clone(), term.as_s().ok()?.clone())));
        let (parts, position) =
            (number_of(item, "body_parts")?, number_of(item, "change_position")?);
        Ok(Self {
            stored,
            parts: usize::try_from(parts).map_err(|_| unreadable())?,
            position,
            terms: terms.collect::<Option<_>>().ok_or_else(unreadable)?,
        })
    }
}

/// By what a document is found.
pub(super) struct EntryItem {
    pub(super) document: String,
    /// The whole value.
    pub(super) value: Vec<u8>,
    /// Its `SK`, in which the value may be cut.
    pub(super) term: String,
}

impl EntryItem {
    pub(super) fn of(item: &Item) -> Result<Self, Failure> {
        let value = item.get("value").and_then(|value| value.as_b().ok()).ok_or_else(unreadable)?;
        let (document, term) = (text_of(item, "document")?, text_of(item, "SK")?);
        Ok(Self { document, value: value.as_ref().to_vec(), term })
    }

    /// Whether the value is in the range of a query.
    pub(super) fn is_within(&self, query: &Query) -> bool {
        let range = (query.from.as_ref(), query.to.as_ref());
        RangeBounds::<Vec<u8>>::contains(&range, &self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_cut_between_characters() {
        let body = format!("{{\"a\":\"{}\"}}", "\u{1f600}".repeat(200_000));
        let parts = parts(Some(&body));
        assert_eq!(parts.len(), 3);
        assert_eq!(parts.concat(), body);
        assert!(self::parts(Some(&"x".repeat(PART_BYTES))).is_empty());
        assert!(self::parts(None).is_empty());
    }
}
