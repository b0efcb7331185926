//! How readings are written: with what follows from them, and an event of each batch and meter.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::meter_state;
use serde_json::json;
use uuid::Uuid;

use super::{
    Appended, DeletedReadings, Entry, MAX_BATCH, Reading, ReadingCorrectionInput,
    ReadingDeletionQuery, ReadingsBody,
    batch::MAX_VIOLATIONS,
    digest::Digest,
    limits::{Excursion, Limits},
    repository::{self, Correction, State},
};
use crate::{
    actor::Actor,
    error::{Error, Result, Violation},
    event::Verb,
    idempotency::WriteOnce,
    input::Deferred,
    meter::{
        consumption::Point,
        decimal::NotKept,
        meter::{self, ConflictRule, Kind, Meter},
        ranges::Range,
        rollup::{self, Change, Refused, Scope},
    },
    store::{Store, Tx, stored},
};

/// Meters that are held, with their states.
type Held = HashMap<Uuid, (Meter, meter_state::Model)>;

/// Writes a batch of readings, of one meter or of several; all of them, or none. It records an event of each meter.
///
/// The caller has checked that the actor may record readings. The batch has at most [`MAX_BATCH`] readings.
///
/// # Errors
/// With pointers to the readings by their index, `/items/3/value`: [`Error::Invalid`] for a meter that there is not, an
/// instant or a value that the meter does not keep; [`Error::Conflicts`] `reading_conflict` for those at whose instant
/// there is another value, by the rule of the meter, and `contradicts_exchange` for those of a counter that a new
/// device cannot have shown.
pub async fn append(tx: &Tx, actor: &Actor, batch: &[Entry]) -> Result<Appended> {
    let ids: BTreeSet<Uuid> = batch.iter().map(|entry| entry.meter_id).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let held = meter::repository::hold(tx, actor.organization_id, &ids).await?;
    append_held(tx, actor, &held, batch).await
}

/// Writes readings of one meter.
pub async fn add(
    store: WriteOnce<'_, Appended>,
    actor: &Actor,
    meter_id: Uuid,
    body: ReadingsBody,
) -> Result<Appended> {
    let actor = actor.clone();
    store
        .read_committed()
        .write(async move |tx| {
            let one = meter::repository::hold_one(tx, actor.organization_id, meter_id).await?;
            let entry = |reading| Entry { meter_id, reading };
            let batch: Vec<Entry> = body.read()?.into_iter().map(entry).collect();
            append_held(tx, &actor, &HashMap::from([(meter_id, one)]), &batch).await
        })
        .await
}

/// A reading in units of its meter, and its place in the batch.
#[derive(Debug, Clone, Copy)]
struct Admitted {
    meter_id: Uuid,
    point: Point,
    index: usize,
}

async fn append_held(tx: &Tx, actor: &Actor, held: &Held, batch: &[Entry]) -> Result<Appended> {
    if batch.len() > MAX_BATCH {
        let message = format!("must have at most {MAX_BATCH} readings");
        return Err(Error::invalid("/items", "length", message));
    }
    let mut appended = Appended::default();
    let admitted = distinct(held, admit(held, batch)?, &mut appended)?;
    let sorted = sort(tx, actor, held, &admitted, &mut appended).await?;
    let organization_id = actor.organization_id;
    let added: Vec<(Uuid, Point)> =
        sorted.added.iter().flat_map(|(id, points)| points.iter().map(|it| (*id, *it))).collect();
    if repository::insert(tx, organization_id, &added).await? != added.len() as u64 {
        return Err(Error::lost_race("readings were added meanwhile"));
    }
    appended.added = added.len() as u64;
    let replaced =
        sorted.corrected.iter().map(|it| (it.meter_id, Point { at: it.at, value: it.after }));
    let replaced: Vec<_> = replaced.collect();
    repository::replace(tx, organization_id, &replaced).await?;
    repository::keep(tx, &actor.into(), &sorted.corrected).await?;
    appended.corrected += replaced.len() as u64;
    renew(tx, actor, held, &sorted).await.map_err(|error| error.placed(&admitted))?;
    record(tx, actor, held, &sorted).await?;
    Ok(appended)
}

/// The readings in units of their meters.
fn admit(held: &Held, batch: &[Entry]) -> Result<Vec<Admitted>> {
    let mut violations = Vec::new();
    let mut admitted = Vec::with_capacity(batch.len());
    for (index, Entry { meter_id, reading }) in batch.iter().enumerate() {
        let at = |field: &str| format!("/items/{index}/{field}");
        let Some((meter, _)) = held.get(meter_id) else {
            let message = "must identify a meter of the organization";
            violations.push(Violation::new(at("meter_id"), "unknown", message));
            continue;
        };
        match units(meter, reading) {
            Ok(point) => admitted.push(Admitted { meter_id: *meter_id, point, index }),
            Err((field, code, message)) => {
                violations.push(Violation::new(at(field), code, message))
            }
        }
        if violations.len() >= MAX_VIOLATIONS {
            break;
        }
    }
    if violations.is_empty() { Ok(admitted) } else { Err(Error::Invalid(violations)) }
}

/// What a meter keeps of a reading, or which of its properties is wrong.
fn units(meter: &Meter, reading: &Reading) -> Result<Point, (&'static str, &'static str, String)> {
    use validator::Validate;
    if reading.validate().is_err() {
        let message = "must have whole microseconds, in the years 1000 to 9999".to_owned();
        return Err(("at", "instant", message));
    }
    let of = |reason: NotKept| ("value", reason.code(), reason.to_string());
    let value = reading.value.scaled(meter.digits()).map_err(of)?;
    let beyond = meter.rollover_at.is_some_and(|maximum| reading.value > maximum);
    if meter.kind == Kind::Counter && (value < 0 || beyond) {
        let message =
            "must be from 0 to the value at which the counter begins at 0 again".to_owned();
        return Err(("value", "range", message));
    }
    Ok(Point { at: reading.at.timestamp_micros(), value })
}

/// The readings by their meters and in the order of time, of each instant one.
fn distinct(
    held: &Held,
    mut admitted: Vec<Admitted>,
    appended: &mut Appended,
) -> Result<Vec<Admitted>> {
    admitted.sort_by_key(|it| (it.meter_id, it.point.at, it.index));
    let mut distinct: Vec<Admitted> = Vec::with_capacity(admitted.len());
    let mut conflicts = Vec::new();
    for next in admitted {
        let same =
            |last: &&mut Admitted| (last.meter_id, last.point.at) == (next.meter_id, next.point.at);
        match distinct.last_mut().filter(same) {
            None => distinct.push(next),
            Some(last) if last.point == next.point => appended.unchanged += 1,
            Some(last) if rule(held, next.meter_id) == ConflictRule::Replace => {
                appended.corrected += 1;
                *last = next;
            }
            Some(_) => conflicts.push(next.index),
        }
    }
    if conflicts.is_empty() { Ok(distinct) } else { Err(conflict(conflicts)) }
}

fn rule(held: &Held, meter_id: Uuid) -> ConflictRule {
    held.get(&meter_id).map(|(meter, _)| meter.on_conflict).unwrap_or_default()
}

fn conflict(mut indexes: Vec<usize>) -> Error {
    indexes.sort_unstable();
    indexes.truncate(MAX_VIOLATIONS);
    let message = "must not differ from the reading of the same instant";
    let violation = |index| Violation::new(format!("/items/{index}/value"), "conflict", message);
    Error::Conflicts {
        code: "reading_conflict",
        detail: "there are readings of other values at the same instants".into(),
        violations: indexes.into_iter().map(violation).collect(),
    }
}

/// Readings by what becomes of them.
#[derive(Debug, Default)]
struct Sorted {
    added: BTreeMap<Uuid, Vec<Point>>,
    corrected: Vec<Correction>,
}

/// Compares readings with those that there are. Only what is not after the last one can be there.
async fn sort(
    tx: &Tx,
    actor: &Actor,
    held: &Held,
    admitted: &[Admitted],
    appended: &mut Appended,
) -> Result<Sorted> {
    let last_at = |id: &Uuid| held.get(id).and_then(|(_, state)| state.last_at);
    let is_late = |it: &&Admitted| last_at(&it.meter_id).is_some_and(|last| it.point.at <= last);
    let late = admitted.iter().filter(is_late).map(|it| Range {
        meter_id: it.meter_id,
        from: it.point.at,
        to: it.point.at + 1,
    });
    let late: Vec<Range> = late.collect();
    let there = rollup::points(tx, actor.organization_id, &late).await?;
    let there: HashMap<(Uuid, i64), i64> = there
        .into_iter()
        .flat_map(|(id, points)| points.into_iter().map(move |it| ((id, it.at), it.value)))
        .collect();
    let (mut sorted, mut conflicts) = (Sorted::default(), Vec::new());
    for Admitted { meter_id, point, index } in admitted {
        match there.get(&(*meter_id, point.at)) {
            None => sorted.added.entry(*meter_id).or_default().push(*point),
            Some(value) if *value == point.value => appended.unchanged += 1,
            Some(_) if rule(held, *meter_id) == ConflictRule::Reject => conflicts.push(*index),
            Some(value) => sorted.corrected.push(Correction {
                meter_id: *meter_id,
                at: point.at,
                before: *value,
                after: point.value,
            }),
        }
    }
    if conflicts.is_empty() { Ok(sorted) } else { Err(conflict(conflicts)) }
}

/// Why what follows from readings was not written.
enum Failure {
    Refused(Refused),
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl Failure {
    /// The error, at the reading of a batch that it is about.
    fn placed(self, admitted: &[Admitted]) -> Error {
        match self {
            Self::Other(error) => error,
            Self::Refused(refused) => {
                let mut of_meter = admitted.iter().filter(|it| it.meter_id == refused.meter_id);
                // Where the later one of the two readings was there, it is the one before it.
                let at = of_meter.rfind(|it| it.point.at <= refused.at);
                let pointer = at.map(|it| format!("/items/{}/value", it.index)).unwrap_or_default();
                contradiction(refused, pointer)
            }
        }
    }
}

/// What is refused because somebody has entered an exchange of the meter.
fn contradiction(refused: Refused, pointer: String) -> Error {
    let exchange = DateTime::<Utc>::from_timestamp_micros(refused.exchange_at);
    let exchange = exchange.map(|at| at.to_rfc3339()).unwrap_or_default();
    let message =
        format!("must not be higher before the exchange of {exchange}, or lower after it");
    Error::Conflicts {
        code: "contradicts_exchange",
        detail: "the readings contradict an exchange of the meter".into(),
        violations: vec![Violation::new(pointer, "exchange", message)],
    }
}

fn last_of(state: &meter_state::Model) -> Option<Point> {
    state.last_at.zip(state.last_value).map(|(at, value)| Point { at, value })
}

/// All readings of each meter that have changed, in the order of time, and whether all of them are new.
fn changed(sorted: &Sorted) -> BTreeMap<Uuid, (Vec<Point>, bool)> {
    let mut changed: BTreeMap<Uuid, (Vec<Point>, bool)> = BTreeMap::new();
    for (id, points) in &sorted.added {
        changed.insert(*id, (points.clone(), true));
    }
    for Correction { meter_id, at, after, .. } in &sorted.corrected {
        let (points, added) = changed.entry(*meter_id).or_default();
        points.push(Point { at: *at, value: *after });
        *added = false;
    }
    for (points, _) in changed.values_mut() {
        points.sort_by_key(|point| point.at);
    }
    changed
}

/// Renews what follows from readings: cells, exchanges, states.
async fn renew(tx: &Tx, actor: &Actor, held: &Held, sorted: &Sorted) -> Result<(), Failure> {
    let changed = changed(sorted);
    let mut changes = Vec::with_capacity(changed.len());
    let mut states = Vec::with_capacity(changed.len());
    for (id, (points, added)) in &changed {
        let Some((meter, state)) = held.get(id) else { continue };
        let last = last_of(state);
        changes.push(Change { meter, last, points, added: *added, others: &[] });
        let new_last = points.last().filter(|point| last.is_none_or(|last| point.at >= last.at));
        let count = sorted.added.get(id).map_or(0, Vec::len);
        let excursion = told(tx, actor, meter, state, points).await?;
        states.push(State {
            meter_id: *id,
            readings: state.readings + i64::try_from(count).unwrap_or(i64::MAX),
            last: new_last.copied().or(last),
            excursion,
        });
    }
    let scope = Scope { tx, organization_id: actor.organization_id };
    rollup::renew(scope, &changes).await?.map_err(Failure::Refused)?;
    repository::write_states(tx, actor.organization_id, &states).await?;
    Ok(())
}

/// Beyond which limit a meter is after readings, of which those after its last one count. If one of them passed a
/// limit, records that.
async fn told(
    tx: &Tx,
    actor: &Actor,
    meter: &Meter,
    state: &meter_state::Model,
    points: &[Point],
) -> Result<Excursion> {
    let now = stored::word(meter_state::Column::Excursion, meter.id, &state.excursion)?;
    let first = points.partition_point(|point| state.last_at.is_some_and(|last| point.at <= last));
    let new = points.get(first..).unwrap_or_default();
    let (next, passed) = Limits::of(meter).follow(now, new);
    if let Some((excursion, point)) = passed {
        let limit = if excursion == Excursion::High { meter.high } else { meter.low };
        let data = json!({
            "id": meter.id,
            "name": meter.name,
            "unit": meter.unit,
            "limit": excursion,
            "limit_value": limit,
            "value": meter.value(point.value),
            "at": DateTime::<Utc>::from_timestamp_micros(point.at),
        });
        let of = (meter.id, meter.version);
        tx.record_notice::<Meter>(&actor.into(), Verb::LimitPassed, of, data).await?;
    }
    Ok(next)
}

/// Records what was done to readings of a meter.
async fn notice(
    tx: &Tx,
    actor: &Actor,
    meter: &Meter,
    verb: Verb,
    (first, last): (i64, i64),
    (count, digest): (usize, Digest),
) -> Result<()> {
    let data = json!({
        "id": meter.id,
        "count": count,
        "from": DateTime::<Utc>::from_timestamp_micros(first),
        "to": DateTime::<Utc>::from_timestamp_micros(last),
        "digest": digest.to_string(),
    });
    tx.record_notice::<Meter>(&actor.into(), verb, (meter.id, meter.version), data).await
}

/// Records an event of each meter for what was added, and one for what was corrected.
async fn record(tx: &Tx, actor: &Actor, held: &Held, sorted: &Sorted) -> Result<()> {
    for (id, points) in &sorted.added {
        let (Some((meter, _)), [first, ..], Some(last)) = (held.get(id), &**points, points.last())
        else {
            continue;
        };
        let what = (points.len(), Digest::of(points));
        notice(tx, actor, meter, Verb::ReadingsAdded, (first.at, last.at), what).await?;
    }
    let by_meter = sorted.corrected.chunk_by(|one, next| one.meter_id == next.meter_id);
    for corrections in by_meter {
        let [first, ..] = corrections else { continue };
        let last = corrections.last().unwrap_or(first);
        let Some((meter, _)) = held.get(&first.meter_id) else { continue };
        let point = |at, value| Point { at, value };
        let [before, after] = [
            corrections.iter().map(|it| point(it.at, it.before)).collect::<Vec<_>>(),
            corrections.iter().map(|it| point(it.at, it.after)).collect::<Vec<_>>(),
        ];
        let digest = Digest::of(&after).minus(Digest::of(&before));
        let what = (corrections.len(), digest);
        notice(tx, actor, meter, Verb::ReadingsCorrected, (first.at, last.at), what).await?;
    }
    Ok(())
}

/// Writes another value in the place of that of a reading, whatever the rule of the meter is.
///
/// # Errors
/// [`Error::NotFound`] for an instant without a reading; as of [`append`], without pointers to items.
pub async fn correct(
    store: &Store,
    actor: &Actor,
    (meter_id, at): (Uuid, DateTime<Utc>),
    body: Deferred<ReadingCorrectionInput>,
) -> Result<Reading> {
    let actor = actor.clone();
    store
        .read_committed()
        .write(async move |tx| {
            let one = meter::repository::hold_one(tx, actor.organization_id, meter_id).await?;
            let ReadingCorrectionInput { value } = body.read()?;
            let reading = Reading { at, value };
            let point = units(&one.0, &reading).map_err(|(field, code, message)| {
                Error::invalid(format!("/{field}"), code, message)
            })?;
            let range = Range { meter_id, from: point.at, to: point.at + 1 };
            let there = repository::first(tx, actor.organization_id, range, 1).await?;
            let before = there.first().ok_or(Error::NotFound("reading"))?.value;
            if before == point.value {
                return Ok(reading);
            }
            let correction = Correction { meter_id, at: point.at, before, after: point.value };
            let sorted = Sorted { corrected: vec![correction], ..Sorted::default() };
            repository::replace(tx, actor.organization_id, &[(meter_id, point)]).await?;
            repository::keep(tx, &(&actor).into(), &sorted.corrected).await?;
            let held = HashMap::from([(meter_id, one)]);
            renew(tx, &actor, &held, &sorted).await.map_err(|failure| match failure {
                Failure::Other(error) => error,
                Failure::Refused(refused) => contradiction(refused, "/value".to_owned()),
            })?;
            record(tx, &actor, &held, &sorted).await?;
            Ok(reading)
        })
        .await
}

/// Deletes the first readings of a meter from one instant on and before another one, at most [`MAX_BATCH`].
pub async fn remove(
    store: &Store,
    actor: &Actor,
    meter_id: Uuid,
    query: ReadingDeletionQuery,
) -> Result<DeletedReadings> {
    let ReadingDeletionQuery { from, to } = query;
    let range = Range { meter_id, from: from.micros(actor), to: to.micros(actor) };
    let actor = actor.clone();
    store
        .read_committed()
        .write(async move |tx| {
            let organization_id = actor.organization_id;
            let (meter, state) = meter::repository::hold_one(tx, organization_id, meter_id).await?;
            let points = repository::first(tx, organization_id, range, MAX_BATCH as u64).await?;
            let (Some(first), Some(end)) = (points.first(), points.last()) else {
                return Ok(DeletedReadings { deleted: 0, more: false });
            };
            repository::remove(tx, organization_id, meter_id, (first.at, end.at)).await?;
            let others: Vec<i64> = points.iter().map(|point| point.at).collect();
            let last = last_of(&state);
            let change = Change { meter: &meter, last, points: &[], added: false, others: &others };
            let scope = Scope { tx, organization_id };
            let renewed = rollup::renew(scope, &[change]).await?;
            renewed.map_err(|refused| contradiction(refused, String::new()))?;
            let last = match last.is_some_and(|last| last.at <= end.at) {
                true => repository::last(tx, organization_id, meter_id).await?,
                false => last,
            };
            let removed = i64::try_from(points.len()).unwrap_or(i64::MAX);
            let excursion =
                stored::word(meter_state::Column::Excursion, meter_id, &state.excursion)?;
            let state = State { meter_id, readings: state.readings - removed, last, excursion };
            repository::write_states(tx, organization_id, &[state]).await?;
            let what = (points.len(), Digest::default().minus(Digest::of(&points)));
            notice(tx, &actor, &meter, Verb::ReadingsDeleted, (first.at, end.at), what).await?;
            let more = points.len() == MAX_BATCH;
            Ok(DeletedReadings { deleted: points.len() as u64, more })
        })
        .await
}
