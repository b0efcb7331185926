//! What is sent to a CouchDB and what it answers, as far as it is read.

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::document::Document;

#[derive(Serialize)]
pub(super) struct BulkDocs<'a> {
    pub(super) docs: [&'a Document; 1],
}

#[derive(Serialize)]
pub(super) struct Keys {
    pub(super) keys: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Saved {
    #[serde(default)]
    pub(super) error: Value,
}

#[derive(Deserialize)]
pub(super) struct Leaf {
    pub(super) ok: Option<Document>,
}

#[derive(Deserialize)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
}

#[derive(Deserialize)]
pub(super) struct Row {
    pub(super) doc: Option<Document>,
}

#[derive(Deserialize)]
pub(super) struct Found {
    /// None is one that was deleted while the answer was made.
    pub(super) docs: Vec<Option<Document>>,
}

#[derive(Deserialize)]
pub(super) struct Feed {
    pub(super) results: Vec<Change>,
    pub(super) last_seq: Value,
}

#[derive(Deserialize)]
pub(super) struct Change {
    pub(super) id: String,
    pub(super) doc: Option<Box<RawValue>>,
}
