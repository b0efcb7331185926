//! The breaks that a row tells of: pure.

use chrono::{DateTime, Days, TimeDelta, Utc};

use super::{
    super::Break,
    clock::{Hands, clock},
    length::Length,
};
use crate::zone::Zone;

/// What a cell says of breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pauses {
    /// How long it was in all.
    Total(TimeDelta),
    /// From when to when, each.
    List(Vec<(Mark, Mark)>),
}

/// An end of a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Hands(Hands),
    Instant(DateTime<Utc>),
}

impl Pauses {
    /// Reads a cell that is not blank.
    pub(super) fn read(text: &str, decimal_separator: char) -> Option<Self> {
        if let Some(length) = Length::parse(text, decimal_separator) {
            return TimeDelta::try_seconds(length.seconds()?).map(Self::Total);
        }
        let parts = text.split([',', ';']).map(str::trim);
        parts.map(pair).collect::<Option<_>>().map(Self::List)
    }

    /// How long they are in all, as the clocks show it.
    pub(super) fn total(&self) -> TimeDelta {
        match self {
            Self::Total(total) => *total,
            Self::List(list) => list.iter().map(|(from, to)| length(*from, *to)).sum(),
        }
    }

    /// Where they lie in a time; none where they do not.
    pub(super) fn within(
        &self,
        zone: Zone,
        start: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Option<Vec<Break>> {
        match self {
            Self::Total(total) if total.is_zero() => Some(Vec::new()),
            Self::Total(total) => in_the_middle(zone, (start, end), *total).map(|it| vec![it]),
            Self::List(list) => {
                let mut from = start;
                let mut place = |pair: &(Mark, Mark)| {
                    let found = first_of(zone, (from, end), *pair)?;
                    from = found.ended_at;
                    Some(found)
                };
                list.iter().map(&mut place).collect()
            }
        }
    }
}

fn pair(text: &str) -> Option<(Mark, Mark)> {
    if let Some((from, to)) = text.split_once('/') {
        let instant = |text: &str| DateTime::parse_from_rfc3339(text.trim()).ok();
        return Some((
            Mark::Instant(instant(from)?.to_utc()),
            Mark::Instant(instant(to)?.to_utc()),
        ));
    }
    let (from, to) = text.split_once(['-', '–'])?;
    Some((Mark::Hands(clock(from)?), Mark::Hands(clock(to)?)))
}

/// Over midnight, where it ends earlier than it begins.
fn length(from: Mark, to: Mark) -> TimeDelta {
    match (from, to) {
        (Mark::Instant(from), Mark::Instant(to)) => to - from,
        (Mark::Hands(from), Mark::Hands(to)) => {
            let day = DateTime::UNIX_EPOCH.date_naive();
            let time = to.on(day) - from.on(day);
            if time < TimeDelta::zero() { time + TimeDelta::days(1) } else { time }
        }
        _ => TimeDelta::zero(),
    }
}

/// Nobody noted when it was: that changes no sum, as long as it is all one day.
fn in_the_middle(
    zone: Zone,
    (start, end): (DateTime<Utc>, DateTime<Utc>),
    total: TimeDelta,
) -> Option<Break> {
    let one_day = zone.start_of(zone.day_of(start).succ_opt()?) >= end;
    let rest = (end - start - total).num_seconds();
    if !one_day || total < TimeDelta::zero() || total > end - start {
        return None;
    }
    let started_at = start + TimeDelta::seconds(rest / 2);
    Some(Break { started_at, ended_at: started_at + total })
}

/// The first time within another at which the clocks show both ends.
fn first_of(
    zone: Zone,
    (start, end): (DateTime<Utc>, DateTime<Utc>),
    pair: (Mark, Mark),
) -> Option<Break> {
    let fits = |started_at: DateTime<Utc>, ended_at: DateTime<Utc>| {
        let fits = start <= started_at && started_at < ended_at && ended_at <= end;
        fits.then_some(Break { started_at, ended_at })
    };
    match pair {
        (Mark::Instant(from), Mark::Instant(to)) => fits(from, to),
        (Mark::Hands(from), Mark::Hands(to)) => {
            let last = zone.local(end).date();
            let days = zone.local(start).date().iter_days().take_while(|day| *day <= last);
            // An entry has no more days.
            days.take(33).find_map(|day| {
                let next = day.checked_add_days(Days::new(1))?;
                let ends = [to.on(day), to.on(next)].map(|at| zone.shown(at));
                let ends: Vec<_> = ends.into_iter().flat_map(|it| it.instants()).collect();
                let mut starts = zone.shown(from.on(day)).instants();
                starts.find_map(|from| ends.iter().find_map(|to| fits(from, *to)))
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    /// The breaks of a time in Zurich, as minutes since it began.
    fn minutes(text: &str, start: &str, end: &str) -> Option<Vec<(i64, i64)>> {
        let zone = "Europe/Zurich".parse().expect("a time zone");
        let (start, end) = (at(start), at(end));
        let found = Pauses::read(text, '.')?.within(zone, start, end)?;
        let since = |at: DateTime<Utc>| (at - start).num_minutes();
        Some(found.iter().map(|it| (since(it.started_at), since(it.ended_at))).collect())
    }

    #[test]
    fn breaks_lie_where_the_clocks_show_them() {
        let day = |text: &str| minutes(text, "2026-11-16T08:00:00Z", "2026-11-16T16:00:00Z");
        assert_eq!(day("12:00-12:30"), Some(vec![(180, 210)]));
        assert_eq!(day("12:00 PM – 12:30 PM; 15:00-15:15"), Some(vec![(180, 210), (360, 375)]));
        assert_eq!(day("0:30"), Some(vec![(225, 255)]));
        assert_eq!(day("30 min"), Some(vec![(225, 255)]));
        assert_eq!(day("0"), Some(vec![]));
        assert_eq!(day("2026-11-16T10:00:00+01:00/2026-11-16T09:30:00Z"), Some(vec![(60, 90)]));
        for text in [
            "8:00-8:30",
            "12:30-12:00",
            "12:00-12:30,12:15-12:45",
            "9:00",
            "lunch",
            "12:00",
            "12:00-",
            "2026-11-16T10:00:00Z/12:00",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
        let night = |text: &str| minutes(text, "2026-11-16T21:00:00Z", "2026-11-17T05:00:00Z");
        assert_eq!(night("23:45-0:15"), Some(vec![(105, 135)]));
        assert_eq!(night("2:00-2:30"), Some(vec![(240, 270)]));
        assert_eq!(night("23:30-24:00"), Some(vec![(90, 120)]));
        assert_eq!(night("0:30"), None, "of which day it is, nobody has said");
        // 2:30 comes twice.
        let autumn = |text: &str| minutes(text, "2026-10-24T22:00:00Z", "2026-10-25T05:00:00Z");
        assert_eq!(autumn("2:45-2:15"), Some(vec![(165, 195)]));
    }
}
