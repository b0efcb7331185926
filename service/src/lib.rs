//! What steward does: the domain, and the store beneath it. Knows nothing of HTTP.
//!
//! One folder an aggregate: `mod.rs` holds its types, `commands.rs` its writes, `repository.rs`
//! every query about it, `rules.rs` what is pure. docs/architecture.md follows one request through.

pub mod access;
pub mod account;
pub mod actor;
pub mod api_key;
pub mod background;
pub mod budget;
pub mod category;
pub mod clock;
pub mod consumer;
pub mod daily_report;
mod decision;
mod details;
mod due;
pub mod error;
pub mod event;
pub mod expense;
mod fault;
pub mod idempotency;
pub mod import;
pub mod incident;
pub mod input;
pub mod invitation;
pub mod journal_entry;
pub mod lease;
pub mod member;
pub mod money;
pub mod organization;
pub mod outbound;
pub mod project;
pub mod purge;
pub mod random;
pub mod rate;
pub mod redating;
pub mod report;
pub mod resource;
pub mod role;
pub mod rotation;
pub mod rule;
pub mod saga;
pub mod seal;
pub mod session;
mod stillness;
pub mod store;
pub mod sync;
pub mod task;
pub mod text;
pub mod throttle;
pub mod time_entry;
pub mod timecard;
pub mod user;
pub mod webhook;
pub mod zone;

pub use actor::Actor;
pub use error::{Error, Result};
pub use store::Store;
