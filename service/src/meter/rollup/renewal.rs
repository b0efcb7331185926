//! Keeps cells and exchanges as readings change, in the transaction that changes them: of each meter the cells in which
//! readings have changed, and the exchanges between these and their neighbours. Few statements, however many meters.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::{Cell, Width, cells, exchanges, join, points, roll};
use crate::{
    error::Result,
    meter::{
        consumption::{Drops, Exchange, Kept, Point, Stretch},
        meter::{Kind, Meter},
        ranges::Range,
    },
    store::Tx,
};

/// Readings of a meter that have changed.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// The meter.
    pub(crate) meter: &'a Meter,
    /// Its last reading before the change.
    pub(crate) last: Option<Point>,
    /// What has changed, as it is now: those that were added or corrected.
    pub(crate) points: &'a [Point],
    /// Whether all of them are new.
    pub(crate) added: bool,
    /// The instants at which there are none any more, or at which an exchange has changed.
    pub(crate) others: &'a [i64],
}

impl Change<'_> {
    /// Whether all that has changed comes after all that was there.
    fn is_at_the_end(&self) -> bool {
        let first = self.points.first();
        let after = |point: &Point| self.last.is_none_or(|last| point.at > last.at);
        self.added && self.others.is_empty() && first.is_some_and(after)
    }

    fn instants(&self) -> impl Iterator<Item = i64> + '_ {
        self.points.iter().map(|point| point.at).chain(self.others.iter().copied())
    }

    /// The beginnings of the cells in which something has changed.
    fn touched(&self, width: Width) -> BTreeSet<i64> {
        self.instants().map(|at| width.start_of(at)).collect()
    }

    /// The hours in which something has changed, those that follow each other as one.
    fn hours(&self) -> Vec<Range> {
        let mut ranges: Vec<Range> = Vec::new();
        for from in self.touched(Width::Hour) {
            let to = Width::Hour.after(from);
            match ranges.last_mut() {
                Some(last) if last.to == from => last.to = to,
                _ => ranges.push(Range { meter_id: self.meter.id, from, to }),
            }
        }
        ranges
    }
}

/// Why readings are refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused {
    /// The meter.
    pub(crate) meter_id: Uuid,
    /// The instant of a reading that contradicts an exchange.
    pub(crate) at: i64,
    /// The instant of the exchange.
    pub(crate) exchange_at: i64,
}

/// What is read to make the cells of a meter anew.
#[derive(Debug, Default)]
struct Known {
    /// The quarters in the hours that change, as they were.
    quarters: BTreeMap<i64, Cell>,
    /// The cells beside those hours, by the beginnings of the hours' ranges.
    before: BTreeMap<i64, Cell>,
    after: BTreeMap<i64, Cell>,
    /// All readings of the quarters that are read anew.
    points: BTreeMap<i64, Vec<Point>>,
    exchanges: Vec<Kept>,
}

/// Where it happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The transaction.
    pub(crate) tx: &'a Tx,
    /// The organization.
    pub(crate) organization_id: Uuid,
}

/// Renews what follows from changes, each of another meter, and says which of them is refused.
pub(crate) async fn renew(
    scope: Scope<'_>,
    changes: &[Change<'_>],
) -> Result<std::result::Result<(), Refused>> {
    let known = read(scope, changes).await?;
    let (mut written, mut put) = (Vec::new(), Vec::new());
    for (change, mut known) in changes.iter().zip(known) {
        let meter_id = change.meter.id;
        if change.meter.kind == Kind::Counter {
            match drops(change, &known) {
                Err(contradiction) => return Ok(Err(contradiction)),
                Ok(drops) => {
                    exchanges::remove(scope.tx, scope.organization_id, meter_id, &drops.removed)
                        .await?;
                    apply(&mut known.exchanges, &drops);
                    put.extend(drops.put.into_iter().map(|row| (meter_id, row)));
                }
            }
        }
        let made = made(change, known);
        written.extend(made.cells.into_iter().map(|(width, cell)| (meter_id, width, cell)));
        for (width, starts) in made.gone {
            cells::remove(scope.tx, scope.organization_id, meter_id, width, &starts).await?;
        }
    }
    exchanges::write(scope.tx, scope.organization_id, &put).await?;
    cells::write(scope.tx, scope.organization_id, &written).await?;
    Ok(Ok(()))
}

/// Reads what is needed: for changes at the end the quarters of the hour that goes on, else also the readings of the
/// quarters that change, and what is beside them.
async fn read(scope: Scope<'_>, changes: &[Change<'_>]) -> Result<Vec<Known>> {
    let Scope { tx, organization_id } = scope;
    let mut hours = Vec::new();
    for change in changes {
        match (change.is_at_the_end(), change.last, change.hours()) {
            // Only its first hour can have readings.
            (true, None, _) => {}
            (true, Some(_), ranges) => hours.extend(ranges.first().copied()),
            (false, _, ranges) => hours.extend(ranges),
        }
    }
    let mut quarters = cells::cells(tx, organization_id, Width::Quarter, &hours).await?;
    let mut known = Vec::with_capacity(changes.len());
    for change in changes {
        let quarters = quarters.remove(&change.meter.id).unwrap_or_default();
        let quarters = quarters.into_iter().map(|cell| (cell.start, cell)).collect();
        known.push(Known { quarters, ..Known::default() });
    }
    read_points(scope, changes, &mut known).await?;
    read_neighbours(scope, changes, &mut known).await?;
    read_exchanges(scope, changes, &mut known).await?;
    Ok(known)
}

async fn read_points(scope: Scope<'_>, changes: &[Change<'_>], known: &mut [Known]) -> Result<()> {
    let mut ranges: Vec<Range> = Vec::new();
    for (change, known) in changes.iter().zip(&*known).filter(|(it, _)| !it.is_at_the_end()) {
        for from in change.touched(Width::Quarter) {
            if !known.quarters.contains_key(&from) {
                continue;
            }
            let (meter_id, to) = (change.meter.id, Width::Quarter.after(from));
            match ranges.last_mut() {
                Some(last) if last.meter_id == meter_id && last.to == from => last.to = to,
                _ => ranges.push(Range { meter_id, from, to }),
            }
        }
    }
    let mut points = points::points(scope.tx, scope.organization_id, &ranges).await?;
    for (change, known) in changes.iter().zip(known) {
        for point in points.remove(&change.meter.id).unwrap_or_default() {
            known.points.entry(Width::Quarter.start_of(point.at)).or_default().push(point);
        }
    }
    Ok(())
}

/// Of counters: what they showed before the hours that change, and after them.
async fn read_neighbours(
    scope: Scope<'_>,
    changes: &[Change<'_>],
    known: &mut [Known],
) -> Result<()> {
    let Scope { tx, organization_id } = scope;
    let late = changes.iter().filter(|change| change.meter.kind == Kind::Counter);
    let late = late.filter(|change| !change.is_at_the_end());
    let ranges: Vec<Range> = late.flat_map(Change::hours).collect();
    if ranges.is_empty() {
        return Ok(());
    }
    let width = Width::Quarter;
    let found = cells::neighbours(tx, organization_id, width, &ranges).await?;
    let mut starts: Vec<Range> = Vec::new();
    for (meter_id, before, after) in found {
        let one = |from| Range { meter_id, from, to: from + 1 };
        starts.extend(before.into_iter().chain(after).map(one));
    }
    starts.sort_by_key(|range| (range.meter_id, range.from));
    starts.dedup();
    let found = cells::cells(tx, organization_id, width, &starts).await?;
    for (change, known) in changes.iter().zip(known) {
        let beside = found.get(&change.meter.id).map_or(&[][..], |cells| cells);
        for range in ranges.iter().filter(|range| range.meter_id == change.meter.id) {
            let before = beside.iter().rfind(|cell| cell.start < range.from);
            let after = beside.iter().find(|cell| cell.start >= range.to);
            known.before.extend(before.map(|cell| (range.from, *cell)));
            known.after.extend(after.map(|cell| (range.from, *cell)));
        }
    }
    Ok(())
}

/// Of counters: the exchanges of the hours that change, and until their neighbours.
async fn read_exchanges(
    scope: Scope<'_>,
    changes: &[Change<'_>],
    known: &mut [Known],
) -> Result<()> {
    let mut ranges = Vec::new();
    for (change, known) in changes.iter().zip(&*known) {
        let (meter_id, hours) = (change.meter.id, change.hours());
        let Some((first, end)) = hours.first().zip(hours.last()) else { continue };
        if change.meter.kind != Kind::Counter {
            continue;
        }
        if change.is_at_the_end() {
            let from = change.last.map_or(i64::MIN, |last| last.at.min(first.from));
            ranges.push(Range { meter_id, from, to: i64::MAX });
            continue;
        }
        // From neighbour to neighbour; of hours far from each other all between them, which are few.
        let from = known.before.get(&first.from).map_or(i64::MIN, |cell| cell.last.at);
        let to = known.after.get(&end.from).map_or(i64::MAX, |cell| cell.first.at + 1);
        ranges.push(Range { meter_id, from, to });
    }
    let mut rows = exchanges::in_ranges(scope.tx, scope.organization_id, &ranges).await?;
    for (change, known) in changes.iter().zip(known) {
        known.exchanges = rows.remove(&change.meter.id).unwrap_or_default();
    }
    Ok(())
}

fn drops(change: &Change<'_>, known: &Known) -> std::result::Result<Drops, Refused> {
    let stretches = match change.is_at_the_end() {
        true => {
            let last = change.last.map(|last| Stretch::Ends(last, last));
            last.into_iter().chain([Stretch::Whole(change.points.to_vec())]).collect()
        }
        false => stretches(change, known),
    };
    let meter = change.meter;
    let rollover_at = meter.rollover_at.and_then(|value| value.scaled(meter.digits()).ok());
    let found = Drops::of((meter.on_drop, rollover_at), &stretches, &known.exchanges);
    found.map_err(|it| Refused { meter_id: meter.id, at: it.at, exchange_at: it.exchange_at })
}

/// The readings in the hours that change and beside them.
fn stretches(change: &Change<'_>, known: &Known) -> Vec<Stretch> {
    let touched = change.touched(Width::Quarter);
    let hours = change.hours();
    let ends = |cell: &Cell| Stretch::Ends(cell.first, cell.last);
    let mut stretches = Vec::new();
    let mut beside: Option<i64> = None;
    for (index, range) in hours.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|index| hours.get(index));
        let next = hours.get(index + 1);
        if let Some(cell) = known.before.get(&range.from)
            && previous.is_none_or(|previous| cell.start >= previous.to)
            && beside != Some(cell.start)
        {
            stretches.extend([Stretch::Break, ends(cell)]);
        }
        let within = known.quarters.range(range.from..range.to).map(|(start, _)| *start);
        let starts: BTreeSet<i64> =
            within.chain(touched.range(range.from..range.to).copied()).collect();
        for start in starts {
            match known.quarters.get(&start) {
                Some(cell) if !touched.contains(&start) => stretches.push(ends(cell)),
                _ => stretches.push(Stretch::Whole(points_of(change, known, start))),
            }
        }
        beside = known.after.get(&range.from).map(|cell| cell.start);
        if let Some(cell) = known.after.get(&range.from)
            && next.is_none_or(|next| cell.start < next.from)
        {
            stretches.push(ends(cell));
        }
    }
    stretches
}

/// All readings of a quarter that changes.
fn points_of(change: &Change<'_>, known: &Known, start: i64) -> Vec<Point> {
    if known.quarters.contains_key(&start) {
        return known.points.get(&start).cloned().unwrap_or_default();
    }
    let end = Width::Quarter.after(start);
    change.points.iter().filter(|point| (start..end).contains(&point.at)).copied().collect()
}

/// Exchanges as they are after their changes, in the order of time.
fn apply(rows: &mut Vec<Kept>, drops: &Drops) {
    rows.retain(|row| {
        !drops.removed.contains(&row.at) && drops.put.iter().all(|put| put.at != row.at)
    });
    rows.extend(&drops.put);
    rows.sort_by_key(|row| row.at);
}

/// What becomes of the cells of a meter.
#[derive(Debug, Default)]
struct Made {
    cells: Vec<(Width, Cell)>,
    gone: Vec<(Width, Vec<i64>)>,
}

fn made(change: &Change<'_>, known: Known) -> Made {
    let kind = change.meter.kind;
    let exchanges: Vec<Exchange> = known.exchanges.iter().map(exchanges::counted).collect();
    let mut made = Made::default();
    let mut quarters = known.quarters.clone();
    let mut gone = Vec::new();
    let mut by_quarter: HashMap<i64, Vec<Point>> = HashMap::new();
    if change.is_at_the_end() {
        for point in change.points {
            by_quarter.entry(Width::Quarter.start_of(point.at)).or_default().push(*point);
        }
    }
    for start in change.touched(Width::Quarter) {
        let cell = match (change.is_at_the_end(), quarters.get(&start)) {
            (true, before) => {
                let points = by_quarter.remove(&start).unwrap_or_default();
                let added = roll(kind, start, &points, &exchanges);
                join(kind, start, before.into_iter().chain(&added), &exchanges)
            }
            (false, _) => roll(kind, start, &points_of(change, &known, start), &exchanges),
        };
        match cell {
            Some(cell) => {
                quarters.insert(start, cell);
                made.cells.push((Width::Quarter, cell));
            }
            None => {
                quarters.remove(&start);
                gone.push(start);
            }
        }
    }
    made.gone.push((Width::Quarter, gone));
    let mut gone = Vec::new();
    for start in change.touched(Width::Hour) {
        let within = quarters.range(start..Width::Hour.after(start)).map(|(_, cell)| cell);
        match join(kind, start, within, &exchanges) {
            Some(cell) => made.cells.push((Width::Hour, cell)),
            None => gone.push(start),
        }
    }
    made.gone.push((Width::Hour, gone));
    made
}
