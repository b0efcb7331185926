//! Where documents are kept: one trait, and an engine a folder.
//!
//! An engine keeps texts. What a body must be, who may read it and what a query means is decided above it, the same
//! for all engines. docs/documents.md says what each of them promises, and what is weaker.

pub mod couchdb;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "firestore")]
pub mod firestore;
pub mod memory;
#[cfg(feature = "mongodb")]
pub mod mongodb;
mod write;

use std::{fmt, future::ready, ops::Bound};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{error::Result, random::hexadecimal};

pub use write::{Delete, Precondition, Put};
pub(crate) use write::{Step, Write};

/// The code of [`Error::NotConfigured`](crate::Error::NotConfigured) where an engine refuses steward's credentials.
pub const CREDENTIALS_REFUSED: &str = "documents_credentials_refused";

/// How many documents are read at once where an engine reads each by itself.
const READS_AT_ONCE: usize = 16;

/// A collection of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CollectionId {
    /// The organization.
    pub organization_id: Uuid,
    /// The collection.
    pub collection_id: Uuid,
}

/// A document as its last write left it. Of a deleted one, all but the body is kept, so that a document that is
/// created again counts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What clients call its `id`.
    pub key: String,
    /// Counts the writes of this key, deletions among them, from 1.
    pub version: i64,
    /// Exact JSON text; none if the document is deleted.
    pub body: Option<String>,
    /// When it was created, the last time.
    pub created_at: DateTime<Utc>,
    /// When it was written.
    pub updated_at: DateTime<Utc>,
    /// The write that made it so.
    pub write_id: Uuid,
}

impl Stored {
    /// Whether it is no longer there.
    pub fn is_deleted(&self) -> bool {
        self.body.is_none()
    }
}

/// By what a document is found: its value at a declared path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// A JSON Pointer (RFC 6901).
    pub path: String,
    /// The value, in an encoding whose order of bytes is the order of values; at most [`MAX_VALUE_BYTES`].
    pub value: Vec<u8>,
}

/// How long the value of an [`Entry`] may be, in bytes. What is longer is cut, and then found beside its equals.
pub const MAX_VALUE_BYTES: usize = 1024;

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done, now or before, and left this.
    Written(Stored),
    /// Its precondition did not hold, and nothing was written: what there is, which may be deleted.
    Conflict(Option<Stored>),
}

/// A range of documents by their values at a declared path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The path, as in [`Entry`].
    pub path: String,
    /// The least value.
    pub from: Bound<Vec<u8>>,
    /// The greatest value.
    pub to: Bound<Vec<u8>>,
    /// Goes on after this value and key: those of the last document of the page before.
    pub after: Option<(Vec<u8>, String)>,
    /// How many documents a page has at most; 1 or more.
    pub limit: usize,
}

/// Documents in an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// None of them is deleted.
    pub documents: Vec<Stored>,
    /// Whether there are more behind the last one. A page may be shorter than its limit where documents are large.
    pub more: bool,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The documents as they are now, deleted ones among them, in the order of their last writes.
    pub documents: Vec<Stored>,
    /// Where the next call goes on.
    pub cursor: String,
    /// Whether there may be more already.
    pub more: bool,
}

/// What keeps documents.
///
/// # Promises
///
/// - **Compare-and-set.** Writes of one document take effect one after another, in an order that agrees with the order
///   in which they were asked for and answered (linearizable). Each sees what the one before it has left: of writers
///   that name the same version, or that create the same key, exactly one is [`Outcome::Written`], and each other one
///   has the document that was in its way.
/// - **Exact round trip.** Keys and bodies come back byte for byte.
/// - **Read after write.** What has been answered is seen by every `get`, `scan`, `query` and `changes` that begins
///   after that, from any process.
/// - **Repeatable.** A write that is sent again with its `write_id` is done once, as long as no other write follows it:
///   so whoever does not know whether a write was done sends it again.
/// - **In order.** Pages are in the order of the keys' bytes (`scan`), or of values and then keys (`query`). A document
///   that is neither written nor deleted meanwhile is met exactly once. A page costs in proportion to its size.
/// - **Apart.** Nothing of one collection shows in another.
///
/// An engine that promises less says so in docs/documents.md.
///
/// # Errors
///
/// Every method fails with [`Error::Unavailable`](crate::Error::Unavailable) where the engine does not answer in time
/// and nothing was done; with [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) where a write may have been done;
/// and with [`Error::NotConfigured`](crate::Error::NotConfigured) and [`CREDENTIALS_REFUSED`] where it refuses
/// steward. None holds what the engine said.
pub trait Engine: fmt::Debug + Send + Sync {
    /// A document, which may be deleted; none if there never was one.
    fn get<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Stored>>>;

    /// Documents of some keys, in no order: of each what [`Self::get`] gives, but that deleted ones may be left out.
    fn get_some<'a>(
        &'a self,
        collection: CollectionId,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<Stored>>> {
        Box::pin(async move {
            let gets: Vec<_> = keys.iter().map(|key| self.get(collection, key)).collect();
            let found = stream::iter(gets).buffer_unordered(READS_AT_ONCE);
            found.try_filter_map(|stored| ready(Ok(stored))).try_collect().await
        })
    }

    /// Creates or replaces a document. [`Error::Invalid`](crate::Error::Invalid) where it is larger than the engine
    /// takes.
    fn put<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
        put: &'a Put,
    ) -> BoxFuture<'a, Result<Outcome>>;

    /// Deletes a document: its version counts on, and its body and entries are gone.
    fn delete<'a>(
        &'a self,
        collection: CollectionId,
        key: &'a str,
        delete: &'a Delete,
    ) -> BoxFuture<'a, Result<Outcome>>;

    /// Makes a document what it is elsewhere, with that version and those instants, unless there is the same or a later
    /// version of it: that is [`Outcome::Conflict`]. A version that counts on from it follows, as after any write. The
    /// document is found by no [`Entry`].
    fn restore<'a>(
        &'a self,
        collection: CollectionId,
        stored: &'a Stored,
    ) -> BoxFuture<'a, Result<Outcome>>;

    /// The documents whose keys come after `after`, at most `limit` (1 or more), in the order of their keys.
    fn scan<'a>(
        &'a self,
        collection: CollectionId,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Page>>;

    /// The documents that have an [`Entry`] in a range, in the order of its value and then of their keys.
    fn query<'a>(
        &'a self,
        collection: CollectionId,
        query: &'a Query,
    ) -> BoxFuture<'a, Result<Page>>;

    /// The documents that were written after `since`, a cursor of this method, or ever: each once, at most `limit`
    /// (1 or more). [`Error::Invalid`](crate::Error::Invalid) where `since` is no cursor of this engine.
    fn changes<'a>(
        &'a self,
        collection: CollectionId,
        since: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Changes>>;
}

/// What [`Engine::changes`] answers to a text that is none of its cursors.
fn not_a_cursor() -> crate::Error {
    crate::Error::invalid("?since", "cursor", "is not a cursor of this collection")
}

/// The name of a path in an engine: what is a name there has neither dots nor slashes of its own.
fn path_name(path: &str) -> String {
    format!("p{}", hexadecimal(&Sha256::digest(path)[..16]))
}
