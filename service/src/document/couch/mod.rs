//! Documents in the words of CouchDB's replication protocol.

mod refusal;
pub mod wire;

pub use refusal::Refusal;
