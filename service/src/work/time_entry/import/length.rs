//! Lengths of time, as people and programs write them: pure.

use chrono::TimeDelta;

use super::clock::number;

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

/// The units that lengths are written with, and their seconds.
const UNITS: [(&str, i128); 18] = [
    ("d", 86_400),
    ("day", 86_400),
    ("days", 86_400),
    ("h", 3600),
    ("hr", 3600),
    ("hrs", 3600),
    ("hour", 3600),
    ("hours", 3600),
    ("m", 60),
    ("min", 60),
    ("mins", 60),
    ("minute", 60),
    ("minutes", 60),
    ("s", 1),
    ("sec", 1),
    ("secs", 1),
    ("second", 1),
    ("seconds", 1),
];

fn unit_of(word: &str) -> Option<i128> {
    UNITS.iter().find(|(name, _)| *name == word).map(|(_, seconds)| *seconds)
}

impl Length {
    /// A length as people write it: `1:30:00`, `1:30`, hours with decimals, `1h 30m`, `90 min`, `18:25 min` (minutes
    /// and seconds), or `PT1H30M` (ISO 8601).
    pub fn parse(text: &str, decimal_separator: char) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(iso) = text.strip_prefix('p') {
            return Self::iso(iso);
        }
        if text.contains(':') {
            return Self::with_colons(&text);
        }
        if text.contains(|c: char| c.is_ascii_alphabetic()) {
            return Self::units(&text, &[decimal_separator]);
        }
        Self::decimal(&text, &[decimal_separator], 3600)
    }

    /// Hours, minutes and seconds; or minutes and seconds, where it says that they are minutes.
    fn with_colons(text: &str) -> Option<Self> {
        let word = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (digits, word) = text.split_at(word);
        let unit = if word.is_empty() { 3600 } else { unit_of(word.trim_end_matches('.'))? };
        let mut parts = digits.trim_end().split(':');
        let (first, second, third) = (parts.next()?, parts.next()?, parts.next());
        let sixty = |text| number(text, 2..=2).filter(|number| *number < 60).map(i128::from);
        let whole = i128::from(number(first, 1..=6)?) * unit;
        let length = match (unit, third) {
            (3600, None) => Self { parts: whole + sixty(second)? * 60, of: 1, last_place: 60 },
            (3600, Some(third)) => {
                let seconds = sixty(second)? * 60 + sixty(third)?;
                Self { parts: whole + seconds, of: 1, last_place: 1 }
            }
            (60, None) => Self { parts: whole + sixty(second)?, of: 1, last_place: 1 },
            _ => return None,
        };
        parts.next().is_none().then_some(length)
    }

    /// `1h 30m`: units from the largest to the smallest, of which the last may have decimals.
    fn units(text: &str, separators: &[char]) -> Option<Self> {
        let mut rest = text;
        let mut larger = i128::MAX;
        let mut sum = Self { parts: 0, of: 1, last_place: 1 };
        while !rest.is_empty() {
            let is_number = |c: char| c.is_ascii_digit() || separators.contains(&c);
            let (count, tail) = rest.split_at(rest.find(|c| !is_number(c))?);
            let tail = tail.trim_start();
            let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (word, tail) = tail.split_at(end);
            let unit = unit_of(word).filter(|unit| *unit < larger && sum.of == 1)?;
            let whole = !count.contains(separators);
            let length = Self::decimal(count, separators, unit)?;
            let last_place = if whole { unit.min(60) } else { length.last_place };
            let length = if whole {
                Self { parts: length.parts / length.of, of: 1, last_place }
            } else {
                length
            };
            sum = Self { parts: sum.parts * length.of + length.parts, ..length };
            larger = unit;
            rest = tail.strip_prefix('.').unwrap_or(tail).trim_start();
        }
        (larger < i128::MAX).then_some(sum)
    }

    /// What follows the `P` of ISO 8601, without the units whose lengths differ.
    fn iso(text: &str) -> Option<Self> {
        let (days, time) = text.split_once('t').unwrap_or((text, ""));
        let short = |c: char| c.is_ascii_digit() || ".,dhms".contains(c);
        let days_only = days.is_empty() || (days.ends_with('d') && !days.contains(['h', 'm', 's']));
        let ends = !text.ends_with('t') && !time.contains('d');
        let whole = format!("{days}{time}");
        (days_only && ends && whole.chars().all(short)).then(|| Self::units(&whole, &['.', ',']))?
    }

    /// So many of a unit, with decimals.
    fn decimal(text: &str, separators: &[char], unit: i128) -> Option<Self> {
        let (whole, fraction) = text.split_once(separators).unwrap_or((text, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = whole.len() <= 6 && fraction.len() <= DECIMALS;
        if !fits || !is_number(whole) || !is_number(fraction) || (whole.len() + fraction.len()) == 0
        {
            return None;
        }
        let decimals = fraction.len().max(HUNDREDTHS);
        let number: i128 = format!("{whole}{fraction:0<decimals$}").parse().ok()?;
        let of = 10_i128.pow(decimals.try_into().ok()?);
        Some(Self { parts: number * unit, of, last_place: unit })
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.parts == 0
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
    pub(super) fn can_mean(self, time: TimeDelta) -> bool {
        let parts = i128::from(time.num_seconds()) * self.of;
        (parts - self.parts).abs() < self.last_place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_with_units() {
        for (text, seconds) in [
            ("18:25 min", 1105),
            ("0:45 min.", 45),
            ("100:00 minutes", 6000),
            ("1:30 h", 5400),
            ("01:30:15 hrs", 5415),
            ("1h 30m", 5400),
            ("1h30m15s", 5415),
            ("1 h 30 min", 5400),
            ("1 Hour 1 Minute", 3660),
            ("2 hrs. 5 min.", 7500),
            ("90 min", 5400),
            ("90m", 5400),
            ("45s", 45),
            ("1.5h", 5400),
            ("0.5 min", 30),
            ("1h 1.5m", 3690),
            ("2h", 7200),
            ("PT1H30M", 5400),
            ("PT90M", 5400),
            ("pt5400s", 5400),
            ("PT1.5H", 5400),
            ("PT0,5H", 1800),
            ("PT0S", 0),
            ("P1D", 86_400),
            ("P1DT1H", 90_000),
        ] {
            assert_eq!(Length::parse(text, '.').and_then(Length::seconds), Some(seconds), "{text}");
        }
        for text in [
            "18:25:30 min",
            "18:60 min",
            "18:25 s",
            "18:25 d",
            "30m 1h",
            "1h 1h",
            "1.5h 30m",
            "h",
            "1h 30",
            "1x",
            "-1h",
            "1,5h",
            "P",
            "PT",
            "P1H",
            "PT1D",
            "P1Y",
            "P1M",
            "P1W",
            "PT1H30",
            "P1DT",
            "1h,30m",
        ] {
            assert_eq!(Length::parse(text, '.'), None, "{text}");
        }
        assert_eq!(Length::parse("1,5h", ',').and_then(Length::seconds), Some(5400));
    }
}
