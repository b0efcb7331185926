//! The intervals of one member: whether another overlaps one of them. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rules::MAX_DURATION;

/// A time: from an instant until before another one, or without an end as yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it; none of a timer that runs.
    pub end: Option<DateTime<Utc>>,
}

impl Interval {
    /// Whether the two share an instant. One that ends where the other begins does not, nor does one that ends
    /// where it begins itself.
    pub fn meets(self, other: Self) -> bool {
        let is_empty = |one: Self| one.end == Some(one.start);
        if is_empty(self) || is_empty(other) {
            return false;
        }
        let begins_before_end_of =
            |one: Self, other: Self| other.end.is_none_or(|end| one.start < end);
        begins_before_end_of(self, other) && begins_before_end_of(other, self)
    }

    /// Whether another lies within this one.
    pub fn covers(self, other: Self) -> bool {
        let ends_no_later = |end| other.end.is_some_and(|other| other <= end);
        self.start <= other.start && self.end.is_none_or(ends_no_later)
    }
}

/// Intervals, by their beginnings. It may overlap itself: that was allowed then.
#[derive(Debug, Default)]
pub struct IntervalSet {
    ended: BTreeMap<(DateTime<Utc>, Uuid), DateTime<Utc>>,
    running: BTreeMap<DateTime<Utc>, Uuid>,
}

impl IntervalSet {
    /// Adds an interval.
    pub fn add(&mut self, time: Interval, id: Uuid) {
        match time.end {
            Some(end) => _ = self.ended.insert((time.start, id), end),
            None => _ = self.running.insert(time.start, id),
        }
    }

    /// An interval that overlaps this one, if there is any.
    pub fn overlapping(&self, time: Interval) -> Option<Uuid> {
        let other = |start: DateTime<Utc>, end| Interval { start, end };
        let running = self.running.iter().next();
        let running = running.filter(|(start, _)| time.meets(other(**start, None)));
        // Nothing that began longer ago still goes on.
        let after = (time.start - MAX_DURATION, Uuid::nil());
        let mut ended = self.ended.range(after..);
        ended
            .by_ref()
            .take_while(|((start, _), _)| time.end.is_none_or(|end| *start < end))
            .find(|((start, _), end)| time.meets(other(*start, Some(**end))))
            .map(|((_, id), _)| *id)
            .or(running.map(|(_, id)| *id))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    /// Minutes after some instant, and how many.
    fn times() -> impl Strategy<Value = Vec<(i64, Option<i64>)>> {
        let length = prop_oneof![9 => (1_i64..=44_640).prop_map(Some), 1 => Just(None)];
        let short = (0_i64..600, prop_oneof![9 => (1_i64..60).prop_map(Some), 1 => Just(None)]);
        prop_oneof![
            prop::collection::vec(short, 1..40),
            prop::collection::vec((0_i64..200_000, length), 1..40),
        ]
    }

    fn minutes_of(time: Interval) -> (i64, i64) {
        let minute = |at: DateTime<Utc>| at.timestamp() / 60;
        (minute(time.start), time.end.map_or(i64::MAX, minute))
    }

    proptest! {
        /// The naive model: two times overlap if the later start lies before the earlier end.
        #[test]
        fn a_time_fits_if_it_meets_no_other(times in times()) {
            let mut set = IntervalSet::default();
            let mut model: Vec<(Uuid, (i64, i64))> = Vec::new();
            for (index, (start, length)) in times.into_iter().enumerate() {
                let start = DateTime::UNIX_EPOCH + TimeDelta::minutes(start);
                let time = Interval { start, end: length.map(|it| start + TimeDelta::minutes(it)) };
                let id = Uuid::from_u128(index as u128 + 1);
                let (from, until) = minutes_of(time);
                let meets = |other: &(i64, i64)| from.max(other.0) < until.min(other.1);
                let expected: Vec<_> =
                    model.iter().filter(|(_, other)| meets(other)).map(|(id, _)| *id).collect();
                match set.overlapping(time) {
                    Some(found) => prop_assert!(expected.contains(&found)),
                    None => prop_assert!(expected.is_empty(), "{time:?} meets {expected:?}"),
                }
                // Some that overlap are kept, too: that may have been allowed.
                if expected.is_empty() || index % 3 == 0 {
                    set.add(time, id);
                    model.push((id, (from, until)));
                }
            }
        }
    }
}
