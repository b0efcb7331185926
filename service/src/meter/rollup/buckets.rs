//! Where the buckets of a series begin, in a time zone.

use std::iter;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Width;
use crate::zone::Zone;

/// How long the buckets of a series are.
///
/// - `15m`: A quarter of an hour of UTC.
/// - `hour`: An hour, from the beginning of the day in the organization's time zone.
/// - `day`: A day of the organization's time zone: 23 or 25 hours where the clock changes.
/// - `week`: An ISO week, from Monday.
/// - `month`: A month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BucketLength {
    /// A quarter of an hour of UTC.
    #[serde(rename = "15m")]
    Quarter,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// An ISO week.
    Week,
    /// A month.
    Month,
}

/// The borders of buckets: from the beginning of the one in which an instant is, until the end of the one that ends at
/// another instant or goes on there. None if there are more than some.
pub fn borders(
    zone: Zone,
    length: BucketLength,
    (from, to): (i64, i64),
    most: usize,
) -> Option<Vec<i64>> {
    let mut borders: Vec<i64> = Vec::new();
    for at in starts(zone, length, from)? {
        // Of a zone that is some minutes off, as all were before the railways.
        let at = Width::Quarter.start_of(at);
        if at <= from {
            borders.clear();
        }
        if borders.last() != Some(&at) {
            borders.push(at);
        }
        if at >= to && at > from {
            return Some(borders);
        }
        if borders.len() > most {
            return None;
        }
    }
    None
}

/// The beginnings of buckets: of the one in which an instant is, or of some before it, and of all after it.
fn starts(zone: Zone, length: BucketLength, from: i64) -> Option<Box<dyn Iterator<Item = i64>>> {
    if length == BucketLength::Quarter {
        let first = Width::Quarter.start_of(from);
        return Some(Box::new(iter::successors(Some(first), |at| Some(Width::Quarter.after(*at)))));
    }
    let first = first_day(length, zone.day_of(DateTime::from_timestamp_micros(from)?))?;
    let days = iter::successors(Some(first), move |day| next_day(length, *day));
    let start = move |day: NaiveDate| zone.start_of(day).timestamp_micros();
    if length != BucketLength::Hour {
        return Some(Box::new(days.map(start)));
    }
    Some(Box::new(days.flat_map(move |day| {
        let end = day.succ_opt().map_or(i64::MIN, start);
        iter::successors(Some(start(day)), |at| Some(Width::Hour.after(*at)))
            .take_while(move |at| *at < end)
    })))
}

/// The first day of the bucket in which a day is.
fn first_day(length: BucketLength, day: NaiveDate) -> Option<NaiveDate> {
    match length {
        BucketLength::Quarter | BucketLength::Hour | BucketLength::Day => Some(day),
        BucketLength::Week => {
            day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))
        }
        BucketLength::Month => day.with_day(1),
    }
}

/// The first day of the bucket after that of this first day.
fn next_day(length: BucketLength, day: NaiveDate) -> Option<NaiveDate> {
    match length {
        BucketLength::Quarter | BucketLength::Hour | BucketLength::Day => day.succ_opt(),
        BucketLength::Week => day.checked_add_days(Days::new(7)),
        BucketLength::Month => day.checked_add_months(Months::new(1)),
    }
}

/// The longest cells that buckets with these borders are made of.
pub fn width(borders: &[i64]) -> Width {
    let fits = |width: Width| borders.iter().all(|at| width.start_of(*at) == *at);
    if fits(Width::Hour) { Width::Hour } else { Width::Quarter }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<DateTime<chrono::Utc>>().expect("an instant").timestamp_micros()
    }

    fn hours(zone: &str, length: BucketLength, from: &str, to: &str) -> Vec<i64> {
        let zone = zone.parse().expect("a zone");
        let borders = borders(zone, length, (at(from), at(to)), 1000).expect("borders");
        let seconds = borders.windows(2).map(|pair| (pair[1] - pair[0]) / 1_000_000);
        seconds.map(|seconds| seconds / 900).collect()
    }

    #[test]
    fn a_day_has_as_many_hours_as_its_clock_shows() {
        let day = BucketLength::Day;
        let of = |zone, from, to| hours(zone, day, from, to);
        assert_eq!(
            of("Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z"),
            [96, 92, 96]
        );
        assert_eq!(of("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"), [100]);
        assert_eq!(of("Australia/Lord_Howe", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z"), [98]);
        assert_eq!(of("Asia/Kathmandu", "2026-04-04T18:15:00Z", "2026-04-05T18:15:00Z"), [96]);
        // A day that there was not.
        assert_eq!(of("Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-31T10:00:00Z"), [96, 96]);
        // The rules of the zone changed: no summer time since.
        assert_eq!(of("Europe/Istanbul", "2016-10-29T21:00:00Z", "2016-10-30T21:00:00Z"), [96]);
        assert_eq!(of("Europe/Istanbul", "2015-11-07T21:00:00Z", "2015-11-08T22:00:00Z"), [100]);
    }

    #[test]
    fn hours_weeks_and_months_are_made_of_days() {
        let zone = "Europe/Berlin";
        let long_day = ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        assert_eq!(hours(zone, BucketLength::Hour, long_day.0, long_day.1), [4; 25]);
        let part = hours(zone, BucketLength::Hour, "2026-10-24T12:59:00Z", "2026-10-24T14:01:00Z");
        assert_eq!(part, [4; 3]);
        let of = |length| hours(zone, length, "2026-03-31T12:00:00Z", "2026-04-01T12:00:00Z");
        assert_eq!(of(BucketLength::Week), [7 * 96]);
        assert_eq!(of(BucketLength::Month), [31 * 96 - 4, 30 * 96]);
        assert_eq!(
            hours(zone, BucketLength::Quarter, "2026-03-31T12:10:00Z", "2026-03-31T12:20:00Z"),
            [1, 1]
        );
    }

    #[test]
    fn the_cells_are_the_longest_that_fit() {
        for (zone, expected) in [
            ("Europe/Berlin", Width::Hour),
            ("Asia/Kathmandu", Width::Quarter),
            ("Asia/Kolkata", Width::Quarter),
        ] {
            let zone = zone.parse().expect("a zone");
            let span = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
            let borders = borders(zone, BucketLength::Day, span, 1000).expect("borders");
            assert_eq!(width(&borders), expected);
        }
        assert_eq!(borders(Zone::utc(), BucketLength::Hour, (0, i64::MAX / 2), 100), None);
    }
}
