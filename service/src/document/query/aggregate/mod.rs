//! Aggregation: matching documents in groups, and sums, averages and counts of each.

mod bucket;
mod measure;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::{
    bucket::Unit,
    measure::{Function, State},
};
use super::{below, matches::Subject, order, path::Path, refuse, selector::Selector};
use crate::{error::Violation, number::Decimal, zone::Zone};

/// By how many values documents may be grouped.
pub const MAX_GROUP_FIELDS: usize = 5;
/// How many measures there may be.
pub const MAX_MEASURES: usize = 20;
/// How many groups there may be, and how many different values may be counted in all of them.
pub const MAX_GROUPS: usize = 10_000;
/// How many groups are returned if nobody says, and at most.
pub const DEFAULT_LIMIT: usize = 100;
/// How many groups are returned at most.
pub const MAX_LIMIT: usize = 1_000;

/// A value that documents are grouped by.
#[derive(Debug, Clone)]
struct GroupField {
    name: String,
    path: Path,
    unit: Option<(Unit, Zone)>,
}

/// What is computed of each group.
#[derive(Debug, Clone)]
struct Measure {
    name: String,
    path: Path,
    function: Function,
    at: String,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Aggregation {
    /// Which documents.
    pub selector: Selector,
    group_by: Vec<GroupField>,
    measures: Vec<Measure>,
    /// Names, and whether the largest is first.
    sort: Vec<(String, bool)>,
    limit: usize,
}

/// What a request says of an aggregation.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Which documents.
    pub selector: &'a Map<String, Value>,
    /// Paths, or objects of `path`, `as`, `unit` and `time_zone`.
    pub group_by: &'a [Value],
    /// An object of one function and its path for each name.
    pub measures: &'a Map<String, Value>,
    /// Names of groups and measures, as a sort has paths.
    pub sort: &'a [Value],
    /// How many groups.
    pub limit: Option<u64>,
}

impl Aggregation {
    /// Reads an aggregation. Instants without a time zone of their own are those of `zone`.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with a pointer.
    pub fn parse(request: Request<'_>, zone: Zone) -> Result<Self, Violation> {
        let group_by = group_by(request.group_by, zone)?;
        let measures = measures(request.measures)?;
        let names = group_by.iter().map(|field| &field.name);
        let mut names: Vec<_> = names.chain(measures.iter().map(|measure| &measure.name)).collect();
        if names.is_empty() {
            return Err(refuse(
                "/measures",
                "required",
                "must have a member, unless there are groups",
            ));
        }
        let sort = sort(request.sort, &names)?;
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let at = below("/measures", twice[0]);
            return Err(refuse(&at, "duplicate", "must not be the name of a group too"));
        }
        let limit = match request.limit.map(usize::try_from) {
            None => DEFAULT_LIMIT,
            Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
            Some(_) => return Err(refuse("/limit", "range", format!("must be 1 to {MAX_LIMIT}"))),
        };
        let selector = Selector::parse(request.selector, "/selector")?;
        Ok(Self { selector, group_by, measures, sort, limit })
    }
}

fn group_by(items: &[Value], zone: Zone) -> Result<Vec<GroupField>, Violation> {
    if items.len() > MAX_GROUP_FIELDS {
        let message = format!("must have at most {MAX_GROUP_FIELDS} items");
        return Err(refuse("/group_by", "length", message));
    }
    let mut fields: Vec<GroupField> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = below("/group_by", index);
        let field = group_field(item, zone, &at)?;
        if fields.iter().any(|known| known.name == field.name) {
            return Err(refuse(&at, "duplicate", "must have a name of its own (as)"));
        }
        fields.push(field);
    }
    Ok(fields)
}

fn group_field(item: &Value, zone: Zone, at: &str) -> Result<GroupField, Violation> {
    let members = match item {
        Value::String(path) => {
            return Ok(GroupField { name: path.clone(), path: Path::parse(path, at)?, unit: None });
        }
        Value::Object(members) => members,
        _ => return Err(refuse(at, "type", "must be a path, or an object with a path")),
    };
    let known = ["path", "as", "unit", "time_zone"];
    if let Some(other) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(refuse(&below(at, other), "unknown_field", "is an unknown field"));
    }
    let text = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(refuse(&below(at, name), "type", "must be a string")),
    };
    let path = text("path")?;
    let path = path.ok_or_else(|| refuse(&below(at, "path"), "required", "is required"))?;
    let unit = text("unit")?.map(|unit| {
        let message = "must be day, week or month";
        unit.parse::<Unit>().map_err(|_| refuse(&below(at, "unit"), "value", message))
    });
    let unit = unit.transpose()?;
    let own_zone = text("time_zone")?.map(|name| {
        let message = "must be a time zone such as Europe/Zurich";
        name.parse::<Zone>().map_err(|_| refuse(&below(at, "time_zone"), "time_zone", message))
    });
    let own_zone = own_zone.transpose()?;
    if own_zone.is_some() && unit.is_none() {
        return Err(refuse(&below(at, "unit"), "required", "is required with a time zone"));
    }
    Ok(GroupField {
        name: name(text("as")?.unwrap_or(path), at)?,
        path: Path::parse(path, &below(at, "path"))?,
        unit: unit.map(|unit| (unit, own_zone.unwrap_or(zone))),
    })
}

fn measures(members: &Map<String, Value>) -> Result<Vec<Measure>, Violation> {
    if members.len() > MAX_MEASURES {
        let message = format!("must have at most {MAX_MEASURES} members");
        return Err(refuse("/measures", "length", message));
    }
    let measures = members.iter().map(|(measure, value)| {
        let at = below("/measures", measure);
        let only = value.as_object().filter(|value| value.len() == 1);
        let (function, path) = only
            .and_then(|only| only.iter().next())
            .ok_or_else(|| refuse(&at, "type", "must be an object of one function and its path"))?;
        let name = name(measure, &at)?;
        let at = below(&at, function);
        let message = "must be sum, avg, min, max, count or count_distinct";
        let function = function.parse().map_err(|_| refuse(&at, "value", message))?;
        let path = path.as_str().ok_or_else(|| refuse(&at, "type", "must be a path"))?;
        Ok(Measure { name, path: Path::parse(path, &at)?, function, at })
    });
    measures.collect()
}

fn name(name: &str, at: &str) -> Result<String, Violation> {
    if name.is_empty() || name.len() > super::path::MAX_LENGTH {
        let message = format!("must have a name of 1 to {} bytes", super::path::MAX_LENGTH);
        return Err(refuse(at, "length", message));
    }
    Ok(name.to_owned())
}

fn sort(items: &[Value], names: &[&String]) -> Result<Vec<(String, bool)>, Violation> {
    let mut fields: Vec<(String, bool)> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = below("/sort", index);
        let (name, direction) = match item {
            Value::String(name) => (Some(name), Some("asc")),
            Value::Object(members) if members.len() == 1 => {
                (members.keys().next(), members.values().next().and_then(Value::as_str))
            }
            _ => (None, None),
        };
        let name = name.filter(|name| names.contains(name)).ok_or_else(|| {
            refuse(&at, "value", "must be the name of a group or measure, or an object of one")
        })?;
        let descending = match direction {
            Some("asc") => false,
            Some("desc") => true,
            _ => return Err(refuse(&below(&at, name), "value", "must be asc or desc")),
        };
        if fields.iter().any(|(known, _)| known == name) {
            return Err(refuse(&at, "duplicate", "must be unique"));
        }
        fields.push((name.clone(), descending));
    }
    Ok(fields)
}

/// Groups, and how many there were.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// What each group has by the names of its values and measures.
    pub items: Vec<Map<String, Value>>,
    /// How many groups there are, with those beyond the limit.
    pub total: usize,
}

/// The groups of the documents so far.
#[derive(Debug)]
pub struct Aggregator<'a> {
    aggregation: &'a Aggregation,
    /// By the bytes of their values.
    groups: BTreeMap<Vec<u8>, (Vec<Value>, Vec<State>)>,
    /// How many values are kept because different ones are counted.
    distinct: usize,
}

impl<'a> Aggregator<'a> {
    /// No document yet.
    pub fn new(aggregation: &'a Aggregation) -> Self {
        let mut groups = BTreeMap::new();
        if aggregation.group_by.is_empty() {
            groups.insert(
                order::encode(&Value::Array(Vec::new())),
                (Vec::new(), states(aggregation)),
            );
        }
        Self { aggregation, groups, distinct: 0 }
    }

    /// Takes a document if the selector does.
    ///
    /// # Errors
    /// More groups or different values than [`MAX_GROUPS`], or a number that cannot be summed up.
    pub fn add(&mut self, document: &Subject<'_>) -> Result<(), Violation> {
        let Aggregation { selector, group_by, measures, .. } = self.aggregation;
        if !selector.matches(document) {
            return Ok(());
        }
        let values = group_by.iter().map(|field| group_value(field, document)).collect();
        let values = Value::Array(values);
        let (key, count) = (order::encode(&values), self.groups.len());
        let entry = self.groups.entry(key);
        if count >= MAX_GROUPS && matches!(entry, std::collections::btree_map::Entry::Vacant(_)) {
            let message = format!("must make at most {MAX_GROUPS} groups");
            return Err(refuse("/group_by", "too_many_groups", message));
        }
        let (_, states) = entry.or_insert_with(|| {
            let Value::Array(values) = values else { return (Vec::new(), Vec::new()) };
            (values, states(self.aggregation))
        });
        for (measure, state) in measures.iter().zip(states) {
            let Some(value) = document.find(&measure.path).filter(|value| !value.is_null()) else {
                continue;
            };
            self.distinct += usize::from(state.add(value, &measure.at)?);
            if self.distinct > MAX_GROUPS {
                let message = format!("must find at most {MAX_GROUPS} different values");
                return Err(refuse(&measure.at, "too_many_values", message));
            }
        }
        Ok(())
    }

    /// What was asked for of the documents so far.
    pub fn finish(self) -> Groups {
        let Self { aggregation, groups, .. } = self;
        let total = groups.len();
        let mut items: Vec<_> = groups.into_values().map(|group| row(aggregation, group)).collect();
        // Stable: groups that are equal so far stay in the order of their values.
        items.sort_by_cached_key(|row| SortKey::of(aggregation, row));
        items.truncate(aggregation.limit);
        Groups { items, total }
    }
}

/// What a row is sorted by: inverted bytes are in the order of descending values.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SortKey(Vec<Vec<u8>>);

impl SortKey {
    fn of(aggregation: &Aggregation, row: &Map<String, Value>) -> Self {
        let keys = aggregation.sort.iter().map(|(name, descending)| {
            let mut bytes = row.get(name).map(order::encode).unwrap_or_default();
            if *descending {
                bytes.iter_mut().for_each(|byte| *byte = !*byte);
            }
            bytes
        });
        Self(keys.collect())
    }
}

fn states(aggregation: &Aggregation) -> Vec<State> {
    aggregation.measures.iter().map(|measure| State::new(measure.function)).collect()
}

fn row(
    aggregation: &Aggregation,
    (values, states): (Vec<Value>, Vec<State>),
) -> Map<String, Value> {
    let groups = aggregation.group_by.iter().map(|field| field.name.clone()).zip(values);
    let measures = aggregation.measures.iter().map(|measure| measure.name.clone());
    groups.chain(measures.zip(states.into_iter().map(State::finish))).collect()
}

/// The value that a document is grouped by; null where there is none.
fn group_value(field: &GroupField, document: &Subject<'_>) -> Value {
    let value = document.find(&field.path).unwrap_or(&Value::Null);
    match field.unit {
        Some((unit, zone)) => unit.of(value, zone).map(Value::from).unwrap_or_default(),
        None => plain(value),
    }
}

/// The one of all equal values that is shown.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(Decimal::of(number).to_number()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            members.into_iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
