//! How readings are read.

use chrono::{DateTime, Utc};
use entity::reading_correction;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{Reading, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::EventAuthor,
    meter::{
        consumption::Point,
        decimal::Decimal,
        meter::{self, Meter},
        moment::{Moment, instant},
        ranges::Range,
    },
    store::{
        Store, Tx,
        page::{DEFAULT_LIMIT, Page, paged},
    },
};

/// Page of the readings of a meter.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReadingQuery {
    /// Return readings from this instant (RFC 3339), or the beginning of this day, on. Defaults to the first.
    #[param(value_type = Option<String>, min_length = 10, max_length = 40)]
    pub from: Option<Moment>,
    /// Return readings before this instant (RFC 3339), or the beginning of this day. Defaults to all.
    #[param(value_type = Option<String>, min_length = 10, max_length = 40)]
    pub to: Option<Moment>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(ReadingQuery);

/// Reading of a meter with what it was before.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReadingHistory {
    /// Instant of the reading (RFC 3339, UTC).
    pub at: DateTime<Utc>,
    /// Value in the unit of the meter.
    #[schema(value_type = f64)]
    pub value: Decimal,
    /// What it was before, the latest correction first: the latest 100.
    #[schema(max_items = 100)]
    pub corrections: Vec<ReadingCorrection>,
}

/// Value that a reading had before it was corrected.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReadingCorrection {
    /// Value before the correction.
    #[schema(value_type = f64)]
    pub before: Decimal,
    /// Value after the correction.
    #[schema(value_type = f64)]
    pub after: Decimal,
    /// Time of the correction (RFC 3339, UTC).
    pub corrected_at: DateTime<Utc>,
    /// Author of the correction.
    pub author: EventAuthor,
}

/// Readings to delete.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReadingDeletionQuery {
    /// Delete readings from this instant (RFC 3339), or the beginning of this day, on.
    #[param(value_type = String, min_length = 10, max_length = 40)]
    pub from: Moment,
    /// Delete readings before this instant (RFC 3339), or the beginning of this day.
    #[param(value_type = String, min_length = 10, max_length = 40)]
    pub to: Moment,
}

/// How many corrections of a reading are shown.
const MAX_CORRECTIONS: u64 = 100;

fn shown(meter: &Meter, point: Point) -> Result<Reading> {
    Ok(Reading { at: instant(point.at)?, value: meter.value(point.value) })
}

/// A page of the readings of a meter, in the order of time.
pub async fn list(
    store: &Store,
    actor: &Actor,
    meter_id: Uuid,
    query: ReadingQuery,
) -> Result<Page<Reading>> {
    let ReadingQuery { from, to, limit, cursor } = query;
    let from = from.map_or(i64::MIN, |from| from.micros(actor));
    let to = to.map_or(i64::MAX, |to| to.micros(actor));
    // The last reading of the page before.
    let from = match cursor {
        None => from,
        Some(cursor) => {
            let last: Option<i64> = cursor.parse().ok();
            let next = last.and_then(|last| last.checked_add(1)).map(|next| next.max(from));
            let message = "must be the next_cursor of a page of readings";
            next.ok_or_else(|| Error::invalid("?cursor", "cursor", message))?
        }
    };
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let organization_id = actor.organization_id;
    store
        .snapshot(async move |tx: &Tx| {
            let meter = meter::repository::get(tx, organization_id, meter_id).await?;
            let range = Range { meter_id, from, to };
            let mut points = repository::first(tx, organization_id, range, limit + 1).await?;
            let shown_count = usize::try_from(limit).unwrap_or(usize::MAX);
            let is_last = points.len() <= shown_count;
            points.truncate(shown_count);
            let last = points.last().filter(|_| !is_last);
            let next_cursor = last.map(|last| last.at.to_string());
            let items = points.iter().map(|point| shown(&meter, *point)).collect::<Result<_>>()?;
            Ok(Page { items, next_cursor })
        })
        .await
}

/// The reading of an instant, with what it was before.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(
    store: &Store,
    actor: &Actor,
    (meter_id, at): (Uuid, DateTime<Utc>),
) -> Result<ReadingHistory> {
    let (organization_id, at) = (actor.organization_id, at.timestamp_micros());
    store
        .snapshot(async move |tx: &Tx| {
            let meter = meter::repository::get(tx, organization_id, meter_id).await?;
            let range = Range { meter_id, from: at, to: at + 1 };
            let points = repository::first(tx, organization_id, range, 1).await?;
            let Reading { at, value } =
                shown(&meter, *points.first().ok_or(Error::NotFound("reading"))?)?;
            let rows = repository::corrections(tx, organization_id, range, MAX_CORRECTIONS).await?;
            let corrections = rows.into_iter().map(|row| correction(&meter, row));
            Ok(ReadingHistory { at, value, corrections: corrections.collect::<Result<_>>()? })
        })
        .await
}

fn correction(meter: &Meter, row: reading_correction::Model) -> Result<ReadingCorrection> {
    Ok(ReadingCorrection {
        before: meter.value(row.before),
        after: meter.value(row.after),
        corrected_at: instant(row.corrected_at)?,
        author: EventAuthor { kind: row.author, id: row.author_id },
    })
}

/// The readings of a meter in a span, with the last one before it and the first one after it, in the order of time.
/// None if there are more than some.
pub(crate) async fn with_neighbours(
    tx: &Tx,
    organization_id: Uuid,
    range: Range,
    most: u64,
) -> Result<Option<Vec<Point>>> {
    let Range { meter_id, to, .. } = range;
    let before = repository::last_before(tx, organization_id, meter_id, range.from).await?;
    let within = repository::first(tx, organization_id, range, most + 1).await?;
    let after = Range { meter_id, from: to, to: i64::MAX };
    let after = repository::first(tx, organization_id, after, 1).await?;
    let is_few = u64::try_from(within.len()).is_ok_and(|count| count <= most);
    Ok(is_few.then(|| before.into_iter().chain(within).chain(after).collect()))
}
