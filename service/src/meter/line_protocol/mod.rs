//! InfluxDB's line protocol, as its reference has it:
//!
//! ```text
//! measurement,tag=value,… field=value,… timestamp
//! ```
//!
//! Pure rules: text comes in, points and what is wrong go out. Numbers keep the digits that were sent.

mod parse;
#[cfg(test)]
mod property;

use std::borrow::Cow;

use chrono::{DateTime, Utc};

pub use self::parse::points;

/// A line that is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point<'a> {
    /// What is measured: `home`.
    pub measurement: Cow<'a, str>,
    /// What tells it from others, in the order of the line: `room=Kitchen`.
    pub tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What was measured, in the order of the line: at least one.
    pub fields: Vec<(Cow<'a, str>, Value<'a>)>,
    /// When, in units of the request's [`Precision`] since 1970. Where there is none, it is now.
    pub timestamp: Option<i64>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// A decimal number as it was sent, such as `-1.50` or `2e-3`.
    Float(&'a str),
    /// A whole number: `1i`.
    Integer(i64),
    /// A whole number that is not negative: `1u`.
    Unsigned(u64),
    /// Yes or no: `t`.
    Boolean(bool),
    /// A text: `"on"`.
    Text(Cow<'a, str>),
}

/// Why a line is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct LineError {
    /// In words.
    pub reason: Cow<'static, str>,
}

impl LineError {
    fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into() }
    }
}

/// A line that is not empty and no comment, by its number: the first is 1. A text of several lines has the number of
/// its first.
pub type Numbered<'a> = (usize, Result<Point<'a>, LineError>);

/// The unit of timestamps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// `ns`, or `n`.
    #[default]
    Nanosecond,
    /// `us`, `u` or `µ`.
    Microsecond,
    /// `ms`.
    Millisecond,
    /// `s`.
    Second,
    /// `m`, of version 1.
    Minute,
    /// `h`, of version 1.
    Hour,
}

impl Precision {
    /// That which a client names.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "ns" | "n" => Self::Nanosecond,
            "us" | "u" | "µ" | "µs" => Self::Microsecond,
            "ms" => Self::Millisecond,
            "s" => Self::Second,
            "m" => Self::Minute,
            "h" => Self::Hour,
            _ => return None,
        })
    }

    /// The instant of a timestamp, to the microsecond before it: none where it is beyond the years -9999 to 9999.
    pub fn instant(self, timestamp: i64) -> Option<DateTime<Utc>> {
        let micros = match self {
            Self::Nanosecond => Some(timestamp.div_euclid(1000)),
            Self::Microsecond => Some(timestamp),
            Self::Millisecond => timestamp.checked_mul(1000),
            Self::Second => timestamp.checked_mul(1_000_000),
            Self::Minute => timestamp.checked_mul(60_000_000),
            Self::Hour => timestamp.checked_mul(3_600_000_000),
        };
        let year = |at: &DateTime<Utc>| chrono::Datelike::year(at).abs() <= 9999;
        DateTime::from_timestamp_micros(micros?).filter(year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_an_instant_by_its_precision() {
        let instant = |name, timestamp| {
            let precision = Precision::of(name).expect(name);
            precision.instant(timestamp).map(|at| at.to_rfc3339())
        };
        let noon = Some("2026-11-21T12:00:00+00:00".to_owned());
        assert_eq!(instant("ns", 1_795_262_400_000_000_999), noon);
        assert_eq!(instant("us", 1_795_262_400_000_000), noon);
        assert_eq!(instant("ms", 1_795_262_400_000), noon);
        assert_eq!(instant("s", 1_795_262_400), noon);
        assert_eq!(instant("m", 29_921_040), noon);
        assert_eq!(instant("h", 498_684), noon);
        assert_eq!(instant("ns", -1).as_deref(), Some("1969-12-31T23:59:59.999999+00:00"));
        assert_eq!(instant("s", i64::MAX), None);
        assert_eq!(instant("us", i64::MAX), None);
        assert_eq!(Precision::of("d"), None);
    }
}
