//! The domain of steward, and the store beneath it. The crate knows nothing of HTTP.
//!
//! # Promises
//!
//! - A function of an organization's data takes an [`Actor`]: the organization, and who acts in it.
//! - [`Store::write`] runs a closure in one transaction and returns once the result is durable. The
//!   closure may run again, so it does nothing outside the database.
//! - A change of a versioned row names the version that it was made against, and leaves its event in
//!   the same transaction ([`store::versioned`]).
//! - SQLite and PostgreSQL give the same results. Only [`store`] knows which of them it uses.
//! - The time and all randomness are handed in ([`clock`], [`random`]).
//! - The functions of the domain fail with one type, [`Error`].
//!
//! # Modules
//!
//! | group | modules |
//! |---|---|
//! | people | [`user`], [`session`], [`organization`], [`member`], [`invitation`], [`api_key`] |
//! | permissions | [`actor`], [`role`], [`access`], [`throttle`] |
//! | money | [`money`], [`category`], [`expense`], [`budget`], [`account`], [`journal_entry`] |
//! | work | [`project`], [`task`], [`time_entry`], [`timecard`], [`rate`], [`daily_report`], [`incident`] |
//! | reports and imports | [`report`], [`import`] |
//! | the event log and what follows from it | [`event`], [`consumer`], [`rule`], [`webhook`], [`sync`] |
//! | work in the background | [`background`], [`lease`], [`saga`], [`purge`] |
//! | what resources share | [`resource`], [`input`], [`idempotency`], [`error`], [`text`] |
//! | encryption | [`seal`], [`key_rotation`] |
//! | outgoing requests | [`outbound`] |
//! | time zones | [`zone`], [`redating`] |
//! | the database | [`store`] |
//!
//! An aggregate is a folder: `mod.rs` has its types, `commands.rs` its writes, `repository.rs` its
//! queries, and `rules.rs` its pure functions where it has any.
//!
//! # Where to begin
//!
//! [`resource`] defines what all resources have in common, and [`category`] is a small resource.
//! [`store`] explains reads and writes. docs/architecture.md follows one request through the crates.

pub mod access;
pub mod account;
pub mod actor;
pub mod api_key;
pub mod background;
pub mod budget;
pub mod catalogue;
pub mod category;
pub mod clock;
pub mod consumer;
pub mod daily_report;
mod details;
mod due;
pub mod error;
pub mod event;
mod example;
pub mod expense;
mod fault;
pub mod idempotency;
pub mod import;
pub mod incident;
pub mod input;
pub mod invitation;
pub mod journal_entry;
pub mod key_rotation;
pub mod lease;
mod liveness;
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
pub mod rule;
pub mod saga;
pub mod seal;
mod separation_of_duties;
pub mod session;
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
