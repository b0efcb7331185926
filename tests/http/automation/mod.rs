//! What steward does by itself: rules, consumers of events, webhooks.

mod large_expense;
mod reactions;
mod rule;
mod thresholds;
pub(crate) mod webhook;
