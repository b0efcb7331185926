//! Rolls up the readings of each meter again, and compares: with the rollups, the exchanges, and what the log says was
//! added and removed.

use std::collections::BTreeMap;

use entity::{event, meter, meter_state};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use super::{digest::Digest, repository};
use crate::{
    error::Result,
    event::Verb,
    meter::{
        consumption::{Drops, Exchange, Kept, Point, Stretch},
        meter::{Kind, Meter},
        ranges::Range,
        rollup::{Cell, Width, cells, exchanges, join, roll},
    },
    resource::Resource,
    store::{Store, Tx},
    tenant,
};

/// How many readings, and how many events, are read at once.
const BATCH_SIZE: u64 = 10_000;

/// What was found in one organization's meters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The organization.
    pub organization_id: Uuid,
    /// How many readings hold.
    pub readings: u64,
    /// What is wrong.
    pub faults: Vec<String>,
}

/// Checks the meters of every organization.
///
/// # Errors
/// Of the database.
pub async fn verify(store: &Store) -> Result<Vec<Findings>> {
    let ids: Vec<(Uuid, Uuid)> = meter::Entity::find()
        .select_only()
        .columns([meter::Column::OrganizationId, meter::Column::Id])
        .order_by_asc(meter::Column::OrganizationId)
        .order_by_asc(meter::Column::Id)
        .into_tuple()
        .all(store.read())
        .await?;
    let mut findings: BTreeMap<Uuid, Findings> = BTreeMap::new();
    for (organization_id, id) in ids {
        let found = store.snapshot(async move |tx: &Tx| {
            // A part of it may be removed by now.
            if tenant::is_deleted(tx, organization_id).await? {
                return Ok(None);
            }
            check(tx, organization_id, id).await.map(Some)
        });
        let Some((readings, faults)) = found.await? else { continue };
        let all = findings.entry(organization_id).or_insert_with(|| Findings {
            organization_id,
            readings: 0,
            faults: Vec::new(),
        });
        all.readings += readings;
        all.faults.extend(faults.into_iter().map(|fault| format!("meter {id}: {fault}")));
    }
    Ok(findings.into_values().collect())
}

/// How many readings a meter has, and what is wrong with it.
async fn check(tx: &Tx, organization_id: Uuid, id: Uuid) -> Result<(u64, Vec<String>)> {
    let key = (organization_id, id);
    let Some(row) = meter::Entity::find_by_id(key).one(tx).await? else {
        return Ok((0, Vec::new()));
    };
    let meter: Meter = row.try_into()?;
    let all = Range { meter_id: id, from: i64::MIN, to: i64::MAX };
    let rows = exchanges::in_ranges(tx, organization_id, &[all]).await?.remove(&id);
    let mut look = Look::new(&meter, rows.unwrap_or_default());
    let mut from = i64::MIN;
    loop {
        let range = Range { meter_id: id, from, to: i64::MAX };
        let mut points = repository::first(tx, organization_id, range, BATCH_SIZE).await?;
        let is_last = (points.len() as u64) < BATCH_SIZE;
        let end = match (is_last, points.last().copied()) {
            (false, Some(last)) => whole_hours(tx, key, &mut points, last).await?,
            _ => i64::MAX,
        };
        let range = Range { meter_id: id, from, to: end };
        for width in Width::ALL {
            let stored = cells::cells(tx, organization_id, width, &[range]).await?.remove(&id);
            look.compare(width, &points, stored.unwrap_or_default());
        }
        look.follow(&points);
        if is_last {
            break;
        }
        from = end;
    }
    look.compare_log(digest_of_events(tx, key).await?);
    look.compare_state(meter_state::Entity::find_by_id(key).one(tx).await?);
    Ok((look.count, look.faults))
}

/// Leaves the readings of whole hours, and says where these end: before that of the last one, or after it if there is
/// no other.
async fn whole_hours(
    tx: &Tx,
    (organization_id, meter_id): (Uuid, Uuid),
    points: &mut Vec<Point>,
    last: Point,
) -> Result<i64> {
    let hour = Width::Hour.start_of(last.at);
    if points.first().is_some_and(|first| first.at < hour) {
        points.retain(|point| point.at < hour);
        return Ok(hour);
    }
    let end = Width::Hour.after(hour);
    let rest = Range { meter_id, from: last.at + 1, to: end };
    points.extend(repository::first(tx, organization_id, rest, i64::MAX as u64).await?);
    Ok(end)
}

/// The sum of what the log says was added to a meter and removed from it.
async fn digest_of_events(tx: &Tx, (log, id): (Uuid, Uuid)) -> Result<Option<Digest>> {
    let verbs = [Verb::ReadingsAdded, Verb::ReadingsCorrected, Verb::ReadingsDeleted];
    let kinds = verbs.map(|verb| format!("{}.{}", Meter::ENTITY, verb.as_str()));
    let (mut digest, mut last) = (Digest::default(), Uuid::nil());
    loop {
        let events: Vec<(Uuid, Option<Value>)> = event::Entity::find()
            .select_only()
            .columns([event::Column::Id, event::Column::Data])
            .filter(event::Column::OrganizationId.eq(log))
            .filter(event::Column::Entity.eq(Meter::ENTITY))
            .filter(event::Column::EntityId.eq(id))
            .filter(event::Column::Kind.is_in(kinds.iter().map(String::as_str)))
            .filter(event::Column::Id.gt(last))
            .order_by_asc(event::Column::Id)
            .limit(BATCH_SIZE)
            .into_tuple()
            .all(tx)
            .await?;
        let Some((id, _)) = events.last() else { return Ok(Some(digest)) };
        last = *id;
        for (_, data) in events {
            let told =
                data.as_ref().and_then(|data| data["digest"].as_str()).and_then(Digest::parse);
            // Where one was erased, the sum is not known.
            let Some(told) = told else { return Ok(None) };
            digest = digest.plus(told);
        }
    }
}

/// What was seen of a meter so far.
struct Look<'a> {
    meter: &'a Meter,
    rows: Vec<Kept>,
    counted: Vec<Exchange>,
    count: u64,
    digest: Digest,
    last: Option<Point>,
    faults: Vec<String>,
}

impl<'a> Look<'a> {
    fn new(meter: &'a Meter, rows: Vec<Kept>) -> Self {
        let counted = rows.iter().map(exchanges::counted).collect();
        let (digest, faults) = (Digest::default(), Vec::new());
        Self { meter, rows, counted, count: 0, digest, last: None, faults }
    }

    /// Compares the cells of whole hours with those that there are.
    fn compare(&mut self, width: Width, points: &[Point], stored: Vec<Cell>) {
        let kind = self.meter.kind;
        let start = |point: &Point| width.start_of(point.at);
        let parts = points.chunk_by(|one, next| start(one) == start(next));
        let right = parts.filter_map(|part| match width {
            Width::Quarter => roll(kind, start(part.first()?), part, &self.counted),
            // As hours are made: of quarters.
            Width::Hour => {
                let quarter = |point: &Point| Width::Quarter.start_of(point.at);
                let quarters = part.chunk_by(|one, next| quarter(one) == quarter(next));
                let quarters = quarters
                    .filter_map(|part| roll(kind, quarter(part.first()?), part, &self.counted));
                let quarters: Vec<Cell> = quarters.collect();
                join(kind, start(part.first()?), &quarters, &self.counted)
            }
        });
        let right: BTreeMap<i64, Cell> = right.map(|cell| (cell.start, cell)).collect();
        let stored: BTreeMap<i64, Cell> =
            stored.into_iter().map(|cell| (cell.start, cell)).collect();
        let starts = right.keys().chain(stored.keys().filter(|start| !right.contains_key(start)));
        for start in starts {
            let (right, stored) = (right.get(start), stored.get(start));
            if right != stored {
                let seconds = width.seconds();
                let fault = format!(
                    "the rollup of {seconds} s from {start} is {stored:?}, and should be {right:?}"
                );
                self.faults.push(fault);
            }
        }
    }

    /// Looks at readings that come after those before: where a counter drops, and what they are in all.
    fn follow(&mut self, points: &[Point]) {
        if self.meter.kind == Kind::Counter {
            let last = self.last.map(|last| Stretch::Ends(last, last));
            let stretches: Vec<Stretch> =
                last.into_iter().chain([Stretch::Whole(points.to_vec())]).collect();
            let rollover_at =
                self.meter.rollover_at.and_then(|value| value.scaled(self.meter.digits()).ok());
            match Drops::of((self.meter.on_drop, rollover_at), &stretches, &self.rows) {
                Ok(drops) if drops == Drops::default() => {}
                Ok(drops) => self.faults.push(format!("exchanges are not right: {drops:?}")),
                Err(it) => {
                    self.faults.push(format!("the exchange of {} cannot be", it.exchange_at))
                }
            }
        }
        points.iter().for_each(|point| self.digest.add(point));
        self.count += points.len() as u64;
        self.last = points.last().copied().or(self.last);
    }

    fn compare_log(&mut self, told: Option<Digest>) {
        if told.is_some_and(|told| told != self.digest) {
            self.faults.push("the readings are not those that the log tells of".to_owned());
        }
    }

    fn compare_state(&mut self, state: Option<meter_state::Model>) {
        let stored = state.map(|state| (state.readings, state.last_at.zip(state.last_value)));
        let last = self.last.map(|last| (last.at, last.value));
        let right = Some((i64::try_from(self.count).unwrap_or(i64::MAX), last));
        if stored != right {
            self.faults.push(format!("the state is {stored:?}, and should be {right:?}"));
        }
    }
}
