//! Collections and documents.

mod bulk;
mod collection;
mod configuration;
#[expect(clippy::module_inception, reason = "the aggregate has the name of its wing")]
mod document;
mod json_patch;
mod query;
mod roles;
mod schema;
