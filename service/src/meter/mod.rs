//! Meters and their readings: series of exact decimals, what they come to, and what was consumed.

pub mod consumption;
pub mod decimal;
pub mod exchange;
pub mod ingest;
pub mod line_protocol;
#[expect(clippy::module_inception, reason = "the aggregate has the name of its wing")]
pub mod meter;
pub mod moment;
pub(crate) mod ranges;
pub mod reading;
pub mod rollup;
pub mod series;
pub mod unit;
