//! Times of day, and the instants that they mean in a time zone: pure.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::length::Length;
use crate::zone::Zone;

/// What the hands of a clock show. Midnight may be said as the end of a day: `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hands {
    time: NaiveTime,
    ends_day: bool,
}

impl Hands {
    /// The day and time that they show, if they belong to this day.
    pub fn on(self, day: NaiveDate) -> NaiveDateTime {
        let day = if self.ends_day { day.succ_opt().unwrap_or(day) } else { day };
        day.and_time(self.time)
    }
}

/// A time of day as people write it: `21:05`, `21:05:00`, `9:05 PM`, `09:05:00 pm`, `24:00`.
pub fn clock(text: &str) -> Option<Hands> {
    let text = text.trim().to_ascii_lowercase();
    let (digits, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some(0)),
        (_, Some(digits)) => (digits, Some(12)),
        (None, None) => (&*text, None),
    };
    let mut parts = digits.trim_end().split(':');
    let (hour, minute) = (number(parts.next()?, 1..=2)?, number(parts.next()?, 2..=2)?);
    let second = parts.next().map_or(Some(0), |part| number(part, 2..=2))?;
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + half,
    };
    let ends_day = (hour, minute, second) == (24, 0, 0);
    // A second of 60 is none of the hands of a clock.
    let time = NaiveTime::from_hms_opt(if ends_day { 0 } else { hour }, minute, second);
    let hands = time.map(|time| Hands { time, ends_day });
    hands.filter(|_| parts.next().is_none())
}

pub(super) fn number(text: &str, width: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let is_number = width.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// Why a time is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The clock leaves the start out: it is put forward then.
    StartLeftOut,
    /// Likewise the end.
    EndLeftOut,
    /// It ends before it starts.
    Order,
    /// It ends when it starts.
    Empty(DateTime<Utc>),
    /// It is not as long as is said.
    Disagrees,
    /// Its length is no whole number of seconds.
    Precision,
    /// It has neither an end nor a length.
    Endless,
}

/// From when to when something was that lies between two times on the clocks of a zone, or begins at one
/// and has a length. Where a clock that is put back shows a time twice it is the earlier one, unless
/// only the later one makes it as long as is said, or end later than it starts. Its
/// length is with or without the break in it; from a start alone it is without.
///
/// Of several times at which it may end, it is the first one that makes it a time.
///
/// # Errors
/// Where there is no such time: what is wrong with the last one.
pub fn between(
    zone: Zone,
    start: NaiveDateTime,
    ends: &[NaiveDateTime],
    length: Option<Length>,
    pause: TimeDelta,
) -> Result<(DateTime<Utc>, DateTime<Utc>), Fault> {
    let starts: Vec<_> = zone.shown(start).instants().collect();
    let first = *starts.first().ok_or(Fault::StartLeftOut)?;
    let Some((last, others)) = ends.split_last() else {
        return since(first, length.ok_or(Fault::Endless)?, pause);
    };
    let until = |end: &NaiveDateTime| {
        pair(&starts, &zone.shown(*end).instants().collect::<Vec<_>>(), length, pause)
    };
    let found = others.iter().find_map(|end| until(end).ok());
    found.map_or_else(|| until(last), Ok)
}

/// From an instant on for a length of work, and the break in it.
///
/// # Errors
/// Where that is no time.
pub fn since(
    start: DateTime<Utc>,
    length: Length,
    pause: TimeDelta,
) -> Result<(DateTime<Utc>, DateTime<Utc>), Fault> {
    let seconds = length.seconds().ok_or(Fault::Precision)?;
    let time = TimeDelta::try_seconds(seconds).and_then(|time| time.checked_add(&pause));
    let end = time.and_then(|time| start.checked_add_signed(time)).ok_or(Fault::Order)?;
    if end == start { Err(Fault::Empty(start)) } else { Ok((start, end)) }
}

/// The first start and end that are in order and as long as is said.
///
/// # Errors
/// Where there are none.
pub fn pair(
    starts: &[DateTime<Utc>],
    ends: &[DateTime<Utc>],
    length: Option<Length>,
    pause: TimeDelta,
) -> Result<(DateTime<Utc>, DateTime<Utc>), Fault> {
    if ends.is_empty() {
        return Err(Fault::EndLeftOut);
    }
    let pairs = || starts.iter().flat_map(|start| ends.iter().map(move |end| (*start, *end)));
    let mut in_order = pairs().filter(|(start, end)| start < end).peekable();
    if in_order.peek().is_none() {
        let empty = pairs().find(|(start, end)| start == end);
        return Err(empty.map_or(Fault::Order, |(start, _)| match length.map(Length::is_zero) {
            None | Some(true) => Fault::Empty(start),
            Some(false) => Fault::Disagrees,
        }));
    }
    // Some write how long it was, some how much of it was work.
    let as_long = |(start, end): &(DateTime<Utc>, DateTime<Utc>)| {
        let time = *end - *start;
        length.is_none_or(|length| length.can_mean(time) || length.can_mean(time - pause))
    };
    in_order.find(as_long).ok_or(Fault::Disagrees)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> NaiveTime {
        text.parse().expect("a time")
    }

    fn zone(name: &str) -> Zone {
        name.parse().expect("a time zone")
    }

    fn local(text: &str) -> NaiveDateTime {
        text.parse().expect("a day and a time")
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    /// Without breaks.
    fn between(
        zone: Zone,
        start: NaiveDateTime,
        end: Option<NaiveDateTime>,
        length: Option<Length>,
    ) -> Result<(DateTime<Utc>, DateTime<Utc>), Fault> {
        super::between(zone, start, end.as_slice(), length, TimeDelta::zero())
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn length(text: &str) -> Length {
        Length::parse(text, '.').expect("a length")
    }

    #[test]
    fn clocks_of_twelve_and_twenty_four_hours() {
        for (text, expected) in [
            ("21:05", "21:05:00"),
            (" 21:05:07 ", "21:05:07"),
            ("9:05", "09:05:00"),
            ("9:05 PM", "21:05:00"),
            ("09:05:07pm", "21:05:07"),
            ("9:05\u{202f}PM", "21:05:00"),
            ("12:00 AM", "00:00:00"),
            ("12:30 PM", "12:30:00"),
            ("11:59:59 am", "11:59:59"),
            ("00:00", "00:00:00"),
        ] {
            let expected = Hands { time: time(expected), ends_day: false };
            assert_eq!(clock(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "9",
            "24:01",
            "24:00:01",
            "24:00 PM",
            "25:00",
            "12:60",
            "12:00:60",
            "13:00 PM",
            "0:30 AM",
            "9:5",
            "9:05 XM",
            "9:05:0",
            "-1:00",
            "+1:00",
            "1:00:00:00",
            "９:05",
            "9.05",
            "PM",
            "009:05",
        ] {
            assert_eq!(clock(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_ends_at_midnight() {
        let midnight = clock("24:00").expect("a time");
        assert_eq!(clock("24:00:00"), Some(midnight));
        assert_eq!(midnight.on(day("2026-12-31")), local("2027-01-01T00:00:00"));
        let begin = clock("0:00").expect("a time");
        assert_eq!(begin.on(day("2026-12-31")), local("2026-12-31T00:00:00"));
    }

    #[test]
    fn lengths_are_exact() {
        for (text, seconds) in [
            ("01:30:00", Some(5400)),
            ("1:30", Some(5400)),
            ("100:00:01", Some(360_001)),
            ("1.5", Some(5400)),
            ("0.33", Some(1188)),
            ("0.01", Some(36)),
            (".25", Some(900)),
            ("2", Some(7200)),
            ("2.", Some(7200)),
            ("0.333", None),
            ("0.0001", None),
            ("0.00025", None),
            ("0.0025", Some(9)),
        ] {
            assert_eq!(length(text).seconds(), seconds, "{text}");
        }
        for text in
            ["", ".", "-1", "1:60", "1:00:60", "1:0", "1,5", "1e3", "1:2:3:4", "1.0000000001", "x"]
        {
            assert_eq!(Length::parse(text, '.'), None, "{text}");
        }
        assert_eq!(Length::parse("1,5", ',').and_then(Length::seconds), Some(5400));
        assert_eq!((length("0.25").minutes(), length("0.33").minutes()), (Some(15), None));
    }

    #[test]
    fn a_clock_that_is_put_forward_or_back() {
        let zone = zone("Europe/Zurich");
        let spring = |start: &str, end: &str| between(zone, local(start), Some(local(end)), None);
        assert_eq!(spring("2026-03-29T02:30:00", "2026-03-29T04:00:00"), Err(Fault::StartLeftOut));
        assert_eq!(spring("2026-03-29T01:30:00", "2026-03-29T02:30:00"), Err(Fault::EndLeftOut));
        assert_eq!(
            spring("2026-03-29T01:30:00", "2026-03-29T03:30:00"),
            Ok((at("2026-03-29T00:30:00Z"), at("2026-03-29T01:30:00Z"))),
        );
        let autumn = |start: &str, end: &str, long: Option<&str>| {
            let day = |time| local(&format!("2026-10-25T{time}"));
            between(zone, day(start), Some(day(end)), long.map(length))
        };
        let (one, two) = (at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z"));
        // 2:30 comes twice: at 0:30 and at 1:30 UTC.
        assert_eq!(autumn("02:30:00", "03:30:00", None), Ok((one, at("2026-10-25T02:30:00Z"))));
        assert_eq!(
            autumn("02:30:00", "03:30:00", Some("1:00:00")),
            Ok((two, at("2026-10-25T02:30:00Z")))
        );
        assert_eq!(autumn("01:30:00", "02:30:00", None), Ok((at("2026-10-24T23:30:00Z"), one)));
        assert_eq!(
            autumn("01:30:00", "02:30:00", Some("2.00")),
            Ok((at("2026-10-24T23:30:00Z"), two))
        );
        assert_eq!(autumn("02:30:00", "02:30:00", None), Ok((one, two)), "the same hands, later");
        assert_eq!(
            autumn("02:40:00", "02:10:00", None),
            Ok((at("2026-10-25T00:40:00Z"), at("2026-10-25T01:10:00Z")))
        );
        assert_eq!(autumn("02:30:00", "03:30:00", Some("1:30:00")), Err(Fault::Disagrees));
        assert_eq!(autumn("05:00:00", "04:00:00", None), Err(Fault::Order));
    }

    #[test]
    fn a_length_agrees_to_its_last_place() {
        let day = |time| local(&format!("2024-11-25T{time}"));
        let of = |long| {
            between(Zone::utc(), day("12:26:10"), Some(day("12:51:29")), Some(length(long))).is_ok()
        };
        for (long, agrees) in [
            ("00:25:19", true),
            ("00:25:20", false),
            ("0:25", true),
            ("0:26", true),
            ("0:27", false),
            ("0.42", true),
            ("0.43", true),
            ("0.44", false),
            ("0.4219", true),
            ("0.421", true),
            ("0.42194", true),
            ("0.43000", false),
        ] {
            assert_eq!(of(long), agrees, "{long}");
        }
    }

    #[test]
    fn what_has_no_end_has_a_length() {
        let start = local("2026-11-02T09:00:00");
        let from = |long: Option<&str>| between(Zone::utc(), start, None, long.map(length));
        assert_eq!(
            from(Some("0.33")),
            Ok((at("2026-11-02T09:00:00Z"), at("2026-11-02T09:19:48Z")))
        );
        assert_eq!(from(Some("0.333")), Err(Fault::Precision));
        assert_eq!(from(Some("0")), Err(Fault::Empty(at("2026-11-02T09:00:00Z"))));
        assert_eq!(from(None), Err(Fault::Endless));
    }

    proptest! {
        #[test]
        fn minutes_come_back_from_hundredths_of_hours(minutes in 0..=100_000_i64, cut: bool) {
            // Rounded half up, or as some do to the even: no minute is half of a hundredth away.
            let hundredths = (minutes * 100 * 2 + 60) / 120;
            let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let text = if cut { text.trim_end_matches('0').to_owned() } else { text };
            prop_assert_eq!(length(&text).nearest_minutes(), minutes, "{}", text);
        }

        #[test]
        fn every_second_of_a_year_in_every_zone(
            zone in prop::sample::select(Zone::all().collect::<Vec<_>>()),
            start in 1_577_836_800..1_924_992_000_i64,
            seconds in 1..200_000_i64,
        ) {
            let start = DateTime::from_timestamp(start, 0).expect("an instant");
            let end = start + TimeDelta::seconds(seconds);
            let shown = |at: DateTime<Utc>| zone.local(at);
            let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            let length = length(&format!("{h:02}:{m:02}:{s:02}"));
            let (from, to) = between(zone, shown(start), Some(shown(end)), Some(length))
                .expect("a time that was");
            prop_assert_eq!(to - from, end - start);
            prop_assert_eq!((shown(from), shown(to)), (shown(start), shown(end)));
        }
    }
}
