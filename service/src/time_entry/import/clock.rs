//! Times of day, lengths of time, and the instants that they mean in a time zone: pure.

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// A time of day as people write it: `21:05`, `21:05:00`, `9:05 PM`, `09:05:00 pm`.
pub fn clock(text: &str) -> Option<NaiveTime> {
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
    // A second of 60 is none of the hands of a clock.
    let time = NaiveTime::from_hms_opt(hour, minute, second);
    time.filter(|_| parts.next().is_none())
}

fn number(text: &str, width: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let is_number = width.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// How many decimals hours have at least that come without: programs write 1.50 as 1.5.
const HUNDREDTHS: usize = 2;
/// How many decimals hours may have.
const DECIMALS: usize = 9;

/// A length of time as it is written, exactly: some seconds and a fraction of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// The seconds are `parts / of`.
    parts: i128,
    of: i128,
    /// As many parts as one more in the last place would be.
    last_place: i128,
}

impl Length {
    /// A length as people write it: `1:30:00`, `1:30`, or hours with decimals.
    pub fn parse(text: &str, decimal_separator: char) -> Option<Self> {
        let text = text.trim();
        let mut parts = text.split(':');
        let (hours, minutes, seconds) = (parts.next()?, parts.next(), parts.next());
        let Some(minutes) = minutes else { return Self::hours(text, decimal_separator) };
        let sixty = |text| number(text, 2..=2).filter(|number| *number < 60).map(i128::from);
        let whole = i128::from(number(hours, 1..=6)?) * 3600 + sixty(minutes)? * 60;
        let length = match seconds {
            None => Self { parts: whole, of: 1, last_place: 60 },
            Some(seconds) => Self { parts: whole + sixty(seconds)?, of: 1, last_place: 1 },
        };
        parts.next().is_none().then_some(length)
    }

    fn hours(text: &str, decimal_separator: char) -> Option<Self> {
        let (whole, fraction) = text.split_once(decimal_separator).unwrap_or((text, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = whole.len() <= 6 && fraction.len() <= DECIMALS;
        if !fits || !is_number(whole) || !is_number(fraction) || (whole.len() + fraction.len()) == 0
        {
            return None;
        }
        let decimals = fraction.len().max(HUNDREDTHS);
        let number: i128 = format!("{whole}{fraction:0<decimals$}").parse().ok()?;
        let of = 10_i128.pow(decimals.try_into().ok()?);
        Some(Self { parts: number * 3600, of, last_place: 3600 })
    }

    /// Its seconds, if they are whole.
    pub fn seconds(self) -> Option<i64> {
        if self.parts % self.of != 0 {
            return None;
        }
        (self.parts / self.of).try_into().ok()
    }

    /// Its minutes, if they are whole.
    pub fn minutes(self) -> Option<i64> {
        self.seconds().filter(|seconds| seconds % 60 == 0).map(|seconds| seconds / 60)
    }

    /// The minutes that are nearest to it. It gives back the minutes that somebody has written as
    /// hundredths of an hour: those are less than half a minute away from them.
    pub fn nearest_minutes(self) -> i64 {
        let minute = self.of * 60;
        ((self.parts * 2 + minute) / (minute * 2)).try_into().unwrap_or(i64::MAX)
    }

    /// Whether it can be what somebody has written for so much time, who rounded or cut off what comes
    /// after its last place.
    fn can_mean(self, time: TimeDelta) -> bool {
        let parts = i128::from(time.num_seconds()) * self.of;
        (parts - self.parts).abs() < self.last_place
    }
}

/// Why a time is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The clock leaves the start out: it is put forward then.
    StartLeftOut,
    /// Likewise the end.
    EndLeftOut,
    /// It does not end later than it starts.
    Order,
    /// It is not as long as is said.
    Disagrees,
    /// Its length is no whole number of seconds.
    Precision,
    /// It has neither an end nor a length.
    Endless,
}

/// From when to when something was that lies between two times on the clocks of a zone, or begins at one
/// and has a length. Where a clock that is put back shows a time twice it is the earlier one, unless
/// only the later one makes it as long as is said, or end later than it starts.
///
/// # Errors
/// Where there is no such time.
pub fn between(
    zone: Tz,
    start: NaiveDateTime,
    end: Option<NaiveDateTime>,
    length: Option<Length>,
) -> Result<(DateTime<Utc>, DateTime<Utc>), Fault> {
    let starts = instants(zone, start);
    let first = *starts.first().ok_or(Fault::StartLeftOut)?;
    let Some(end) = end else {
        let seconds = length.ok_or(Fault::Endless)?.seconds().ok_or(Fault::Precision)?;
        let end = TimeDelta::try_seconds(seconds).and_then(|time| first.checked_add_signed(time));
        return Ok((first, end.filter(|end| *end > first).ok_or(Fault::Order)?));
    };
    let ends = instants(zone, end);
    if ends.is_empty() {
        return Err(Fault::EndLeftOut);
    }
    let pairs = starts.iter().flat_map(|start| ends.iter().map(move |end| (*start, *end)));
    let in_order: Vec<_> = pairs.filter(|(start, end)| start < end).collect();
    if in_order.is_empty() {
        return Err(Fault::Order);
    }
    let as_long = |(start, end): &&(DateTime<Utc>, DateTime<Utc>)| {
        length.is_none_or(|length| length.can_mean(*end - *start))
    };
    in_order.iter().find(as_long).copied().ok_or(Fault::Disagrees)
}

/// The instants at which the clocks of a zone show a time, in order: one, two or none.
fn instants(zone: Tz, local: NaiveDateTime) -> Vec<DateTime<Utc>> {
    let found = zone.from_local_datetime(&local);
    let (first, last) = (found.earliest(), found.latest());
    let mut instants: Vec<_> = first.into_iter().chain(last).map(|at| at.to_utc()).collect();
    instants.dedup();
    instants
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> NaiveTime {
        text.parse().expect("a time")
    }

    fn local(text: &str) -> NaiveDateTime {
        text.parse().expect("a day and a time")
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
            assert_eq!(clock(text), Some(time(expected)), "{text}");
        }
        for text in [
            "",
            "9",
            "24:00",
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
        let zone = Tz::Europe__Zurich;
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
            between(Tz::UTC, day("12:26:10"), Some(day("12:51:29")), Some(length(long))).is_ok()
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
        let from = |long: Option<&str>| between(Tz::UTC, start, None, long.map(length));
        assert_eq!(
            from(Some("0.33")),
            Ok((at("2026-11-02T09:00:00Z"), at("2026-11-02T09:19:48Z")))
        );
        assert_eq!(from(Some("0.333")), Err(Fault::Precision));
        assert_eq!(from(Some("0")), Err(Fault::Order));
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
            zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..]),
            start in 1_577_836_800..1_924_992_000_i64,
            seconds in 1..200_000_i64,
        ) {
            let start = DateTime::from_timestamp(start, 0).expect("an instant");
            let end = start + TimeDelta::seconds(seconds);
            let shown = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
            let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            let length = length(&format!("{h:02}:{m:02}:{s:02}"));
            let (from, to) = between(zone, shown(start), Some(shown(end)), Some(length))
                .expect("a time that was");
            prop_assert_eq!(to - from, end - start);
            prop_assert_eq!((shown(from), shown(to)), (shown(start), shown(end)));
        }
    }
}
