//! A bound of a span of time, as clients name it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    actor::Actor,
    error::{Error, Result},
    text,
};

/// An instant, or the beginning of a day in the organization's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// An instant.
    Instant(DateTime<Utc>),
    /// The beginning of a day.
    Day(NaiveDate),
}

impl Moment {
    /// What a text means: RFC 3339, or `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(day) = text.parse::<NaiveDate>() {
            return text::day(&day).is_ok().then_some(Self::Day(day));
        }
        let at = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
        text::instant(&at).is_ok().then_some(Self::Instant(at))
    }

    /// The instant that it is in an organization, in microseconds since 1970. What is finer than a microsecond is left
    /// out.
    pub fn micros(self, actor: &Actor) -> i64 {
        let at = match self {
            Self::Instant(at) => at,
            Self::Day(day) => actor.settings.start_of(day),
        };
        at.timestamp_micros()
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = Self::parse(&text);
        found.ok_or_else(|| {
            D::Error::custom("expected an instant (RFC 3339) or a day, in the years 1000 to 9999")
        })
    }
}

/// An instant of so many microseconds since 1970.
pub(crate) fn instant(micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| Error::Internal("a stored instant is none".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_an_instant_or_a_day() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 16);
        assert_eq!(Moment::parse("2026-11-16"), day.map(Moment::Day));
        let instant = Moment::parse("2026-11-16T08:00:00.5+01:00");
        assert_eq!(instant, "2026-11-16T07:00:00.5Z".parse().ok().map(Moment::Instant));
        for wrong in ["", "2026", "2026-11-16T08:00", "2026-13-01", "0999-01-01", "now"] {
            assert_eq!(Moment::parse(wrong), None, "{wrong}");
        }
    }
}
