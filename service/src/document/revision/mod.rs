//! Revisions of documents, as CouchDB and PouchDB have them, for clients that edit documents while they are offline.
//!
//! A document has a tree of revisions ([`tree`]). Whoever edits it adds a revision. The body of the one that wins is
//! the document's; what loses is kept beside it until somebody deletes it.
//!
//! Trees are kept in collections that such a client has written into, of documents that have been written since. All
//! others follow from the log ([`derived`]): they cost nothing, and are the same when they are kept later.

mod commands;
mod derived;
mod name;
mod read;
pub(crate) mod repository;
pub mod tree;

use std::cmp::Ordering;

pub(crate) use commands::{Edit, Plan, kept_leaves, plan, record};
pub use name::{InvalidRevision, MAX_HASH_CHARACTERS, Revision};
pub(crate) use read::{Trees, known, leaves};

pub(crate) use super::subject::Subject;

/// What events call that of which there are revisions.
pub(crate) const ENTITY: &str = "document";

/// The end of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// The revision.
    pub(crate) revision: Revision,
    /// What clients call the document.
    pub(crate) key: String,
    /// Whether the document is deleted as of it.
    pub(crate) deleted: bool,
    /// The JSON of its body, unless that is the document's, or has no members.
    pub(crate) body: Option<String>,
    /// Its attachments, as they are stored.
    pub(crate) attachments: Option<String>,
}

impl Leaf {
    /// Not deleted before deleted, then the later generation, then the greater hash.
    fn winner_first(&self, other: &Self) -> Ordering {
        let by_revision = || other.revision.cmp(&self.revision);
        self.deleted.cmp(&other.deleted).then_with(by_revision)
    }
}
