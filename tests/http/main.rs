//! What clients see, on every database.

// A test that cannot go on has failed: there is nothing better to do than to panic.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod attachment;
mod automation;
mod differential;
mod document;
mod guards;
mod identity;
mod meter;
mod money;
mod platform;
mod report;
mod sync;
mod work;
