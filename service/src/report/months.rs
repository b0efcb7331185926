//! Which months a stretch of days covers whole: pure.

use chrono::{Datelike, Days, Months, NaiveDate};

/// Whole months, and the days that are left of a stretch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WholeMonths {
    /// The first day of the first.
    pub(super) first: NaiveDate,
    /// The first day of the last.
    pub(super) last: NaiveDate,
    /// The days before the first.
    pub(super) before: Option<[NaiveDate; 2]>,
    /// The days after the last.
    pub(super) after: Option<[NaiveDate; 2]>,
}

/// The months that the days from one to another cover whole. None if they cover none.
pub(super) fn whole_months(from: NaiveDate, to: NaiveDate) -> Option<WholeMonths> {
    let month = Months::new(1);
    let first = match from.day() {
        1 => from,
        _ => from.with_day(1)?.checked_add_months(month)?,
    };
    let end = to.succ_opt()?;
    let after_last = end.with_day(1)?;
    let last = after_last.checked_sub_months(month)?;
    if last < first {
        return None;
    }
    let day_before = |day: NaiveDate| day.checked_sub_days(Days::new(1));
    Some(WholeMonths {
        first,
        last,
        before: (from < first).then(|| Some([from, day_before(first)?])).flatten(),
        after: (after_last <= to).then_some([after_last, to]),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn months_are_whole_from_their_first_day_to_their_last() {
        let whole = |from, to| whole_months(day(from), day(to)).map(|it| [it.first, it.last]);
        assert_eq!(whole("2026-02-02", "2026-03-30"), None);
        assert_eq!(whole("2026-02-01", "2026-02-27"), None);
        assert_eq!(whole("2026-02-15", "2026-02-20"), None);
        let february = Some([day("2026-02-01"); 2]);
        assert_eq!(whole("2026-02-01", "2026-02-28"), february);
        assert_eq!(whole("2026-01-31", "2026-03-30"), february);
        let year = Some([day("2026-01-01"), day("2026-12-01")]);
        assert_eq!(whole("2026-01-01", "2026-12-31"), year);
    }

    proptest! {
        /// Each day is in one of the parts.
        #[test]
        fn the_parts_make_the_whole(start in 0_u64..1500, length in 0_u64..800) {
            let from = day("2023-01-01") + Days::new(start);
            let to = from + Days::new(length);
            let Some(WholeMonths { first, last, before, after }) = whole_months(from, to) else {
                prop_assert!(length < 61);
                return Ok(());
            };
            let end = last + Months::new(1) - Days::new(1);
            let parts = [before, Some([first, end]), after];
            let mut next = from;
            for [from, to] in parts.into_iter().flatten() {
                prop_assert_eq!(from, next);
                prop_assert!(from <= to);
                next = to + Days::new(1);
            }
            prop_assert_eq!(next, to + Days::new(1));
            prop_assert_eq!([first.day(), last.day()], [1, 1]);
        }
    }
}
