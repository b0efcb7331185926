//! Documents: JSON of any shape, kept to the letter, in collections that say who may read and write them.

pub mod attachment;
pub mod collection;
pub mod couch;
#[expect(clippy::module_inception, reason = "the aggregate has the name of its wing")]
pub mod document;
pub mod engine;
pub(crate) mod index;
pub(crate) mod outbox;
pub mod query;
pub mod remote;
pub mod revision;
pub mod schema;
pub mod search;
pub(crate) mod subject;
