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
//! | people and permissions | [`identity`] |
//! | projects, tasks, time, daily reports, incidents | [`work`] |
//! | expenses, budgets, the ledger | [`money`] |
//! | reports | [`report`] |
//! | reactions, rules, webhooks | [`automation`] |
//! | offline clients | [`sync`] |
//! | everything of the domain by name | [`catalogue`], [`purge`], [`key_rotation`] |
//! | imports in the background | [`import`] |
//! | who acts, and what they may do | [`actor`], [`role`] |
//! | what resources share | [`resource`], [`input`], [`outcome`], [`idempotency`], [`error`] |
//! | values | [`text`], [`amount`], [`zone`] |
//! | the event log and what follows from it | [`event`], [`consumer`] |
//! | work in the background | [`background`], [`lease`], [`saga`] |
//! | files of CSV | [`csv`] |
//! | encryption and outgoing requests | [`seal`], [`outbound`] |
//! | the database | [`store`] |
//!
//! An aggregate is a folder: `mod.rs` has its types, `commands.rs` its writes, `repository.rs` its
//! queries, and `rules.rs` its pure functions where it has any.
//!
//! # Where to begin
//!
//! [`resource`] defines what all resources have in common, and [`money::category`] is a small resource.
//! [`store`] explains reads and writes. docs/architecture.md follows one request through the crates.

// The platform: it would be the same in another product.
pub mod actor;
pub mod amount;
pub mod background;
mod backoff;
pub mod clock;
pub mod consumer;
pub mod csv;
mod details;
mod due;
pub mod error;
pub mod event;
mod fault;
pub mod idempotency;
pub mod input;
pub mod lease;
mod liveness;
pub mod outbound;
pub mod outcome;
pub mod random;
pub mod resource;
pub mod role;
pub mod saga;
pub mod seal;
pub mod store;
mod tenant;
pub mod text;
pub mod zone;

// The domain. layers.rs has the order.
pub mod automation;
mod example;
pub mod identity;
pub mod import;
pub mod money;
pub mod report;
pub mod sync;
pub mod work;

// What names all of the domain.
pub mod catalogue;
pub mod key_rotation;
pub mod purge;

#[cfg(test)]
mod layers;

pub use actor::Actor;
pub use error::{Error, Result};
pub use store::Store;
