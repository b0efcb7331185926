//! Collections and documents.

mod collection;
#[expect(clippy::module_inception, reason = "the aggregate has the name of its wing")]
mod document;
mod query;
mod roles;
