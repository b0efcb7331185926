//! Readings as clients of InfluxDB write them: each field of a point is a reading of the meter whose `source` is the
//! point's series. A line that is refused does not touch the others.

mod series;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::series::sources;
use super::{
    decimal::Decimal,
    line_protocol::{self, Precision, Value},
    meter::{self, ConflictRule, DropRule, Kind, Meter, MeterInput},
    reading::{self, Appended, Entry, MAX_BATCH, Reading},
};
use crate::{
    actor::Actor,
    error::{Error, Result, Violations},
    idempotency::WriteOnce,
    input::Create,
    resource,
    role::Permission,
    store::Store,
};

/// How many characters the source of a meter has at most.
pub const MAX_SOURCE: usize = 500;
/// How many meters one request makes at most.
const MAX_NEW: usize = 100;
/// How many digits after the point the values of a meter have that is made by itself.
const NEW_PRECISION: i64 = 6;
/// The unit of a meter that is made by itself: UCUM's unity.
const NEW_UNIT: &str = "1";
/// How often readings that were refused are taken out of a batch before all else is refused with them.
const ATTEMPTS: usize = 16;

/// What became of the lines of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// How many lines there were, without comments and empty ones.
    pub lines: usize,
    /// Those that were refused, in their order. All others are written.
    pub refused: Vec<RefusedLine>,
}

/// A line that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// Its number: the first is 1.
    pub line: usize,
    /// In words that follow its number: `has no field`.
    pub reason: String,
}

/// A value on its way to a meter.
struct Sample {
    line: usize,
    source: String,
    at: DateTime<Utc>,
    value: Decimal,
}

/// Lines that are refused, each for its first reason.
#[derive(Default)]
struct Refused(BTreeMap<usize, String>);

impl Refused {
    fn add(&mut self, line: usize, reason: impl Into<String>) {
        self.0.entry(line).or_insert_with(|| reason.into());
    }
}

/// Writes lines of InfluxDB's line protocol to the meters of their series in a bucket, and makes those that there are
/// not, if the actor may.
///
/// Of texts, nothing is written; booleans are 1 and 0. A number that has more digits than its meter keeps is rounded,
/// half to even, since these clients send the digits of binary floating point. Of several values for the same instant
/// of a meter, the last is written.
///
/// # Errors
/// Those of the store. What is wrong with lines is in the result.
pub async fn write(
    store: &Store,
    actor: &Actor,
    bucket: &str,
    (precision, lines): (Precision, &str),
) -> Result<Written> {
    actor.require(Permission::RecordReadings)?;
    let mut refused = Refused::default();
    let (count, samples) = samples(bucket, (precision, lines), store.now(), &mut refused);
    let meters = meters(store, actor, &samples, &mut refused).await?;
    let batch = batch(&samples, &meters, &mut refused);
    for part in batch.chunks(MAX_BATCH) {
        append(store, actor, part, &mut refused).await?;
    }
    let refused = refused.0.into_iter().map(|(line, reason)| RefusedLine { line, reason });
    Ok(Written { lines: count, refused: refused.collect() })
}

/// How many lines there are, and what is in them. Where a field of a line is wrong, nothing of the line is written.
fn samples(
    bucket: &str,
    (precision, lines): (Precision, &str),
    now: DateTime<Utc>,
    refused: &mut Refused,
) -> (usize, Vec<Sample>) {
    let mut count = 0;
    let mut samples = Vec::new();
    for (line, point) in line_protocol::points(lines) {
        count += 1;
        let found = point.map_err(|error| error.to_string()).and_then(|point| {
            let at = match point.timestamp {
                None => Some(now),
                Some(timestamp) => precision.instant(timestamp),
            };
            let at = at.ok_or("has a timestamp that is no year of four digits")?;
            let sources = sources(bucket, &point);
            let mut found = Vec::new();
            for (source, (key, value)) in sources.zip(&point.fields) {
                let Some(value) = number(value) else { continue };
                let value =
                    value.ok_or_else(|| format!("has more digits in {key:?} than are kept"))?;
                if source.chars().count() > MAX_SOURCE {
                    return Err(format!("has a series of more than {MAX_SOURCE} characters"));
                }
                found.push(Sample { line, source, at, value });
            }
            Ok(found)
        });
        match found {
            Ok(found) => samples.extend(found),
            Err(reason) => refused.add(line, reason),
        }
    }
    (count, samples)
}

/// The number of a value: none of a text, and none in that where it has more digits than are kept.
fn number(value: &Value<'_>) -> Option<Option<Decimal>> {
    Some(match value {
        Value::Text(_) => return None,
        Value::Float(text) => decimal(text),
        Value::Integer(number) => Decimal::parse(&number.to_string()),
        Value::Unsigned(number) => Decimal::parse(&number.to_string()),
        Value::Boolean(value) => Decimal::parse(if *value { "1" } else { "0" }),
    })
}

/// A float of the line protocol, which may leave out the digits on either side of the point.
fn decimal(text: &str) -> Option<Decimal> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", text),
    };
    let end = unsigned.find(['e', 'E']).unwrap_or(unsigned.len());
    let (mantissa, exponent) = unsigned.split_at(end);
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if part.is_empty() { "" } else { "." };
    Decimal::parse(&format!("{sign}{whole}{point}{part}{exponent}"))
}

/// The meters of these samples by their sources, made where there is none and the actor may make it.
async fn meters(
    store: &Store,
    actor: &Actor,
    samples: &[Sample],
    refused: &mut Refused,
) -> Result<HashMap<String, Meter>> {
    let wanted: BTreeSet<&str> = samples.iter().map(|sample| &*sample.source).collect();
    let wanted: Vec<&str> = wanted.into_iter().collect();
    let mut known =
        meter::repository::of_sources(store.read(), actor.organization_id, &wanted).await?;
    let unknown: Vec<&str> =
        wanted.into_iter().filter(|source| !known.contains_key(*source)).collect();
    if unknown.is_empty() {
        return Ok(known);
    }
    if actor.require(Permission::ManageMeters).is_ok() {
        for source in unknown.iter().take(MAX_NEW) {
            let made = create(store, actor, source).await?;
            known.insert((*source).to_owned(), made);
        }
    }
    for sample in samples.iter().filter(|sample| !known.contains_key(&sample.source)) {
        let reason = match actor.require(Permission::ManageMeters) {
            Ok(()) => {
                format!("is of a series that is new, of which a request has at most {MAX_NEW}")
            }
            Err(_) => format!("has no meter whose source is {:?}", sample.source),
        };
        refused.add(sample.line, reason);
    }
    Ok(known)
}

/// Makes the meter of a series, or finds the one that somebody else has just made.
async fn create(store: &Store, actor: &Actor, source: &str) -> Result<Meter> {
    let input = MeterInput {
        name: series::name(source),
        unit: NEW_UNIT.to_owned(),
        kind: Kind::Gauge,
        precision: NEW_PRECISION,
        on_conflict: ConflictRule::Replace,
        source: Some(source.to_owned()),
        project_id: None,
        place: None,
        interval_seconds: None,
        on_drop: DropRule::default(),
        rollover_at: None,
        low: None,
        high: None,
        hysteresis: Decimal::default(),
    };
    let new = Create { id: None, input };
    match resource::create::<Meter>(WriteOnce::new(store), actor, new).await {
        Err(Error::Duplicate { .. }) => {
            let organization_id = actor.organization_id;
            let mut found =
                meter::repository::of_sources(store.read(), organization_id, &[source]).await?;
            found.remove(source).ok_or(Error::NotFound("meter"))
        }
        made => made,
    }
}

/// A reading, and the line that it is of.
type Line = (usize, Entry);

/// The readings of these samples, of which the last of an instant stays.
fn batch(samples: &[Sample], meters: &HashMap<String, Meter>, refused: &mut Refused) -> Vec<Line> {
    let mut batch: BTreeMap<(Uuid, DateTime<Utc>), Line> = BTreeMap::new();
    for Sample { line, source, at, value } in samples {
        let Some(meter) = meters.get(source) else { continue };
        if refused.0.contains_key(line) {
            continue;
        }
        let value = value.rounded(meter.digits());
        match value.scaled(meter.digits()) {
            Ok(_) => {
                let reading = Reading { at: *at, value };
                let entry = Entry { meter_id: meter.id, reading };
                batch.insert((meter.id, *at), (*line, entry));
            }
            Err(reason) => refused.add(*line, format!("has a value for {source:?} that {reason}")),
        }
    }
    batch.into_values().filter(|(line, _)| !refused.0.contains_key(line)).collect()
}

/// Writes a batch, without the readings that its meters refuse.
async fn append(store: &Store, actor: &Actor, part: &[Line], refused: &mut Refused) -> Result<()> {
    let mut part = part.to_vec();
    for _ in 0..ATTEMPTS {
        if part.is_empty() {
            return Ok(());
        }
        let entries: Vec<Entry> = part.iter().map(|(_, entry)| *entry).collect();
        let violations = match write_batch(store, actor, entries).await {
            Ok(_) => return Ok(()),
            Err(Error::Invalid(violations) | Error::Conflicts { violations, .. }) => violations,
            Err(error) => return Err(error),
        };
        let reasons = by_index(&violations);
        if reasons.is_empty() {
            return Err(Error::Invalid(violations));
        }
        for (index, reason) in &reasons {
            if let Some((line, _)) = part.get(*index) {
                refused.add(*line, format!("is refused by its meter: {reason}"));
            }
        }
        part.retain(|(line, _)| !refused.0.contains_key(line));
    }
    for (line, _) in part {
        refused.add(line, "was not written, since others of its request were refused");
    }
    Ok(())
}

async fn write_batch(store: &Store, actor: &Actor, batch: Vec<Entry>) -> Result<Appended> {
    let actor = actor.clone();
    // Who writes to a meter holds it, before it reads it.
    let store = store.read_committed();
    store.write(async move |tx| reading::commands::append(tx, &actor, &batch).await).await
}

/// What is wrong with which readings of a batch: `/items/3/value` is the fourth.
fn by_index(violations: &Violations) -> BTreeMap<usize, String> {
    let index = |pointer: &str| pointer.strip_prefix("/items/")?.split('/').next()?.parse().ok();
    let told =
        violations.iter().filter_map(|it| Some((index(&it.pointer)?, it.message.to_string())));
    told.collect()
}
