//! Time zones: what the clocks of a place show, and when. All that steward knows of that is in here, and comes
//! from one [`Database`] of rules, which is chosen when the process starts.
//!
//! Governments change these rules, at times with a few weeks' notice. So the data is not a part of the code: a
//! newer one on the machine is taken instead of the one in the program.

#![expect(clippy::disallowed_types, reason = "the one place that asks for rules")]

mod database;

use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use jiff::{
    Timestamp, civil,
    tz::{AmbiguousOffset, Offset, TimeZone},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use database::{Choice, Database, InstallError, Source, install, installed};

/// A zone and its rules.
#[derive(Debug)]
struct Rules {
    name: Box<str>,
    zone: TimeZone,
}

/// A time zone of the tz database. Two of one name are equal.
#[derive(Clone, Copy)]
pub struct Zone(&'static Rules);

/// No name of a time zone that is known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone {0:?} in the data {1}")]
pub struct UnknownZone(String, String);

/// Which instants those are at which the clocks of a zone show a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// One.
    Once(DateTime<Utc>),
    /// Two, in their order: the clock is put back in between.
    Twice(DateTime<Utc>, DateTime<Utc>),
    /// None: the clock is put forward over it.
    Never {
        /// When the clock is put forward.
        at: DateTime<Utc>,
        /// When it would have been shown if the clock had not been: that long after `at`.
        as_if: DateTime<Utc>,
    },
}

impl Shown {
    /// The instants, in their order.
    pub fn instants(self) -> impl Iterator<Item = DateTime<Utc>> {
        let (first, second) = match self {
            Self::Once(at) => (Some(at), None),
            Self::Twice(first, second) => (Some(first), Some(second)),
            Self::Never { .. } => (None, None),
        };
        first.into_iter().chain(second)
    }
}

impl Zone {
    /// Coordinated Universal Time.
    pub fn utc() -> Self {
        static UTC: std::sync::LazyLock<Rules> =
            std::sync::LazyLock::new(|| Rules { name: "UTC".into(), zone: TimeZone::UTC });
        Self(&UTC)
    }

    /// Every zone that is known, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        installed().rules().map(Self)
    }

    /// Its name in the tz database.
    pub fn name(self) -> &'static str {
        &self.0.name
    }

    /// What its clocks show at an instant.
    pub fn local(self, at: DateTime<Utc>) -> NaiveDateTime {
        let utc = at.naive_utc();
        let Ok(timestamp) = Timestamp::from_second(at.timestamp()) else { return utc };
        let offset = fixed(self.0.zone.to_offset(timestamp));
        offset.and_then(|offset| utc.checked_add_offset(offset)).unwrap_or(utc)
    }

    /// When its clocks show this.
    pub fn shown(self, local: NaiveDateTime) -> Shown {
        let utc = || Shown::Once(local.and_utc());
        let Some(hands) = civil_of(local) else { return utc() };
        let less = |offset: Offset| Some(local.checked_sub_offset(fixed(offset)?)?.and_utc());
        let shown = match self.0.zone.to_ambiguous_timestamp(hands).offset() {
            AmbiguousOffset::Unambiguous { offset } => less(offset).map(Shown::Once),
            // Before the clock is put back, its time is the one that is further ahead.
            AmbiguousOffset::Fold { before, after } => {
                less(before).zip(less(after)).map(|(first, second)| Shown::Twice(first, second))
            }
            AmbiguousOffset::Gap { before, after: _ } => less(before)
                .map(|as_if| Shown::Never { at: self.last_change(as_if).unwrap_or(as_if), as_if }),
        };
        shown.unwrap_or_else(utc)
    }

    /// The last instant until then at which its clocks were put forward or back.
    fn last_change(self, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Those before it, and one at it.
        let after = Timestamp::from_second(until.timestamp().checked_add(1)?).ok()?;
        let mut changes = self.0.zone.preceding(after).take(8);
        let moves = |at: Timestamp| {
            let before = Timestamp::from_second(at.as_second() - 1).ok();
            before.is_some_and(|before| self.0.zone.to_offset(before) != self.0.zone.to_offset(at))
        };
        let change = changes.find(|change| moves(change.timestamp()))?;
        DateTime::from_timestamp(change.timestamp().as_second(), 0)
    }

    /// The day on which an instant lies: the last that had begun by then. Where a clock is put back over
    /// midnight, a day that has begun goes on.
    pub fn day_of(self, at: DateTime<Utc>) -> NaiveDate {
        let local = self.local(at);
        let day = local.date();
        match day.succ_opt() {
            Some(next) if self.start_of(next) <= at => next,
            _ => day,
        }
    }

    /// The instant at which a day begins: the first one of it, where a clock that is put forward leaves
    /// midnight out; that of the next day, where it leaves out the whole of it.
    pub fn start_of(self, day: NaiveDate) -> DateTime<Utc> {
        match self.shown(day.and_time(NaiveTime::MIN)) {
            Shown::Once(at) | Shown::Twice(at, _) | Shown::Never { at, .. } => at,
        }
    }
}

fn fixed(offset: Offset) -> Option<FixedOffset> {
    FixedOffset::east_opt(offset.seconds())
}

/// A day and a time; none outside of the years that jiff knows.
fn civil_of(local: NaiveDateTime) -> Option<civil::DateTime> {
    civil::DateTime::new(
        local.year().try_into().ok()?,
        local.month().try_into().ok()?,
        local.day().try_into().ok()?,
        local.hour().try_into().ok()?,
        local.minute().try_into().ok()?,
        local.second().try_into().ok()?,
        // A leap second is the last one of its minute here.
        local.nanosecond().min(999_999_999).try_into().ok()?,
    )
    .ok()
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let database = installed();
        match database.find(name) {
            Some(rules) => Ok(Self(rules)),
            None => Err(UnknownZone(name.to_owned(), database.to_string())),
        }
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Zone {}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
