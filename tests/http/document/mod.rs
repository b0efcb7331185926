//! Collections and documents.

mod bulk;
mod collection;
mod configuration;
mod couch;
mod couch_attachments;
mod couch_changes;
mod couch_revisions;
#[expect(clippy::module_inception, reason = "the aggregate has the name of its wing")]
mod document;
mod engine;
mod engine_away;
mod indexes;
mod json_patch;
mod pouchdb;
mod pouchdb_suites;
mod programs;
mod query;
mod roles;
mod schema;
