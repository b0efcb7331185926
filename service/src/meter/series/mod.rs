//! What the readings of a meter come to over time, and what a consumption was made of.

mod explain;
mod read;
mod rules;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

pub use explain::{Explanation, ExplanationPart, ExplanationQuery, explain};
pub use read::series;

use crate::meter::{decimal::Decimal, moment::Moment, rollup::buckets::BucketLength};

/// How many buckets a series has at most.
pub const MAX_BUCKETS: usize = 3_000;

/// What a bucket of a gauge shows that has no reading.
///
/// - `null`: Nothing.
/// - `previous`: The value that was read last.
/// - `linear`: The value in the middle of the bucket on the line between the readings before and after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// Nothing.
    #[default]
    Null,
    /// The value that was read last.
    Previous,
    /// The value on the line between the readings around it.
    Linear,
}

/// Which series to return.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SeriesQuery {
    /// Begin with the bucket in which this instant (RFC 3339), or the beginning of this day, is.
    #[param(value_type = String, min_length = 10, max_length = 40)]
    pub from: Moment,
    /// End with the last bucket that begins before this instant (RFC 3339), or the beginning of this day.
    #[param(value_type = String, min_length = 10, max_length = 40)]
    pub to: Moment,
    /// Length of the buckets. Defaults to `day`.
    #[param(inline)]
    pub bucket: Option<BucketLength>,
    /// What `avg` of a bucket of a gauge is that has no reading. Defaults to `null`.
    #[param(inline)]
    pub fill: Option<Fill>,
}

/// What a series was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SeriesRollup)]
pub enum Rollup {
    /// Rollups of quarters of an hour.
    #[serde(rename = "15m")]
    Quarter,
    /// Rollups of hours.
    Hour,
}

/// What the readings of a meter come to over time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Series {
    /// Unit of the values as a UCUM code.
    #[schema(max_length = 50)]
    pub unit: String,
    /// Time zone of the buckets (IANA).
    #[schema(max_length = 64)]
    pub time_zone: String,
    /// What the buckets were made of.
    pub rollup: Rollup,
    /// Buckets in the order of time, also those without readings.
    #[schema(max_items = 3000)]
    pub buckets: Vec<SeriesBucket>,
}

/// What the readings of a span of time come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeriesBucket {
    /// Beginning of the bucket (RFC 3339, UTC).
    pub from: DateTime<Utc>,
    /// End of the bucket (RFC 3339, UTC): the beginning of the next one.
    pub to: DateTime<Utc>,
    /// Number of readings.
    #[schema(minimum = 0)]
    pub count: i64,
    /// First value; null without readings.
    #[schema(value_type = Option<f64>)]
    pub first: Option<Decimal>,
    /// Last value; null without readings.
    #[schema(value_type = Option<f64>)]
    pub last: Option<Decimal>,
    /// Smallest value; null without readings.
    #[schema(value_type = Option<f64>)]
    pub min: Option<Decimal>,
    /// Largest value; null without readings.
    #[schema(value_type = Option<f64>)]
    pub max: Option<Decimal>,
    /// Sum of the values of deltas and gauges; null without readings.
    #[schema(value_type = Option<f64>)]
    pub sum: Option<Decimal>,
    /// Of a gauge: the mean of the values, weighted by the time for which each holds, until the next reading. It has at
    /// most three digits more than the precision, rounded half away from zero. Null without readings, but for `fill`.
    #[schema(value_type = Option<f64>)]
    pub avg: Option<Decimal>,
    /// Whether `avg` is what `fill` asks for.
    pub filled: bool,
    /// Of a counter and of deltas: what was consumed. What lies between two readings is spread evenly, in whole units
    /// of the last digit, so that the buckets sum to the whole. Null where nothing is known.
    #[schema(value_type = Option<f64>)]
    pub consumption: Option<Decimal>,
}
