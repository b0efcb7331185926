//! What is read: its unit, how its values are kept, and what follows from them.

mod commands;
mod example;
pub(crate) mod repository;
mod rules;

use chrono::{DateTime, Utc};
use entity::meter::Column;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::{
    error::{Error, Result},
    input::{AnyOrNone, IdOrNone},
    meter::{
        decimal::{Decimal, MAX_PRECISION},
        unit,
    },
    store::{page::paged, stored},
    text,
};

/// What the values of a meter are.
///
/// - `gauge`: What there is at an instant, such as a temperature. A value holds until the next one.
/// - `counter`: What was consumed since the counter began, such as that of electricity.
/// - `delta`: What was consumed since the reading before.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = MeterKind)]
pub enum Kind {
    /// What there is at an instant.
    Gauge,
    /// What was consumed since the counter began.
    Counter,
    /// What was consumed since the reading before.
    Delta,
}

/// What a value of a counter means that is lower than the one before.
///
/// - `rollover`: The counter has passed `rollover_at` and begun at 0 again.
/// - `reset`: The counter has begun at 0 again.
/// - `ask`: Somebody decides. Until then, nothing was consumed between the two readings.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = MeterDropRule)]
pub enum DropRule {
    /// The counter has passed `rollover_at` and begun at 0 again.
    Rollover,
    /// The counter has begun at 0 again.
    Reset,
    /// Somebody decides.
    #[default]
    Ask,
}

/// What a reading means at an instant that has one of another value.
///
/// - `reject`: It is refused, with all that is sent with it.
/// - `replace`: It corrects the reading that is there.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = MeterConflictRule)]
pub enum ConflictRule {
    /// It is refused.
    #[default]
    Reject,
    /// It corrects the reading that is there.
    Replace,
}

/// Writable properties of a meter.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::in_itself))]
#[schema(examples(Self::example))]
pub struct MeterInput {
    /// Name of the meter, not blank, at most 100 characters.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub name: String,
    /// Unit of the values as a UCUM code (case-sensitive), such as `kW.h`, `m3`, `Cel`, `km` or `{cycles}`. Immutable
    /// once there are readings.
    #[validate(length(max = 50), custom(function = unit::known))]
    pub unit: String,
    /// What the values are. Immutable once there are readings.
    pub kind: Kind,
    /// Identifier of the project to which the meter belongs; null for none.
    pub project_id: Option<Uuid>,
    /// Where the meter is, at most 200 characters.
    #[validate(length(max = 200), custom(function = text::visible))]
    pub place: Option<String>,
    /// How many seconds lie between two readings as a rule, 1 to 31622400; null if there is no rule.
    #[validate(range(min = 1, max = 31_622_400))]
    pub interval_seconds: Option<i64>,
    /// How many digits after the decimal point a value has at most, 0 to 9. Values with more are refused. Defaults
    /// to 0. Immutable once there are readings.
    #[serde(default)]
    #[validate(range(min = 0, max = 9))]
    pub precision: i64,
    /// What a value of a counter means that is lower than the one before. Defaults to `ask`. Applies to readings that
    /// are written from then on.
    #[serde(default)]
    pub on_drop: DropRule,
    /// Value at which the counter begins at 0 again, such as 100000 for one of five digits. No value is above it.
    /// Required for `rollover`. Immutable once there are readings.
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub rollover_at: Option<Decimal>,
    /// What a reading means at an instant that has one of another value. Defaults to `reject`.
    #[serde(default)]
    pub on_conflict: ConflictRule,
    /// Value below which there is too little: then the managers get a task. Null for no limit.
    #[schema(value_type = Option<f64>, minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub low: Option<Decimal>,
    /// Value above which there is too much: then the managers get a task. Null for no limit.
    #[schema(value_type = Option<f64>, minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub high: Option<Decimal>,
    /// By how much a value has to be back within the limits before they can be passed again. Defaults to 0.
    #[serde(default)]
    #[schema(value_type = f64, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub hysteresis: Decimal,
    /// Series that writes to the meter with InfluxDB's line protocol: bucket, measurement, tags in the order of their
    /// keys, and field, such as `home/sensor,room=Kitchen temperature`, at most 500 characters; null for none. Unique.
    #[validate(length(max = 500), custom(function = text::visible))]
    pub source: Option<String>,
}

/// Something that is read: of electricity, water, heat, fuel, hours, a temperature.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Meter {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change. Readings do not change
    /// it.
    pub version: i64,
    /// Name of the meter, not blank, at most 100 characters.
    pub name: String,
    /// Unit of the values as a UCUM code.
    pub unit: String,
    /// What the values are.
    pub kind: Kind,
    /// Identifier of the project to which the meter belongs; null for none.
    pub project_id: Option<Uuid>,
    /// Where the meter is.
    pub place: Option<String>,
    /// How many seconds lie between two readings as a rule; null if there is no rule.
    pub interval_seconds: Option<i64>,
    /// How many digits after the decimal point a value has at most.
    pub precision: i64,
    /// What a value of a counter means that is lower than the one before.
    pub on_drop: DropRule,
    /// Value at which the counter begins at 0 again.
    #[schema(value_type = Option<f64>)]
    pub rollover_at: Option<Decimal>,
    /// What a reading means at an instant that has one of another value.
    pub on_conflict: ConflictRule,
    /// Value below which there is too little; null for no limit.
    #[schema(value_type = Option<f64>)]
    pub low: Option<Decimal>,
    /// Value above which there is too much; null for no limit.
    #[schema(value_type = Option<f64>)]
    pub high: Option<Decimal>,
    /// By how much a value has to be back within the limits before they can be passed again.
    #[schema(value_type = f64)]
    pub hysteresis: Decimal,
    /// Series that writes to the meter with InfluxDB's line protocol; null for none.
    pub source: Option<String>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::meter::Model> for Meter {
    type Error = Error;

    fn try_from(row: entity::meter::Model) -> Result<Self> {
        let entity::meter::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            name,
            name_key: _,
            unit,
            kind,
            project_id,
            place,
            interval_seconds,
            precision,
            on_drop,
            rollover_at,
            on_conflict,
            low,
            high,
            hysteresis,
            source,
        } = row;
        let value = |units: i64| Decimal::of_scaled(units, digits(precision));
        Ok(Self {
            id,
            version,
            name,
            unit,
            kind: stored::word(Column::Kind, id, &kind)?,
            project_id,
            place,
            interval_seconds,
            precision,
            on_drop: stored::word(Column::OnDrop, id, &on_drop)?,
            rollover_at: rollover_at.map(value),
            on_conflict: stored::word(Column::OnConflict, id, &on_conflict)?,
            low: low.map(value),
            high: high.map(value),
            hysteresis: value(hysteresis),
            source,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

/// A precision as a number of digits.
fn digits(precision: i64) -> u8 {
    u8::try_from(precision).map_or(MAX_PRECISION, |digits| digits.min(MAX_PRECISION))
}

impl Meter {
    /// How many digits after the decimal point its values have.
    pub fn digits(&self) -> u8 {
        digits(self.precision)
    }

    /// A value of the meter of so many units.
    pub fn value(&self, units: i64) -> Decimal {
        Decimal::of_scaled(units, self.digits())
    }
}

/// Filters and page of a list of meters.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MeterQuery {
    /// Return meters of one of these projects, or with `none` those without a project.
    #[param(value_type = Option<Vec<IdOrNone>>, inline)]
    pub project_id: Option<AnyOrNone<Uuid>>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(MeterQuery);
