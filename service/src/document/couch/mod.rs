//! Documents in the words of CouchDB's replication protocol, for PouchDB and its like. docs/documents.md tells what of
//! it there is.

mod changes;
mod checkpoint;
mod database;
mod diff;
mod edit;
mod known;
mod list;
mod read;
mod refusal;
mod repository;
mod seq;
pub mod wire;
mod write;

pub use changes::{Changes, ChangesQuery, MAX_CHANGES, changes};
pub use checkpoint::{LocalSent, get as get_checkpoint, put as put_checkpoint};
pub use database::{Info, create, delete, info};
pub use diff::revisions_diff;
pub use edit::Edits;
pub use known::{Which, With};
pub use list::{List, ListQuery, list};
pub use read::{Wanted, bulk_get, get, get_attachment, open_revisions};
pub use refusal::Refusal;
pub use seq::Seq;
pub use write::{How, Written, bulk, edit_attachment, put};

use crate::error::Result;

/// What ends the whole comes first: the database is away, or is to be asked again.
fn settled<T>(outcome: Result<T, Refusal>) -> Result<Result<T, Refusal>> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(refusal) => refusal.of_one().map(Err),
    }
}
