//! Revisions of documents, as CouchDB and PouchDB have them, for clients that edit documents while they are offline.
//!
//! A document has a tree of revisions ([`tree`]). Whoever edits it adds a revision. The body of the one that wins is
//! the document's; what loses is kept beside it until somebody deletes it.

mod name;
pub mod tree;

pub use name::{InvalidRevision, MAX_HASH_CHARACTERS, Revision};
