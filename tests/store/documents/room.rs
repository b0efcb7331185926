//! A collection for one case, and what is done in it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use service::{
    Result,
    document::engine::{
        Changes, CollectionId, Delete, Engine, Entry, Outcome, Page, Precondition, Put, Query,
        Stored,
    },
};
use uuid::Uuid;

/// Of this process: an engine is this process's own.
static NEXT: AtomicU64 = AtomicU64::new(1);

fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(super) fn new_id() -> Uuid {
    Uuid::from_u64_pair(0x5eed, next())
}

/// A minute of 2026, in microseconds that not every format keeps.
pub(super) fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + 60 * minute, 123_457_000).unwrap()
}

/// Collections of an engine, of which nobody else knows.
pub(super) struct Room {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) collection: CollectionId,
}

pub(super) const SOME: &str = r#"{"name":"some","n":1}"#;
pub(super) const OTHER: &str = r#"{"name":"other","n":2}"#;

/// A write of its own, by which nothing is found.
pub(super) fn put(precondition: Precondition, body: &str) -> Put {
    // Later than the one before.
    let number = next();
    let at = at(0) + TimeDelta::microseconds(i64::try_from(number).unwrap());
    Put { precondition, body: body.to_owned(), entries: Vec::new(), write_id: new_id(), at }
}

pub(super) fn entry(path: &str, value: &[u8]) -> Entry {
    Entry { path: path.to_owned(), value: value.to_vec() }
}

pub(super) fn delete(version: i64) -> Delete {
    let Put { write_id, at, .. } = put(Precondition::Absent, "");
    Delete { version, write_id, at }
}

/// What a write left.
pub(super) fn written(outcome: Outcome) -> Stored {
    match outcome {
        Outcome::Written(stored) => stored,
        Outcome::Conflict(current) => panic!("a conflict with {current:?}"),
    }
}

/// What was in the way of a write.
pub(super) fn conflict(outcome: Outcome) -> Option<Stored> {
    match outcome {
        Outcome::Conflict(current) => current,
        Outcome::Written(stored) => panic!("written: {stored:?}"),
    }
}

impl Room {
    pub(super) fn new(engine: &Arc<dyn Engine>) -> Self {
        let collection = CollectionId { organization_id: new_id(), collection_id: new_id() };
        Self { engine: engine.clone(), collection }
    }

    /// Another collection of the same organization.
    pub(super) fn beside(&self) -> Self {
        let CollectionId { organization_id, .. } = self.collection;
        let collection = CollectionId { organization_id, collection_id: new_id() };
        Self { engine: self.engine.clone(), collection }
    }

    pub(super) async fn get(&self, key: &str) -> Option<Stored> {
        self.engine.get(self.collection, key).await.unwrap()
    }

    pub(super) async fn put(&self, key: &str, put: &Put) -> Outcome {
        self.engine.put(self.collection, key, put).await.unwrap()
    }

    pub(super) async fn create(&self, key: &str, body: &str) -> Stored {
        written(self.put(key, &put(Precondition::Absent, body)).await)
    }

    /// Creates a document that is found by one value.
    pub(super) async fn create_with(&self, key: &str, path: &str, value: &[u8]) -> Stored {
        let entries = vec![entry(path, value)];
        written(self.put(key, &Put { entries, ..put(Precondition::Absent, SOME) }).await)
    }

    pub(super) async fn create_all(&self, keys: &[&str]) {
        for key in keys {
            self.create(key, SOME).await;
        }
    }

    pub(super) async fn try_update(&self, key: &str, version: i64, body: &str) -> Outcome {
        self.put(key, &put(Precondition::Version(version), body)).await
    }

    pub(super) async fn update(&self, key: &str, version: i64, body: &str) -> Stored {
        written(self.try_update(key, version, body).await)
    }

    pub(super) async fn try_delete(&self, key: &str, version: i64) -> Outcome {
        self.engine.delete(self.collection, key, &delete(version)).await.unwrap()
    }

    pub(super) async fn delete(&self, key: &str, version: i64) -> Stored {
        written(self.try_delete(key, version).await)
    }

    pub(super) async fn scan(&self, after: Option<&str>, limit: usize) -> Page {
        self.engine.scan(self.collection, after, limit).await.unwrap()
    }

    /// All documents, in pages.
    pub(super) async fn all(&self, limit: usize) -> Vec<Stored> {
        let (mut all, mut more) = (Vec::<Stored>::new(), true);
        while more {
            let after = all.last().map(|last| last.key.clone());
            let page = self.scan(after.as_deref(), limit).await;
            assert!(page.documents.len() <= limit, "{} of {limit}", page.documents.len());
            assert!(!page.documents.is_empty() || !page.more, "an empty page, and more behind it");
            more = page.more;
            all.extend(page.documents);
        }
        all
    }

    pub(super) async fn query(&self, query: &Query) -> Page {
        self.engine.query(self.collection, query).await.unwrap()
    }

    pub(super) async fn changes(&self, since: Option<&str>, limit: usize) -> Result<Changes> {
        self.engine.changes(self.collection, since, limit).await
    }
}

pub(super) fn keys(documents: &[Stored]) -> Vec<&str> {
    documents.iter().map(|document| document.key.as_str()).collect()
}
