//! The sums of what was spent, materialized by month, so that a report reads no expense of a month it
//! covers whole (docs/decisions/0021).
//!
//! Every write of an expense appends to `spending_delta` by how much it changes the sums, in its own
//! transaction. [`worker`] adds deltas to `spending_total` and deletes them, and sums an organization's
//! expenses once, before the first time: until then, its reports sum the rows. What a reader sees of
//! totals and deltas together is what the rows sum to, at every moment.

mod delta;
mod repository;
mod totals;
pub mod verify;
pub(crate) mod worker;

pub(super) use delta::Deltas;
pub(super) use repository::append;
pub(crate) use repository::{Row, SumsQuery, sums};
pub(crate) use totals::Dimension;
