//! From when rates hold: pure.

use chrono::NaiveDate;

use crate::error::{Error, Result};

/// From when the first rate of a member holds that is set at the member: what was worked before somebody
/// thought of setting it has a rate, too.
pub const BEGINNING: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();

/// Refuses a rate that does not hold yet: the member would have to change by itself on its day.
///
/// # Errors
/// [`Error::Invalid`] where it begins after today.
pub fn begun(starts_on: NaiveDate, today: NaiveDate) -> Result<()> {
    if starts_on <= today {
        return Ok(());
    }
    Err(Error::invalid("/starts_on", "future", "must not be after today; set a rate on its day"))
}

/// From when a rate holds that is set at the member, where `latest` is the day of the latest one: from today
/// on, and never before the latest one. That may lie in the future where the organization has moved west.
pub fn starts(latest: Option<NaiveDate>, today: NaiveDate) -> NaiveDate {
    latest.map_or(BEGINNING, |latest| latest.max(today))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(begun(today, today).is_ok());
        assert!(begun(today.succ_opt().expect("a day"), today).is_err());
    }
}
