//! How a document is kept in CouchDB.
//!
//! The body is kept as its text: the server, and whoever passes the document on, may write numbers in other ways.
//! Beside it stands what it is found by.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    super::{Entry, Stored, path_name},
    find,
};
use crate::random::hexadecimal;

/// With it the ids of documents begin. Those of CouchDB's own do not.
const ID: &str = "d";

/// The least text that no id reaches.
pub(super) const BEYOND_ALL_IDS: &str = "e";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Document {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_rev", skip_serializing_if = "Option::is_none")]
    pub(super) rev: Option<String>,
    #[serde(rename = "_deleted", default, skip_serializing_if = "is_false")]
    deleted: bool,
    key: String,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    write_id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// What it is found by: terms, by the names of their paths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    index: BTreeMap<String, String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Document {
    /// A document as it is to be kept, in the place of the revision `rev`.
    pub(super) fn new(stored: &Stored, entries: &[Entry], rev: Option<String>) -> Self {
        let term = |entry: &Entry| find::term(&entry.value, &stored.key);
        let index = entries.iter().map(|entry| (path_name(&entry.path), term(entry)));
        Self {
            id: id(&stored.key),
            rev,
            deleted: stored.is_deleted(),
            key: stored.key.clone(),
            version: stored.version,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            write_id: stored.write_id,
            body: stored.body.clone(),
            index: index.collect(),
        }
    }

    /// In this order the last one is that which CouchDB shows where others have made several of one.
    pub(super) fn rank(&self) -> (bool, u64, &str) {
        let rev = self.rev.as_deref().unwrap_or_default();
        let (generation, hash) = rev.split_once('-').unwrap_or_default();
        (!self.deleted, generation.parse().unwrap_or_default(), hash)
    }
}

impl From<Document> for Stored {
    fn from(document: Document) -> Self {
        let Document { deleted, key, version, created_at, updated_at, write_id, body, .. } =
            document;
        let body = body.filter(|_| !deleted);
        Self { key, version, body, created_at, updated_at, write_id }
    }
}

/// The id of a key. The order of ids is that of the keys' bytes, by whatever rules texts are compared.
pub(super) fn id(key: &str) -> String {
    format!("{ID}{}", hexadecimal(key.as_bytes()))
}

/// The least id after that of a key.
pub(super) fn id_after(key: &str) -> String {
    format!("{}0", id(key))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_are_in_the_order_of_keys(one in ".*", other in ".*") {
            prop_assert_eq!(id(&one).cmp(&id(&other)), one.as_bytes().cmp(other.as_bytes()));
            prop_assert_eq!(id_after(&one) <= id(&other), one.as_bytes() < other.as_bytes());
            prop_assert!(id(&one).as_str() < BEYOND_ALL_IDS);
        }
    }

    #[test]
    fn of_several_revisions_that_one_ranks_highest_which_couchdb_shows() {
        let of = |rev: &str, deleted: bool| Document {
            id: id("k"),
            rev: Some(rev.to_owned()),
            deleted,
            key: "k".to_owned(),
            version: 1,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            write_id: Uuid::nil(),
            body: None,
            index: BTreeMap::new(),
        };
        let ascending = [("3-a", true), ("2-f", false), ("10-a", false), ("10-b", false)];
        let documents = ascending.map(|(rev, deleted)| of(rev, deleted));
        assert!(documents.is_sorted_by_key(Document::rank));
    }
}
