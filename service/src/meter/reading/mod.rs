//! Readings: what a meter showed at an instant. They have no version of their own: the log has an event of each batch.

mod batch;
pub mod commands;
mod digest;
pub(crate) mod limits;
mod queries;
mod repository;
pub mod verify;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use batch::{ReadingBatch, ReadingsBody};
pub(crate) use queries::with_neighbours;
pub use queries::{
    ReadingCorrection, ReadingDeletionQuery, ReadingHistory, ReadingQuery, get, list,
};

use crate::{meter::decimal::Decimal, text};

/// How many readings are written at once.
pub const MAX_BATCH: usize = 10_000;

/// What a meter showed at an instant.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "at": "2026-11-16T07:00:00Z", "value": 4711.5 })))]
pub struct Reading {
    /// Instant of the reading (RFC 3339), to the microsecond.
    #[validate(custom(function = text::instant), custom(function = text::microseconds))]
    pub at: DateTime<Utc>,
    /// Value in the unit of the meter. It has at most as many digits after the decimal point as the precision of the
    /// meter says.
    #[schema(value_type = f64, minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub value: Decimal,
}

/// A reading of a meter, in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The meter.
    pub meter_id: Uuid,
    /// What it showed.
    pub reading: Reading,
}

/// Another value of a reading.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "value": 4711.7 })))]
pub struct ReadingCorrectionInput {
    /// Value in the unit of the meter. It has at most as many digits after the decimal point as the precision of the
    /// meter says.
    #[schema(value_type = f64, minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub value: Decimal,
}

/// What was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({ "deleted": 96, "more": false })))]
pub struct DeletedReadings {
    /// Number of readings that were deleted, at most 10000.
    #[schema(minimum = 0)]
    pub deleted: u64,
    /// Whether there may be more: then the same request deletes the next ones.
    pub more: bool,
}

/// What became of a batch of readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({ "added": 96, "unchanged": 4, "corrected": 0 })))]
pub struct Appended {
    /// Number of readings that were added.
    #[schema(minimum = 0)]
    pub added: u64,
    /// Number of readings that were there already with the same value.
    #[schema(minimum = 0)]
    pub unchanged: u64,
    /// Number of readings that replaced one of another value.
    #[schema(minimum = 0)]
    pub corrected: u64,
}
