//! Routes of rules and webhooks.

pub(crate) mod rule;
pub(crate) mod webhook;
