//! What labour costs, to the minor unit: pure.
//!
//! An hour costs whole minor units, and what is worked is whole seconds: seconds times the rate are 3600ths
//! of a minor unit, and exact. They are rounded once, where all labour of a project is summed, half up. That
//! whole is shared out among the parts of each breakdown by the largest remainder: each part is given its own whole
//! units, and what is left of the whole goes, a unit each, to the parts of which most was cut off, the earlier
//! one first of two of which the same was. So the parts always sum to the whole, each is less than one unit away
//! from what it exactly is, and a part of which nothing was cut off is what it exactly is.
//!
//! Days are parts of their weeks: they share what their week was given, so that they sum to it, too.

use std::cmp::Ordering;

/// Seconds times the rate of an hour are so many times minor units.
const SECONDS_OF_AN_HOUR: i128 = 3600;

/// What some seconds cost exactly, in 3600ths of a minor unit.
pub(super) fn cost_in_3600ths(seconds: i64, hourly_rate_minor: i64) -> i128 {
    i128::from(seconds) * i128::from(hourly_rate_minor)
}

/// Minor units of an exact cost, rounded half up.
pub(super) fn round_half_up(exact: i128) -> i128 {
    (exact + SECONDS_OF_AN_HOUR / 2).div_euclid(SECONDS_OF_AN_HOUR)
}

/// What each part has of a whole, where the parts exactly cost so much, and the whole is their sum, made whole
/// units by rounding it up or down.
pub(super) fn largest_remainder(whole: i128, exact: &[i128]) -> Vec<i128> {
    let mut parts: Vec<i128> =
        exact.iter().map(|cost| cost.div_euclid(SECONDS_OF_AN_HOUR)).collect();
    let mut cut: Vec<usize> = (0..exact.len()).collect();
    cut.sort_by_key(|at| std::cmp::Reverse(exact[*at].rem_euclid(SECONDS_OF_AN_HOUR)));
    let rest = whole - parts.iter().sum::<i128>();
    for at in cut.into_iter().take(usize::try_from(rest).unwrap_or(0)) {
        parts[at] += 1;
    }
    parts
}

/// A sum divided by how many it is of, rounded to a whole unit, half to even; 0 of none.
pub(super) fn average(sum: i128, count: i64) -> i128 {
    let count = i128::from(count.max(1));
    let (whole, rest) = (sum.div_euclid(count), sum.rem_euclid(count));
    match (2 * rest).cmp(&count) {
        Ordering::Less => whole,
        Ordering::Greater => whole + 1,
        Ordering::Equal => whole + whole.rem_euclid(2),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_third_of_an_hour_three_times_is_an_hour() {
        let third = cost_in_3600ths(1200, 100);
        assert_eq!(round_half_up(third * 3), 100);
        assert_eq!(largest_remainder(100, &[third; 3]), [34, 33, 33]);
        assert_eq!(largest_remainder(0, &[]), []);
        assert_eq!((round_half_up(1799), round_half_up(1800), round_half_up(0)), (0, 1, 0));
    }

    #[test]
    fn the_largest_remainder_goes_first_and_of_two_the_earlier() {
        let exact = [3600 + 900, 3600 * 5, 1800, 1800, 3600 + 2700];
        assert_eq!(round_half_up(exact.iter().sum()), 9);
        assert_eq!(largest_remainder(9, &exact), [1, 5, 1, 0, 2]);
    }

    /// Seconds and rates, up to far more than anybody works and costs.
    fn worked() -> impl Strategy<Value = Vec<i128>> {
        let cost = (0..=86_400 * 366_i64, 0..=crate::amount::MAX_AMOUNT_MINOR);
        let small = (0..=86_400_i64, 0..=20_000_i64);
        let part = prop_oneof![3 => small, 1 => cost];
        prop::collection::vec(
            part.prop_map(|(seconds, rate)| cost_in_3600ths(seconds, rate)),
            0..60,
        )
    }

    fn check(whole: i128, exact: &[i128]) -> Result<Vec<i128>, TestCaseError> {
        let parts = largest_remainder(whole, exact);
        prop_assert_eq!(parts.iter().sum::<i128>(), whole);
        for (part, exact) in parts.iter().zip(exact) {
            prop_assert!((part * SECONDS_OF_AN_HOUR - exact).abs() < SECONDS_OF_AN_HOUR);
        }
        Ok(parts)
    }

    #[test]
    fn an_average_is_rounded_half_to_even() {
        for (sum, count, mean) in [
            (5, 2, 2),
            (7, 2, 4),
            (-5, 2, -2),
            (-7, 2, -4),
            (10, 3, 3),
            (11, 3, 4),
            (-10, 3, -3),
            (0, 5, 0),
            (0, 0, 0),
        ] {
            assert_eq!(average(sum, count), mean, "{sum} / {count}");
        }
        let large = i128::from(crate::amount::MAX_AMOUNT_MINOR) * 1_000_000;
        assert_eq!(average(large, 1_000_000), i128::from(crate::amount::MAX_AMOUNT_MINOR));
    }

    proptest! {
        #[test]
        fn the_parts_sum_to_the_whole_and_none_is_a_unit_off(exact in worked()) {
            let sum: i128 = exact.iter().sum();
            let whole = round_half_up(sum);
            prop_assert!((whole * SECONDS_OF_AN_HOUR - sum).abs() * 2 <= SECONDS_OF_AN_HOUR);
            check(whole, &exact)?;
        }

        /// Days in weeks: what a week was given may be its exact cost rounded up or down.
        #[test]
        fn so_do_the_parts_of_the_parts(weeks in prop::collection::vec(worked(), 0..8)) {
            let exact: Vec<i128> = weeks.iter().map(|days| days.iter().sum()).collect();
            let whole = round_half_up(exact.iter().sum());
            let given = check(whole, &exact)?;
            let mut sum = 0;
            for (week, days) in given.iter().zip(&weeks) {
                sum += check(*week, days)?.iter().sum::<i128>();
            }
            prop_assert_eq!(sum, whole);
        }

        /// However the same work is cut up, it costs the same in all.
        #[test]
        fn every_breakdown_has_the_same_sum(exact in worked(), cuts in prop::collection::vec(0_usize..5, 60)) {
            let whole = round_half_up(exact.iter().sum());
            let mut other = vec![0; 5];
            for (cost, cut) in exact.iter().zip(&cuts) {
                other[*cut] += cost;
            }
            prop_assert_eq!(check(whole, &other)?.iter().sum::<i128>(), whole);
        }
    }
}
