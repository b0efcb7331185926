//! What steward does by itself: reactions to events, rules, and webhooks.

pub(crate) mod budget_thresholds;
pub(crate) mod large_expenses;
pub(crate) mod meter_limits;
pub mod rule;
pub mod saga;
pub mod webhook;
