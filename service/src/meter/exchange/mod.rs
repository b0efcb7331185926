//! Where counters began anew: what a drop means, and that a device was exchanged for another one.

mod commands;
mod queries;

use chrono::{DateTime, Utc};
use entity::meter_exchange::{Column, Model};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub use commands::{put, remove};
pub use queries::{MeterExchangeDeletionQuery, MeterExchangeQuery, list};

use crate::{
    error::Result,
    meter::{consumption::ExchangeKind, decimal::Decimal, meter::Meter, moment::instant},
    store::stored,
};

/// Where a counter began anew. Consumption goes on at `before`, and from `after` on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MeterExchange {
    /// Instant (RFC 3339, UTC): of a drop, that of the lower reading.
    pub at: DateTime<Utc>,
    /// How it began anew.
    pub kind: ExchangeKind,
    /// What the counter showed last.
    #[schema(value_type = f64)]
    pub before: Decimal,
    /// What it showed then.
    #[schema(value_type = f64)]
    pub after: Decimal,
    /// Whether it is there because the readings drop, and goes when they do not.
    pub by_rule: bool,
    /// Identifier of the member who has decided or entered it; null if the rule of the meter has.
    pub decided_by_member_id: Option<Uuid>,
    /// Time of the decision (RFC 3339, UTC); null if there is none.
    pub decided_at: Option<DateTime<Utc>>,
}

impl MeterExchange {
    /// What a row of a meter shows.
    pub(crate) fn of(meter: &Meter, row: &Model) -> Result<Self> {
        Ok(Self {
            at: instant(row.at)?,
            kind: stored::word(Column::Kind, row.meter_id, &row.kind)?,
            before: meter.value(row.before),
            after: meter.value(row.after),
            by_rule: row.by_rule,
            decided_by_member_id: row.decided_by_member_id,
            decided_at: row.decided_at.map(instant).transpose()?,
        })
    }
}

/// How a counter began anew, as somebody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeterExchangeDecision {
    /// It has passed its maximum and begun at 0: what the lower reading of a drop means.
    Rollover,
    /// It has begun at another value, by itself: what the lower reading of a drop means.
    Reset,
    /// It was exchanged for another one, at any instant.
    Exchange,
}

impl From<MeterExchangeDecision> for ExchangeKind {
    fn from(decision: MeterExchangeDecision) -> Self {
        match decision {
            MeterExchangeDecision::Rollover => Self::Rollover,
            MeterExchangeDecision::Reset => Self::Reset,
            MeterExchangeDecision::Exchange => Self::Exchange,
        }
    }
}

/// What to say of where a counter began anew.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "kind": "exchange", "before": 4720.3, "after": 0 })))]
pub struct MeterExchangeInput {
    /// How it began anew.
    pub kind: MeterExchangeDecision,
    /// What the counter showed last. Defaults to `rollover_at` of the meter for `rollover`, and to the reading before
    /// for `reset`. Required for `exchange`.
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub before: Option<Decimal>,
    /// What it showed then. Defaults to 0.
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub after: Option<Decimal>,
}
