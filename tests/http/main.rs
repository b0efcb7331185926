//! What clients see, on every database.

// A test that cannot go on has failed: there is nothing better to do than to panic.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod differential;
mod documents;
mod guards;
mod statements;

mod api_key;
mod approval;
mod away;
mod batch;
mod budget;
mod category;
mod changes;
mod concurrent;
mod dropped;
mod event_feed;
mod event_history;
mod event_stream;
mod expense;
mod expense_input;
mod expense_list;
mod expense_project;
mod idempotency;
mod idempotency_at_once;
mod import;
mod import_format;
mod import_large;
mod import_property;
mod invitation;
mod ledger;
mod limits;
mod member;
mod operations;
mod paging;
mod payout;
mod project;
mod reactions;
mod registration;
mod rules;
mod session;
mod spending;
mod sync;
mod sync_property;
mod task;
mod thresholds;
mod time_entry;
mod time_import;
mod time_import_lock;
mod time_import_property;
mod webhook;
mod webhook_delivery;
mod webhook_refusal;
