//! Clients that were offline.

mod changes;
mod edits;
mod property;
