//! Meters and their readings: series of exact decimals, what they come to, and what was consumed.

pub mod decimal;
#[expect(clippy::module_inception, reason = "the aggregate has the name of its wing")]
pub mod meter;
pub mod reading;
pub mod unit;
