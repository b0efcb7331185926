//! Days, weeks and months of instants.

use chrono::{DateTime, Datelike, NaiveDate};
use serde_json::Value;

use crate::zone::Zone;

/// What instants are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
pub(super) enum Unit {
    /// `2026-11-29`.
    #[strum(serialize = "day")]
    Day,
    /// `2026-W48`: weeks begin on Monday, and the first has the first Thursday of its year (ISO 8601).
    #[strum(serialize = "week")]
    Week,
    /// `2026-11`.
    #[strum(serialize = "month")]
    Month,
}

impl Unit {
    /// That of an instant (RFC 3339), as the clocks of the zone have it, or of a date. None of anything else.
    pub(super) fn of(self, value: &Value, zone: Zone) -> Option<String> {
        let text = value.as_str()?;
        let day = match DateTime::parse_from_rfc3339(text) {
            Ok(at) => zone.day_of(at.to_utc()),
            Err(_) => {
                NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)?
            }
        };
        Some(match self {
            Self::Day => day.format("%Y-%m-%d").to_string(),
            Self::Week => {
                let week = day.iso_week();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Self::Month => day.format("%Y-%m").to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_instant_is_of_a_day_where_the_clocks_are() {
        for (text, zone, day, week, month) in [
            ("2026-11-29T23:30:00Z", "UTC", "2026-11-29", "2026-W48", "2026-11"),
            ("2026-11-30T23:30:00Z", "Europe/Zurich", "2026-12-01", "2026-W49", "2026-12"),
            ("2027-01-01T03:00:00+02:00", "America/New_York", "2026-12-31", "2026-W53", "2026-12"),
            ("2027-01-01", "America/New_York", "2027-01-01", "2026-W53", "2027-01"),
        ] {
            let zone: Zone = zone.parse().expect("a time zone");
            let of = |unit: Unit| unit.of(&json!(text), zone).expect("an instant");
            assert_eq!(
                (of(Unit::Day), of(Unit::Week), of(Unit::Month)),
                (day.into(), week.into(), month.into())
            );
        }
        for value in
            [json!("soon"), json!("2026-1-1"), json!("2026-02-30"), json!(20261129), Value::Null]
        {
            assert_eq!(Unit::Day.of(&value, Zone::utc()), None, "{value}");
        }
    }
}
