//! From when rates hold: pure.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::rate;
use uuid::Uuid;

use crate::error::{Error, Result};

/// From when the first rate of a member holds that is set at the member: what was worked before somebody
/// thought of setting it has a rate, too.
pub const BEGINNING: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();

/// Refuses a rate that does not hold yet: the member would have to change by itself on its day.
///
/// # Errors
/// [`Error::Invalid`] where it begins after today.
pub fn ensure_started(starts_on: NaiveDate, today: NaiveDate) -> Result<()> {
    if starts_on <= today {
        return Ok(());
    }
    Err(Error::invalid("/starts_on", "future", "must not be after today"))
}

/// From when a rate holds that is set at the member, where `latest` is the day of the latest one: from today
/// on, and never before the latest one. That may lie in the future where the organization has moved west.
pub fn starts(latest: Option<NaiveDate>, today: NaiveDate) -> NaiveDate {
    latest.map_or(BEGINNING, |latest| latest.max(today))
}

/// The rates of some members.
#[derive(Debug, Default)]
pub struct Rates(HashMap<Uuid, BTreeMap<NaiveDate, Option<i64>>>);

impl Rates {
    /// These.
    pub fn of(rows: impl IntoIterator<Item = rate::Model>) -> Self {
        let mut rates: HashMap<_, BTreeMap<_, _>> = HashMap::new();
        for row in rows {
            rates.entry(row.member_id).or_default().insert(row.starts_on, row.hourly_rate_minor);
        }
        Self(rates)
    }

    /// What an hour of a member cost on a day: as the last rate says that had begun. None where that says none,
    /// or none had begun.
    pub fn on(&self, member_id: Uuid, day: NaiveDate) -> Option<i64> {
        self.0.get(&member_id)?.range(..=day).next_back().and_then(|(_, rate)| *rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_holds_until_the_next_one() {
        let [kim, bob] = [1, 2].map(Uuid::from_u128);
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let rates = [("2026-01-01", Some(10)), ("2026-03-01", None), ("2026-05-01", Some(0))];
        let rates = rates.map(|(from, rate)| (day(from), rate));
        let rates = Rates(HashMap::from([(kim, BTreeMap::from(rates))]));
        for (on, rate) in [
            ("2025-12-31", None),
            ("2026-01-01", Some(10)),
            ("2026-02-28", Some(10)),
            ("2026-03-01", None),
            ("2026-05-01", Some(0)),
            ("2036-05-01", Some(0)),
        ] {
            assert_eq!(rates.on(kim, day(on)), rate, "{on}");
        }
        assert_eq!(rates.on(bob, day("2026-01-01")), None);
    }

    #[test]
    fn a_rate_that_is_set_holds_from_the_beginning_and_then_from_today() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let today = day("2026-11-21");
        assert_eq!(starts(None, today), BEGINNING);
        assert_eq!(starts(Some(BEGINNING), today), today);
        assert_eq!(starts(Some(today), today), today);
        assert_eq!(starts(Some(day("2026-11-22")), today), day("2026-11-22"));
    }

    #[test]
    fn what_is_not_yet_is_refused() {
        let today = BEGINNING;
        assert!(ensure_started(today, today).is_ok());
        assert!(ensure_started(today.succ_opt().expect("a day"), today).is_err());
    }
}
