//! Readings: what a meter showed at an instant. They have no version of their own: the log has an event of each batch.

pub mod commands;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::meter::decimal::Decimal;

/// How many readings are written at once.
pub const MAX_BATCH: usize = 10_000;

/// What a meter showed at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The instant, to the microsecond.
    pub at: DateTime<Utc>,
    /// What it showed.
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
