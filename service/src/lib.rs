//! The domain of steward. The crate knows nothing of HTTP. It is built on the crate [`platform`], whose modules
//! it re-exports.
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
//! | imports in the background | [`import`] |
//! | files that belong to other resources | [`attachment`] |
//! | people and permissions | [`identity`] |
//! | projects, tasks, time, daily reports, incidents | [`work`] |
//! | expenses, budgets, the ledger | [`money`] |
//! | collections and documents | [`document`] |
//! | meters and readings | [`meter`] |
//! | reports | [`report`] |
//! | documents | [`document`] |
//! | reactions, rules, webhooks | [`automation`] |
//! | everything of the domain by name | [`catalogue`], [`distribution`], [`purge`], [`key_rotation`] |
//! | offline clients | [`sync`] |
//!
//! The other modules are those of [`platform`]: the store, the event log, resources, work in the background.
//!
//! An aggregate is a folder: `mod.rs` has its types, `commands.rs` its writes, `repository.rs` its
//! queries (a folder where they have several subjects), and `rules.rs` its pure functions where it has
//! any.
//!
//! # Where to begin
//!
//! [`resource`] defines what all resources have in common, and [`money::category`] is a small resource.
//! [`store`] explains reads and writes. docs/architecture.md follows one request through the crates.

// The domain. layers.rs has the order.
pub mod attachment;
pub mod automation;
pub mod document;
pub mod identity;
pub mod import;
pub mod meter;
pub mod money;
pub mod report;
pub mod sync;
pub mod work;

// What names all of the domain.
pub mod catalogue;
pub mod distribution;
pub mod key_rotation;
pub mod purge;

#[cfg(test)]
mod layers;

// The platform: its modules are named as those of this crate.
pub use platform::{
    actor::{self, Actor},
    amount, background, cache, clock, consumer, csv, details, doctor,
    error::{self, Error, Result},
    event, geo, idempotency, input, lease, limit, objects, outbound, outcome, random, redis,
    resource, role, saga, seal, spreadsheet,
    store::{self, Store},
    text, trace, zone,
};
pub(crate) use platform::{backoff, due, example, fault, liveness, measure, number, tenant};
