//! Where an entry lies: its segments, one for each day of the organization, and their weeks. Pure.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};

use super::{Break, TimeEntryInput};
use crate::actor::Settings;

/// What of an entry lies in one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaySegment {
    /// The day.
    pub day: NaiveDate,
    /// How many whole seconds were worked there.
    pub seconds: i64,
}

/// The Monday of the ISO week of a day.
pub fn week_of(day: NaiveDate) -> NaiveDate {
    let since_monday = Days::new(day.weekday().num_days_from_monday().into());
    day.checked_sub_days(since_monday).unwrap_or(day)
}

/// The segments of an entry that keeps the rules of its input: at least one. A timer that runs has
/// nothing yet, on its first day.
pub fn of(settings: &Settings, input: &TimeEntryInput) -> Vec<DaySegment> {
    match (input.started_at, input.ended_at, input.day) {
        (Some(start), Some(end), _) => split(settings, start, end, &input.breaks),
        (Some(start), None, _) => vec![DaySegment { day: settings.day_of(start), seconds: 0 }],
        (None, _, Some(day)) => {
            vec![DaySegment { day, seconds: input.minutes.unwrap_or_default() * 60 }]
        }
        (None, _, None) => Vec::new(),
    }
}

/// Cuts what was worked from `start` to `end` where days begin. Each second is in one segment, and
/// together they are the whole seconds of the whole: a segment has those that are full by its end
/// and were not before it.
pub fn split(
    settings: &Settings,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    breaks: &[Break],
) -> Vec<DaySegment> {
    let mut segments = Vec::new();
    let mut day = settings.day_of(start);
    let mut from = start;
    let mut worked = TimeDelta::zero();
    let mut counted = 0;
    while from < end {
        let Some(next) = day.succ_opt() else { break };
        let until = settings.start_of(next).min(end);
        // A day that the clock left out has nothing.
        if until > from {
            worked += until - from - paused(from, until, breaks);
            let whole = worked.num_seconds();
            segments.push(DaySegment { day, seconds: whole - counted });
            counted = whole;
            from = until;
        }
        day = next;
    }
    if segments.is_empty() {
        segments.push(DaySegment { day, seconds: 0 });
    }
    segments
}

/// How much of the time between two instants is break.
fn paused(from: DateTime<Utc>, until: DateTime<Utc>, breaks: &[Break]) -> TimeDelta {
    let within = |pause: &Break| pause.ended_at.min(until) - pause.started_at.max(from);
    breaks.iter().map(within).filter(|part| *part > TimeDelta::zero()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::Zone;

    fn settings(time_zone: Zone) -> Settings {
        Settings {
            currency: "EUR".into(),
            approval_required: false,
            overlap_allowed: false,
            time_zone,
        }
    }

    fn zone(name: &str) -> Zone {
        name.parse().expect("a time zone")
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn seconds(segments: &[DaySegment]) -> Vec<(String, i64)> {
        segments.iter().map(|segment| (segment.day.to_string(), segment.seconds)).collect()
    }

    #[test]
    fn an_entry_belongs_to_both_of_its_days() {
        let zurich = settings(zone("Europe/Zurich"));
        let pause =
            Break { started_at: at("2026-11-22T22:45:00Z"), ended_at: at("2026-11-22T23:15:00Z") };
        let (start, end) = (at("2026-11-22T21:00:00.25Z"), at("2026-11-23T00:00:00.5Z"));
        let segments = split(&zurich, start, end, &[pause]);
        let days = [("2026-11-22".to_owned(), 6299), ("2026-11-23".to_owned(), 2701)];
        assert_eq!(seconds(&segments), days);
    }

    #[test]
    fn days_have_as_many_hours_as_their_clocks_let_pass() {
        for (name, start, end, hours) in [
            ("Europe/Zurich", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", vec![23]),
            ("Europe/Zurich", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", vec![25]),
            // Midnight was there twice.
            ("America/Havana", "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z", vec![25]),
            // 30 December 2011 was not there at all.
            ("Pacific/Apia", "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z", vec![24, 24]),
        ] {
            let segments = split(&settings(self::zone(name)), at(start), at(end), &[]);
            let found: Vec<_> = segments.iter().map(|segment| segment.seconds / 3600).collect();
            assert_eq!(found, hours, "{name}");
        }
    }

    /// The same numbers for the same seed (splitmix64).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: u64) -> i64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            i64::try_from((z ^ (z >> 31)) % bound).expect("a small number")
        }
    }

    /// An entry that begins within three days of an instant, and its breaks.
    fn entry(
        numbers: &mut Numbers,
        near: DateTime<Utc>,
    ) -> (DateTime<Utc>, DateTime<Utc>, Vec<Break>) {
        // Most to the second, some to the microsecond.
        let unit: i64 = if numbers.below(4) == 0 { 1 } else { 1_000_000 };
        let up_to = |numbers: &mut Numbers, seconds: u64| {
            TimeDelta::microseconds(numbers.below(seconds * 1_000_000 / unit.unsigned_abs()) * unit)
        };
        let start = near - TimeDelta::days(3) + up_to(numbers, 6 * 86_400);
        let long = numbers.below(50) == 0;
        let length = up_to(numbers, if long { 31 * 86_400 - 1 } else { 2 * 86_400 });
        let end = start + length + TimeDelta::microseconds(unit);
        let mut marks: Vec<_> = (0..2 * numbers.below(3))
            .map(|_| start + up_to(numbers, (end - start).num_seconds().max(1).unsigned_abs()))
            .filter(|mark| *mark <= end)
            .collect();
        marks.sort_unstable();
        marks.dedup();
        let pairs = marks.chunks_exact(2);
        let breaks = pairs.map(|it| Break { started_at: it[0], ended_at: it[1] }).collect();
        (start, end, breaks)
    }

    /// What was worked of an entry until an instant.
    fn worked(
        start: DateTime<Utc>,
        end: DateTime<Utc>,
        breaks: &[Break],
        until: DateTime<Utc>,
    ) -> i64 {
        let length = |from: DateTime<Utc>, to: DateTime<Utc>| {
            (to.min(until) - from.min(until)).num_microseconds().expect("a short time")
        };
        let paused: i64 = breaks.iter().map(|it| length(it.started_at, it.ended_at)).sum();
        (length(start, end) - paused).div_euclid(1_000_000)
    }

    /// Every week of 2020 to 2030 in a zone: it begins where the clock on the wall first shows its Monday,
    /// and of an entry near that it has what was worked between its beginning and its end.
    fn weeks_hold(zone: Zone, numbers: &mut Numbers) {
        let settings = settings(zone);
        let shown = |at: DateTime<Utc>| zone.local(at).date();
        let mut monday = week_of(NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day"));
        while monday.year() <= 2030 {
            let begins = settings.start_of(monday);
            assert!(shown(begins) >= monday, "{zone} {monday}");
            assert!(shown(begins - TimeDelta::microseconds(1)) < monday, "{zone} {monday}");
            let (start, end, breaks) = entry(numbers, begins);
            let segments = split(&settings, start, end, &breaks);
            let total: i64 = segments.iter().map(|segment| segment.seconds).sum();
            assert_eq!(total, worked(start, end, &breaks, end), "{zone} {start} {end}");
            let mut week = week_of(settings.day_of(start));
            while settings.start_of(week) < end {
                let next = week + Days::new(7);
                let of_week = segments.iter().filter(|segment| week_of(segment.day) == week);
                let of_week: i64 = of_week.map(|segment| segment.seconds).sum();
                let until = |day| worked(start, end, &breaks, settings.start_of(day));
                assert_eq!(
                    of_week,
                    until(next) - until(week).max(0),
                    "{zone} {week} {start} {end}"
                );
                week = next;
            }
            assert!(segments.iter().all(|segment| segment.seconds >= 0));
            monday = monday + Days::new(7);
        }
    }

    #[test]
    fn a_week_has_what_was_worked_in_it_in_every_zone() {
        let zones: Vec<_> = Zone::all().collect();
        let parts = zones.chunks(zones.len().div_ceil(4));
        std::thread::scope(|scope| {
            for (seed, zones) in (1..).zip(parts) {
                scope.spawn(move || {
                    let mut numbers = Numbers(seed);
                    zones.iter().for_each(|zone| weeks_hold(*zone, &mut numbers));
                });
            }
        });
    }
}
