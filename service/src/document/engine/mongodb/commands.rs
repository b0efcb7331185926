//! What is sent: filters and documents. Pure.
//!
//! A document of MongoDB changes by itself, and no other with it. So a write first takes the next position of the
//! collection: the head of the collection, of which there is one, gets the position and all that the write is to do,
//! if nobody else has changed the head. Then the document is put in the place of the one that was read. Whoever finds
//! a write in the head finishes it before it begins another: it has no effect the second time.

use std::ops::Bound::{Excluded, Included, Unbounded};

use chrono::{DateTime, Utc};
use mongodb::bson::{Bson, Document, doc};

use super::{
    super::{Entry, Query, Stored, path_name},
    failure::Failure,
};
use crate::random::hexadecimal;

/// The `_id` of the head. Those of documents begin with another letter.
const HEAD: &str = "head";

/// The `_id` of a document.
pub(super) fn id(key: &str) -> String {
    format!("d{key}")
}

/// The documents, and not the head.
fn documents() -> Document {
    doc! { "$gt": "d", "$lt": "e" }
}

/// Where the value at a path is kept.
pub(super) fn field(path: &str) -> String {
    format!("index.{}", path_name(path))
}

/// A value in the order of its bytes. MongoDB compares bytes by their number first, and texts by their bytes.
fn term(value: &[u8]) -> String {
    hexadecimal(value)
}

/// A document as it is kept.
fn document(stored: &Stored, entries: &[Entry], position: i64) -> Document {
    let index =
        entries.iter().map(|entry| (path_name(&entry.path), Bson::from(term(&entry.value))));
    doc! {
        "_id": id(&stored.key),
        "key": &stored.key,
        "version": stored.version,
        "write_id": stored.write_id.to_string(),
        "created_at": stored.created_at.timestamp_micros(),
        "updated_at": stored.updated_at.timestamp_micros(),
        "present": !stored.is_deleted(),
        "position": position,
        "body": stored.body.clone(),
        "index": index.collect::<Document>(),
    }
}

/// What is said of a document that has not what steward writes.
fn unreadable() -> Failure {
    Failure::Lost("a document of MongoDB was not understood")
}

fn instant(document: &Document, name: &str) -> Result<DateTime<Utc>, Failure> {
    let micros = document.get_i64(name).map_err(|_| unreadable())?;
    DateTime::from_timestamp_micros(micros).ok_or_else(unreadable)
}

/// Reads a document.
pub(super) fn stored(document: &Document) -> Result<Stored, Failure> {
    let text = |name: &str| document.get_str(name).map_err(|_| unreadable());
    Ok(Stored {
        key: text("key")?.to_owned(),
        version: document.get_i64("version").map_err(|_| unreadable())?,
        body: document.get_str("body").ok().map(str::to_owned),
        created_at: instant(document, "created_at")?,
        updated_at: instant(document, "updated_at")?,
        write_id: text("write_id")?.parse().map_err(|_| unreadable())?,
    })
}

/// Where a document is among the changes.
pub(super) fn position(document: &Document) -> Result<i64, Failure> {
    document.get_i64("position").map_err(|_| unreadable())
}

/// The filter of the head.
pub(super) fn head() -> Document {
    doc! { "_id": HEAD }
}

/// The last position that a head has given.
pub(super) fn last(head: &Document) -> Result<i64, Failure> {
    head.get_i64("last").map_err(|_| unreadable())
}

/// The head that has a write, to be put in the place of the one that was read.
pub(super) fn next_head(
    head: Option<&Document>,
    stored: &Stored,
    entries: &[Entry],
    current: Option<&Stored>,
) -> Result<Place, Failure> {
    let before = head.map_or(Ok(0), last)?;
    let slot = doc! {
        "document": document(stored, entries, before + 1),
        "version": current.map(|current| current.version),
        "write_id": current.map(|current| current.write_id.to_string()),
    };
    let next = doc! { "_id": HEAD, "last": before + 1, "slot": slot };
    Ok(match head {
        None => Place::Insert(next),
        Some(_) => Place::Replace(doc! { "_id": HEAD, "last": before }, next),
    })
}

/// What finishes the write that a head has.
pub(super) fn settle(head: &Document) -> Result<Place, Failure> {
    let slot = head.get_document("slot").map_err(|_| unreadable())?;
    let document = slot.get_document("document").map_err(|_| unreadable())?.clone();
    let (version, write_id) = (slot.get("version"), slot.get("write_id"));
    match (version, write_id) {
        (Some(Bson::Int64(version)), Some(Bson::String(write_id))) => {
            let id = document.get_str("_id").map_err(|_| unreadable())?;
            let filter = doc! { "_id": id, "version": version, "write_id": write_id };
            Ok(Place::Replace(filter, document))
        }
        (Some(Bson::Null), Some(Bson::Null)) => Ok(Place::Insert(document)),
        _ => Err(unreadable()),
    }
}

/// How a document gets to its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    /// There is none of its `_id`.
    Insert(Document),
    /// In the place of one that a filter finds: `findOneAndReplace`.
    Replace(Document, Document),
}

/// A filter, and the order of what it finds.
pub(super) type Search = (Document, Document);

/// The documents behind a key that are not deleted.
pub(super) fn scan(after: Option<&str>) -> Search {
    let after = id(after.unwrap_or_default());
    (doc! { "present": true, "_id": { "$gt": after, "$lt": "e" } }, doc! { "_id": 1 })
}

/// The documents in a range of values.
pub(super) fn range(query: &Query) -> Search {
    let field = field(&query.path);
    // What has no value is less than any text.
    let mut bounds = doc! { "$gte": "" };
    match &query.from {
        Included(value) => _ = bounds.insert("$gte", term(value)),
        Excluded(value) => _ = bounds.insert("$gt", term(value)),
        Unbounded => {}
    }
    match &query.to {
        Included(value) => _ = bounds.insert("$lte", term(value)),
        Excluded(value) => _ = bounds.insert("$lt", term(value)),
        Unbounded => {}
    }
    let mut filter = doc! { &field: bounds };
    if let Some((value, key)) = &query.after {
        let behind = doc! { &field: { "$gt": term(value) } };
        let equal = doc! { &field: term(value), "_id": { "$gt": id(key) } };
        filter.insert("$or", vec![behind, equal]);
    }
    (filter, doc! { field: 1, "_id": 1 })
}

/// The documents whose last write is behind a position.
pub(super) fn changes(since: i64) -> Search {
    (doc! { "position": { "$gt": since }, "_id": documents() }, doc! { "position": 1 })
}

/// The indexes that every collection has.
pub(super) fn indexes() -> Vec<Document> {
    vec![doc! { "present": 1, "_id": 1 }, doc! { "position": 1 }]
}

/// The index that a query of a path reads.
pub(super) fn index(path: &str) -> Document {
    doc! { field(path): 1, "_id": 1 }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn some(version: i64, write: u128, body: Option<&str>) -> Stored {
        let at = DateTime::from_timestamp_micros(1_780_000_000_000_001).expect("an instant");
        Stored {
            key: "k".to_owned(),
            version,
            body: body.map(str::to_owned),
            created_at: at,
            updated_at: at,
            write_id: Uuid::from_u128(write),
        }
    }

    fn entries() -> Vec<Entry> {
        vec![Entry { path: "/a".to_owned(), value: vec![1, 255] }]
    }

    fn kept(version: i64, position: i64) -> Document {
        doc! {
            "_id": "dk",
            "key": "k",
            "version": version,
            "write_id": "00000000-0000-0000-0000-000000000003",
            "created_at": 1_780_000_000_000_001_i64,
            "updated_at": 1_780_000_000_000_001_i64,
            "present": true,
            "position": position,
            "body": "{\"a\":1.00}",
            "index": { path_name("/a"): "01ff" },
        }
    }

    #[test]
    fn a_creation_is_the_first_change_and_inserts_the_document() {
        let created = some(1, 3, Some("{\"a\":1.00}"));
        let place = next_head(None, &created, &entries(), None).expect("a head");
        let slot = doc! { "document": kept(1, 1), "version": Bson::Null, "write_id": Bson::Null };
        let head = doc! { "_id": "head", "last": 1_i64, "slot": slot };
        assert_eq!(place, Place::Insert(head.clone()));
        assert_eq!(settle(&head).expect("a write"), Place::Insert(kept(1, 1)));
        assert_eq!(stored(&kept(1, 1)).expect("a document"), created);
    }

    #[test]
    fn an_update_demands_the_head_and_the_version_and_the_write_that_were_read() {
        let before = doc! { "_id": "head", "last": 41_i64, "slot": {} };
        let (current, updated) = (some(7, 9, Some("{}")), some(8, 3, Some("{\"a\":1.00}")));
        let place = next_head(Some(&before), &updated, &entries(), Some(&current)).expect("a head");
        let Place::Replace(filter, head) = place else { panic!("{place:?}") };
        assert_eq!(filter, doc! { "_id": "head", "last": 41_i64 });
        let id = "00000000-0000-0000-0000-000000000009";
        let slot = doc! { "document": kept(8, 42), "version": 7_i64, "write_id": id };
        assert_eq!(head, doc! { "_id": "head", "last": 42_i64, "slot": slot });
        let filter = doc! { "_id": "dk", "version": 7_i64, "write_id": id };
        assert_eq!(settle(&head).expect("a write"), Place::Replace(filter, kept(8, 42)));
    }

    #[test]
    fn a_deletion_leaves_the_version_and_nothing_to_be_found_by() {
        let place = next_head(None, &some(8, 3, None), &[], Some(&some(7, 9, Some("{}"))));
        let Ok(Place::Insert(head)) = place else { panic!("{place:?}") };
        let Ok(Place::Replace(_, document)) = settle(&head) else { panic!("{head:?}") };
        assert_eq!(document.get("body"), Some(&Bson::Null));
        assert_eq!(document.get_bool("present"), Ok(false));
        assert_eq!(document.get_document("index"), Ok(&doc! {}));
        assert!(stored(&document).expect("a document").is_deleted());
    }

    #[test]
    fn a_query_is_a_range_in_the_order_of_values_and_ids() {
        let query = Query {
            path: "/a".to_owned(),
            from: Excluded(vec![1]),
            to: Included(vec![2]),
            after: Some((vec![1, 0], "k".to_owned())),
            limit: 10,
        };
        let (filter, sort) = range(&query);
        let field = field("/a");
        let after =
            [doc! { &field: { "$gt": "0100" } }, doc! { &field: "0100", "_id": { "$gt": "dk" } }];
        let bounds = doc! { "$gte": "", "$gt": "01", "$lte": "02" };
        assert_eq!(filter, doc! { &field: bounds, "$or": after.to_vec() });
        assert_eq!(sort, doc! { field: 1, "_id": 1 });
    }

    #[test]
    fn a_list_and_the_changes_leave_out_the_head() {
        let filter = doc! { "present": true, "_id": { "$gt": "da", "$lt": "e" } };
        assert_eq!(scan(Some("a")), (filter, doc! { "_id": 1 }));
        let filter = doc! { "position": { "$gt": 7_i64 }, "_id": { "$gt": "d", "$lt": "e" } };
        assert_eq!(changes(7), (filter, doc! { "position": 1 }));
    }
}
