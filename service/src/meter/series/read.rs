use uuid::Uuid;

use super::{MAX_BUCKETS, Rollup, Series, SeriesQuery, rules};
use crate::{
    actor::Actor,
    error::{Error, Result},
    meter::{
        consumption::Exchange,
        meter::{self, Kind, Meter},
        ranges::Range,
        rollup::{
            self, Cell, Line, Width,
            buckets::{self, BucketLength},
            cells, exchanges,
        },
    },
    store::{Store, Tx},
};

/// How many cells are read for a series at most.
const MAX_CELLS: i64 = 100_000;

/// What the readings of a meter come to over time.
///
/// # Errors
/// [`Error::Invalid`] for a span that is none, or too long.
pub async fn series(
    store: &Store,
    actor: &Actor,
    meter_id: Uuid,
    query: SeriesQuery,
) -> Result<Series> {
    let SeriesQuery { from, to, bucket, fill } = query;
    let (from, to) = (from.micros(actor), to.micros(actor));
    if from >= to {
        return Err(Error::invalid("?to", "order", "must be after from"));
    }
    let zone = actor.settings.time_zone;
    let length = bucket.unwrap_or(BucketLength::Day);
    let borders = buckets::borders(zone, length, (from, to), MAX_BUCKETS);
    let borders = borders.ok_or_else(|| {
        let message = format!("must be so near that there are at most {MAX_BUCKETS} buckets");
        Error::invalid("?to", "range", message)
    })?;
    let width = buckets::width(&borders);
    let (first, end) = match *borders {
        [first, .., end] => (first, end),
        _ => return Err(Error::Internal("a series has no borders".into())),
    };
    if (end - first) / (width.seconds() * rollup::SECOND) > MAX_CELLS {
        let message = "must be nearer: the series would be made of more than 100000 rollups";
        return Err(Error::invalid("?to", "range", message));
    }
    let organization_id = actor.organization_id;
    store
        .snapshot(async move |tx: &Tx| {
            let meter = meter::repository::get(tx, organization_id, meter_id).await?;
            let range = Range { meter_id, from: first, to: end };
            let (cells, is_whole, exchanges) =
                read(tx, organization_id, &meter, width, range).await?;
            let line = Line { kind: meter.kind, cells: &cells, is_whole, exchanges: &exchanges };
            let buckets = rollup::series(line, &borders);
            let fill = fill.unwrap_or_default();
            let buckets = buckets.iter().map(|bucket| rules::shown(&meter, fill, &cells, bucket));
            let buckets = buckets.collect::<Result<_>>()?;
            let rollup = match width {
                Width::Quarter => Rollup::Quarter,
                Width::Hour => Rollup::Hour,
            };
            Ok(Series { time_zone: zone.name().to_owned(), rollup, buckets, unit: meter.unit })
        })
        .await
}

/// The cells of a range with those beside it, whether none is before these, and the exchanges between them.
async fn read(
    tx: &Tx,
    organization_id: Uuid,
    meter: &Meter,
    width: Width,
    range: Range,
) -> Result<(Vec<Cell>, bool, Vec<Exchange>)> {
    let meter_id = meter.id;
    let beside = cells::neighbours(tx, organization_id, width, &[range]).await?;
    let (before, after) =
        beside.first().map_or((None, None), |(_, before, after)| (*before, *after));
    let one = |from: i64| Range { meter_id, from, to: from + 1 };
    let ranges: Vec<Range> =
        before.map(one).into_iter().chain([range]).chain(after.map(one)).collect();
    let mut found = cells::cells(tx, organization_id, width, &ranges).await?;
    let cells = found.remove(&meter_id).unwrap_or_default();
    let mut counted = Vec::new();
    if let (Kind::Counter, Some(first), Some(last)) = (meter.kind, cells.first(), cells.last()) {
        let span = Range { meter_id, from: first.first.at, to: last.last.at + 1 };
        let mut rows = exchanges::in_ranges(tx, organization_id, &[span]).await?;
        counted.extend(rows.remove(&meter_id).iter().flatten().map(exchanges::counted));
    }
    Ok((cells, before.is_none(), counted))
}
