//! Periods, amounts and pace: pure.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Amount, Budget, BudgetInput, Period};
use crate::error::{Error, Result, Violation};

/// How many amounts a budget has at most.
const MAX_AMOUNTS: usize = 200;

/// A span of days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

impl Span {
    /// How many days.
    pub fn days(self) -> i64 {
        (self.to - self.from).num_days() + 1
    }
}

/// The period of a budget that a day lies in, whether or not the budget holds in all of it.
pub fn period_of(period: Period, starts_on: NaiveDate, day: NaiveDate) -> Span {
    match period {
        Period::Week => {
            let since_monday = Days::new(day.weekday().num_days_from_monday().into());
            let from = day.checked_sub_days(since_monday).unwrap_or(day);
            span(from, from.checked_add_days(Days::new(7)))
        }
        Period::Month => month_of(starts_on.day(), day),
        Period::Quarter => calendar_months(3, day),
        Period::Year => calendar_months(12, day),
    }
}

/// From a day to the one before the next span begins.
fn span(from: NaiveDate, next: Option<NaiveDate>) -> Span {
    Span { from, to: next.and_then(|next| next.pred_opt()).unwrap_or(NaiveDate::MAX) }
}

/// The month that a day lies in, of those that begin on a day of the month, or on the last one of a month that does
/// not have it.
fn month_of(first_day: u32, day: NaiveDate) -> Span {
    // January has every day, and months added to one of its days end where the month does.
    let january = NaiveDate::from_ymd_opt(day.year(), 1, first_day).unwrap_or(day);
    let begin = |month: u32| january.checked_add_months(Months::new(month));
    let month = day.month0();
    match begin(month) {
        Some(from) if from <= day => span(from, begin(month + 1)),
        next => {
            let before = month
                .checked_sub(1)
                .map_or_else(|| january.checked_sub_months(Months::new(1)), begin);
            span(before.unwrap_or(day), next)
        }
    }
}

/// The calendar months that a day lies in, where so many are one period.
fn calendar_months(count: u32, day: NaiveDate) -> Span {
    let month = day.month0() / count * count + 1;
    let from = NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day);
    span(from, from.checked_add_months(Months::new(count)))
}

/// Whether a budget holds on a day.
pub fn holds(starts_on: NaiveDate, ends_on: Option<NaiveDate>, day: NaiveDate) -> bool {
    starts_on <= day && ends_on.is_none_or(|end| day <= end)
}

/// The part of a period in which a budget holds.
fn clamp(span: Span, starts_on: NaiveDate, ends_on: Option<NaiveDate>) -> Span {
    Span { from: span.from.max(starts_on), to: ends_on.map_or(span.to, |end| span.to.min(end)) }
}

/// The amounts of a budget that begins on a day and whose latest amount this is: the first one holds from the
/// beginning, and those are left out that others had followed by then.
pub fn amounts(stored: Vec<Amount>, starts_on: NaiveDate, amount_minor: i64) -> Vec<Amount> {
    let mut amounts = begin(stored, starts_on);
    match amounts.last_mut() {
        Some(latest) => latest.amount_minor = amount_minor,
        None => amounts.push(Amount { starts_on, amount_minor }),
    }
    amounts
}

/// Has amounts begin on a day: that of a budget which begins earlier or later than it did.
pub fn begin(mut amounts: Vec<Amount>, starts_on: NaiveDate) -> Vec<Amount> {
    let begun = amounts.iter().filter(|amount| amount.starts_on <= starts_on).count();
    amounts.drain(..begun.saturating_sub(1));
    if let Some(first) = amounts.first_mut() {
        first.starts_on = starts_on;
    }
    amounts
}

/// Has an amount hold from a period on: in the place of those that begin in it. A latest amount that begins after
/// the period is changed itself.
pub fn set_amount(amounts: &mut Vec<Amount>, period: Span, amount_minor: i64) {
    let Some(first) = amounts.first() else { return };
    let starts_on = period.from.max(first.starts_on);
    match amounts.last_mut() {
        Some(latest) if latest.starts_on > period.to => latest.amount_minor = amount_minor,
        _ => {
            amounts.retain(|amount| amount.starts_on < starts_on);
            if amounts.last().is_none_or(|latest| latest.amount_minor != amount_minor) {
                amounts.push(Amount { starts_on, amount_minor });
            }
        }
    }
}

/// Refuses amounts that are not in order, do not begin with the budget, or do not end with its amount.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_amounts(input: &BudgetInput) -> Result<()> {
    let amounts = input.amounts.as_deref().unwrap_or_default();
    let mut found = Vec::new();
    if amounts.len() > MAX_AMOUNTS {
        let message = format!("must have a length of at most {MAX_AMOUNTS}");
        found.push(Violation::new("/amounts", "length", message));
    }
    if amounts.first().is_some_and(|first| first.starts_on != input.starts_on) {
        let message = "must be starts_on of the budget";
        found.push(Violation::new("/amounts/0/starts_on", "mismatch", message));
    }
    for (index, pair) in amounts.windows(2).enumerate() {
        if pair[1].starts_on <= pair[0].starts_on {
            let at = format!("/amounts/{}/starts_on", index + 1);
            found.push(Violation::new(at, "order", "must be after that of the amount before"));
        }
    }
    if amounts.last().is_some_and(|latest| latest.amount_minor != input.amount_minor) {
        let message = "must be the latest of amounts";
        found.push(Violation::new("/amount_minor", "mismatch", message));
    }
    if found.is_empty() { Ok(()) } else { Err(Error::Invalid(found)) }
}

/// What a budget allows in the period that a day lies in.
pub fn limit_on(budget: &Budget, day: NaiveDate) -> Limit {
    let period = period_of(budget.period, budget.starts_on, day);
    let full_amount_minor = amount_in(budget, period);
    let span = clamp(period, budget.starts_on, budget.ends_on);
    let held = Span { from: span.from, to: period.to };
    let proration = (held != period).then(|| Proration {
        days: held.days(),
        period_days: period.days(),
        full_amount_minor,
    });
    let amount_minor = proration.as_ref().map_or(full_amount_minor, Proration::amount_minor);
    Limit { span, amount_minor, proration }
}

/// What a budget allows in one of its periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The part of the period in which the budget holds.
    pub span: Span,
    /// The amount for that part, in minor units.
    pub amount_minor: i64,
    /// How that follows from the amount of a whole period.
    pub proration: Option<Proration>,
}

/// How the amount of a period was prorated that the budget does not hold from its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BudgetProration)]
pub struct Proration {
    /// Days of the period from the first day of the budget on.
    pub days: i64,
    /// Days of the whole period.
    pub period_days: i64,
    /// Amount of a whole period, in minor units of the budget's currency.
    pub full_amount_minor: i64,
}

impl Proration {
    /// As much of the full amount as there are days of the period, rounded up: never nothing.
    fn amount_minor(&self) -> i64 {
        let (days, period_days) = (i128::from(self.days), i128::from(self.period_days));
        let amount = (i128::from(self.full_amount_minor) * days + period_days - 1) / period_days;
        i64::try_from(amount).unwrap_or(self.full_amount_minor)
    }
}

/// The amount of a whole period: the latest that begins in it or before.
fn amount_in(budget: &Budget, period: Span) -> i64 {
    let begun = |amount: &&Amount| amount.starts_on <= period.to;
    let amount = budget.amounts.iter().rev().find(begun).or(budget.amounts.first());
    amount.map_or(budget.amount_minor, |amount| amount.amount_minor)
}

/// Whether spending has reached a part of a budget, in percent.
pub fn reaches(actual_minor: i128, budget_minor: i64, percent: i64) -> bool {
    actual_minor * 100 >= i128::from(budget_minor) * i128::from(percent)
}

/// Actual spending of a budget compared with spending evenly over its period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BudgetPace)]
pub struct Pace {
    /// Days of the period that have elapsed, including the day of the report.
    pub elapsed_days: i64,
    /// Days of the whole period.
    pub days: i64,
    /// Amount that an even pace would have spent by the day of the report, in minor units, rounded
    /// down.
    #[schema(value_type = i64)]
    pub expected_minor: i128,
    /// Amount that the whole period will have spent if the pace so far continues, in minor units,
    /// rounded down.
    #[schema(value_type = i64)]
    pub projected_minor: i128,
    /// Result of the comparison.
    pub status: PaceStatus,
}

/// Result of comparing actual spending with an even pace, which spends the same amount on each day
/// of the period. Whether the budget is exceeded is said by `remaining_minor`.
///
/// - `under_pace`: Spending is below what an even pace had spent before the day of the report.
/// - `on_pace`: Spending is between what an even pace had spent before the day of the report and
///   what it will have spent by the end of that day.
/// - `over_pace`: Spending is above what an even pace will have spent by the end of the day of the
///   report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BudgetPaceStatus)]
pub enum PaceStatus {
    /// Spending is below what an even pace had spent before the day of the report.
    UnderPace,
    /// Spending is between what an even pace had spent before the day of the report and what it
    /// will have spent by the end of that day.
    OnPace,
    /// Spending is above what an even pace will have spent by the end of the day of the report.
    OverPace,
}

/// The pace of a budget on a day.
pub fn pace(span: Span, on: NaiveDate, budget_minor: i64, actual_minor: i128) -> Pace {
    let days = span.days();
    let elapsed_days = Span { from: span.from, to: on }.days().clamp(1, days);
    let (elapsed, all) = (i128::from(elapsed_days), i128::from(days));
    let even = i128::from(budget_minor) * elapsed;
    // In parts of a minor unit, so many of which are one as there are days: nothing is rounded.
    let actual = actual_minor * all;
    let status = if actual > even {
        PaceStatus::OverPace
    } else if actual < even - i128::from(budget_minor) {
        PaceStatus::UnderPace
    } else {
        PaceStatus::OnPace
    };
    Pace {
        elapsed_days,
        days,
        expected_minor: even.div_euclid(all),
        projected_minor: actual.div_euclid(elapsed),
        status,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::stored::StoredWord;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).expect("a day")
    }

    #[test]
    fn periods_of_a_day_in_february() {
        let on = day(2024, 2, 14);
        let span = |period| {
            let Span { from, to } = period_of(period, day(2024, 1, 1), on);
            (from, to)
        };
        assert_eq!(span(Period::Week), (day(2024, 2, 12), day(2024, 2, 18)));
        assert_eq!(span(Period::Month), (day(2024, 2, 1), day(2024, 2, 29)));
        assert_eq!(span(Period::Quarter), (day(2024, 1, 1), day(2024, 3, 31)));
        assert_eq!(span(Period::Year), (day(2024, 1, 1), day(2024, 12, 31)));
    }

    #[test]
    fn months_begin_on_the_day_of_the_first_one() {
        let month = |starts_on: NaiveDate, on: NaiveDate| {
            let Span { from, to } = period_of(Period::Month, starts_on, on);
            (from, to)
        };
        let payday = day(2026, 1, 25);
        assert_eq!(month(payday, day(2026, 1, 24)), (day(2025, 12, 25), day(2026, 1, 24)));
        assert_eq!(month(payday, payday), (payday, day(2026, 2, 24)));
        assert_eq!(month(payday, day(2026, 12, 31)), (day(2026, 12, 25), day(2027, 1, 24)));
        let last = day(2023, 10, 31);
        assert_eq!(month(last, day(2024, 1, 30)), (day(2023, 12, 31), day(2024, 1, 30)));
        assert_eq!(month(last, day(2024, 2, 28)), (day(2024, 1, 31), day(2024, 2, 28)));
        assert_eq!(month(last, day(2024, 2, 29)), (day(2024, 2, 29), day(2024, 3, 30)));
        assert_eq!(month(last, day(2024, 4, 30)), (day(2024, 4, 30), day(2024, 5, 30)));
        assert_eq!(month(last, day(2023, 2, 28)), (day(2023, 2, 28), day(2023, 3, 30)));
    }

    fn of(amounts: &[(NaiveDate, i64)]) -> Vec<Amount> {
        let amount =
            |&(starts_on, amount_minor): &(NaiveDate, i64)| Amount { starts_on, amount_minor };
        amounts.iter().map(amount).collect()
    }

    #[test]
    fn amounts_begin_with_their_budget() {
        let [january, march, may] = [1, 3, 5].map(|month| day(2026, month, 1));
        let all = of(&[(january, 10), (march, 20), (may, 30)]);
        assert_eq!(begin(all.clone(), january), all);
        let earlier = day(2025, 7, 1);
        assert_eq!(begin(all.clone(), earlier), of(&[(earlier, 10), (march, 20), (may, 30)]));
        assert_eq!(begin(all.clone(), march), of(&[(march, 20), (may, 30)]));
        let later = day(2026, 4, 30);
        assert_eq!(begin(all.clone(), later), of(&[(later, 20), (may, 30)]));
        assert_eq!(begin(all, day(2027, 1, 1)), of(&[(day(2027, 1, 1), 30)]));
        // As a row has them, whose latest amount stands beside.
        assert_eq!(amounts(Vec::new(), march, 7), of(&[(march, 7)]));
        assert_eq!(
            amounts(of(&[(january, 10), (may, 30)]), march, 7),
            of(&[(march, 10), (may, 7)])
        );
    }

    #[test]
    fn an_amount_holds_from_a_period_on() {
        let [january, march, may] = [1, 3, 5].map(|month| day(2026, month, 1));
        let set = |before: &[(NaiveDate, i64)], on, amount| {
            let mut amounts = of(before);
            set_amount(&mut amounts, period_of(Period::Month, january, on), amount);
            amounts
        };
        let one = [(january, 10)];
        let two = [(january, 10), (march, 20)];
        assert_eq!(set(&one, day(2026, 1, 31), 30), of(&[(january, 30)]));
        assert_eq!(set(&one, day(2026, 3, 31), 20), of(&two));
        assert_eq!(set(&two, march, 30), of(&[(january, 10), (march, 30)]));
        assert_eq!(set(&two, march, 10), of(&one));
        assert_eq!(set(&two, may, 30), of(&[(january, 10), (march, 20), (may, 30)]));
        assert_eq!(set(&two, day(2026, 2, 28), 30), of(&[(january, 10), (march, 30)]));
        assert_eq!(set(&one, day(2025, 12, 31), 30), of(&[(january, 30)]));
    }

    #[test]
    fn a_first_part_of_a_period_has_a_part_of_the_amount_rounded_up() {
        let prorated = |full_amount_minor, days, period_days| {
            Proration { days, period_days, full_amount_minor }.amount_minor()
        };
        assert_eq!(prorated(3000, 56, 91), 1847, "1846.15");
        assert_eq!((prorated(700, 5, 7), prorated(1, 1, 366)), (500, 1));
        let most = crate::amount::MAX_AMOUNT_MINOR;
        assert_eq!(prorated(most, 366, 366), most);
        assert_eq!(prorated(most, 1, 2), most / 2 + 1);
    }

    #[test]
    fn a_part_is_reached_to_the_minor_unit() {
        assert!(!reaches(79, 100, 80) && reaches(80, 100, 80) && reaches(81, 100, 80));
        // 80 % of 99 is 79.2.
        assert!(!reaches(79, 99, 80) && reaches(80, 99, 80));
        assert!(!reaches(0, 1, 80) && reaches(1, 1, 80) && !reaches(-5, 1, 80));
        let most = crate::amount::MAX_AMOUNT_MINOR;
        assert!(reaches(i128::from(most), most, 100) && !reaches(i128::from(most) - 1, most, 100));
    }

    fn any_day() -> impl Strategy<Value = NaiveDate> {
        (0_u64..3_000_000).prop_map(|days| day(1000, 1, 1) + Days::new(days))
    }

    fn any_period() -> impl Strategy<Value = Period> {
        prop::sample::select(Period::ALL.to_vec())
    }

    #[test]
    fn a_pace_is_even_within_the_day() {
        let span = Span { from: day(2026, 11, 1), to: day(2026, 11, 7) };
        let status = |on, actual| pace(span, day(2026, 11, on), 100, actual).status;
        // 14.28 a day: 28.57 by the end of the second day, 42.85 by that of the third.
        for (on, actual, expected) in [
            (1, -1, PaceStatus::UnderPace),
            (1, 0, PaceStatus::OnPace),
            (1, 14, PaceStatus::OnPace),
            (1, 15, PaceStatus::OverPace),
            (3, 28, PaceStatus::UnderPace),
            (3, 29, PaceStatus::OnPace),
            (3, 42, PaceStatus::OnPace),
            (3, 43, PaceStatus::OverPace),
            (7, 85, PaceStatus::UnderPace),
            (7, 86, PaceStatus::OnPace),
            (7, 100, PaceStatus::OnPace),
            (7, 101, PaceStatus::OverPace),
        ] {
            assert_eq!(status(on, actual), expected, "{actual} on day {on}");
        }
    }

    proptest! {
        /// Periods tile the days: each day lies in its own, and the next begins right after.
        #[test]
        fn periods_leave_no_gap_and_do_not_overlap(
            starts_on in any_day(),
            on in any_day(),
            period in any_period(),
        ) {
            let period_of = |day| period_of(period, starts_on, day);
            let span = period_of(on);
            prop_assert!(span.from <= on && on <= span.to);
            prop_assert_eq!(period_of(span.from), span);
            prop_assert_eq!(period_of(span.to), span);
            let next = span.to + Days::new(1);
            prop_assert_eq!(period_of(next).from, next);
            prop_assert!(period != Period::Month || period_of(starts_on).from == starts_on);
        }

        #[test]
        fn an_even_pace_reaches_the_budget_on_the_last_day(
            starts_on in any_day(),
            on in any_day(),
            period in any_period(),
            budget in 1..=crate::amount::MAX_AMOUNT_MINOR,
            actual in 0_i128..1 << 100,
        ) {
            let span = period_of(period, starts_on, on);
            let at_end = pace(span, span.to, budget, actual);
            prop_assert_eq!(at_end.expected_minor, i128::from(budget));
            prop_assert_eq!(at_end.projected_minor, actual);
            let now = pace(span, on, budget, actual);
            prop_assert!(now.expected_minor <= at_end.expected_minor);
            prop_assert!(now.projected_minor >= actual);
        }
    }
}
