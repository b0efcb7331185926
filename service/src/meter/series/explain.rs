//! What a consumption was made of.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::{
    actor::Actor,
    error::{Error, Result},
    meter::{
        consumption::{Point, segments},
        decimal::Decimal,
        exchange::MeterExchange,
        meter::{self, Kind, Meter},
        moment::{Moment, instant},
        ranges::Range,
        reading::{self, Reading},
        rollup::exchanges,
    },
    store::{Store, Tx},
};

/// How many readings an explanation has at most.
const MAX_READINGS: u64 = 1_000;

/// Which consumption to explain.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplanationQuery {
    /// Begin at this instant (RFC 3339), or the beginning of this day.
    #[param(value_type = String, min_length = 10, max_length = 40)]
    pub from: Moment,
    /// End at this instant (RFC 3339), or the beginning of this day.
    #[param(value_type = String, min_length = 10, max_length = 40)]
    pub to: Moment,
}

/// What a consumption was made of.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Explanation {
    /// Unit of the values as a UCUM code.
    #[schema(max_length = 50)]
    pub unit: String,
    /// What was consumed in the whole span.
    #[schema(value_type = f64)]
    pub consumption: Decimal,
    /// What it is the sum of, in the order of time.
    #[schema(max_items = 1000)]
    pub parts: Vec<ExplanationPart>,
}

/// What was consumed between two readings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExplanationPart {
    /// Reading before; null for the first reading of deltas.
    pub before: Option<Reading>,
    /// Reading after.
    pub after: Reading,
    /// Where the counter began anew between them.
    #[schema(max_items = 1000)]
    pub exchanges: Vec<MeterExchange>,
    /// What was consumed between them.
    #[schema(value_type = f64)]
    pub between: Decimal,
    /// How much of it counts: all, or by the time that lies within the span.
    #[schema(value_type = f64)]
    pub consumption: Decimal,
    /// Whether only a part of it counts, which is spread evenly over the time.
    pub interpolated: bool,
}

/// What was consumed from one instant until another, reading by reading.
///
/// # Errors
/// [`Error::Invalid`] for a span that is none, or has too many readings; [`Error::State`] for a gauge, which consumes
/// nothing.
pub async fn explain(
    store: &Store,
    actor: &Actor,
    meter_id: Uuid,
    query: ExplanationQuery,
) -> Result<Explanation> {
    let (from, to) = (query.from.micros(actor), query.to.micros(actor));
    if from >= to {
        return Err(Error::invalid("?to", "order", "must be after from"));
    }
    let organization_id = actor.organization_id;
    store
        .snapshot(async move |tx: &Tx| {
            let meter = meter::repository::get(tx, organization_id, meter_id).await?;
            if meter.kind == Kind::Gauge {
                return Err(Error::state("not_consumed", "a gauge tells of no consumption"));
            }
            let range = Range { meter_id, from, to };
            let points = reading::with_neighbours(tx, organization_id, range, MAX_READINGS).await?;
            let points = points.ok_or_else(|| {
                let message =
                    format!("must be nearer: there are more than {MAX_READINGS} readings");
                Error::invalid("?to", "range", message)
            })?;
            let parts = parts(tx, organization_id, &meter, (from, to), &points).await?;
            let sum: i128 = parts.iter().map(|(_, units)| units).sum();
            let consumption = decimal(&meter, sum)?;
            let parts = parts.into_iter().map(|(part, _)| part).collect();
            Ok(Explanation { unit: meter.unit, consumption, parts })
        })
        .await
}

fn decimal(meter: &Meter, units: i128) -> Result<Decimal> {
    let too_many = || Error::state("out_of_range", "a sum has more digits than are shown");
    Decimal::of_units(units, meter.digits()).ok_or_else(too_many)
}

async fn parts(
    tx: &Tx,
    organization_id: Uuid,
    meter: &Meter,
    (from, to): (i64, i64),
    points: &[Point],
) -> Result<Vec<(ExplanationPart, i128)>> {
    let [first, ..] = points else { return Ok(Vec::new()) };
    let last = points.last().unwrap_or(first);
    let span = Range { meter_id: meter.id, from: first.at, to: last.at + 1 };
    let rows = match meter.kind {
        Kind::Counter => exchanges::list(tx, organization_id, span, MAX_READINGS).await?,
        Kind::Gauge | Kind::Delta => Vec::new(),
    };
    let counted: Vec<_> = rows.iter().map(exchanges::of_row).collect();
    let shown = |point: Point| {
        Ok::<_, Error>(Reading { at: instant(point.at)?, value: meter.value(point.value) })
    };
    let mut parts = Vec::new();
    // Nothing is before the first of all.
    if meter.kind == Kind::Delta && first.at >= from && first.at < to {
        let (units, after) = (i128::from(first.value), shown(*first)?);
        let between = decimal(meter, units)?;
        let part = ExplanationPart {
            before: None,
            after,
            exchanges: Vec::new(),
            between,
            consumption: between,
            interpolated: false,
        };
        parts.push((part, units));
    }
    for pair in points.windows(2) {
        let [before, after] = *pair else { continue };
        let segments = segments(meter.kind, before, after, &counted);
        let whole: i128 = segments.iter().map(|segment| segment.amount).sum();
        let units: i128 = segments.iter().map(|segment| segment.within(from, to)).sum();
        let within = rows.iter().filter(|row| row.at > before.at && row.at <= after.at);
        let part = ExplanationPart {
            before: Some(shown(before)?),
            after: shown(after)?,
            exchanges: within.map(|row| MeterExchange::of(meter, row)).collect::<Result<_>>()?,
            between: decimal(meter, whole)?,
            consumption: decimal(meter, units)?,
            interpolated: before.at < from || after.at > to,
        };
        parts.push((part, units));
    }
    Ok(parts)
}
