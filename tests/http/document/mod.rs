//! Collections and documents.

mod collection;
mod document;
mod roles;
