//! What was spent on each category, by months and days: for budgets whose periods begin on different days, in as
//! many statements as for one.
//!
//! Of a month that a period covers whole the sums are kept (docs/decisions/0021). The days before and after are summed
//! from the expenses, each day once, however many periods have it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::expense;
use sea_orm::{
    ColumnTrait, ConnectionTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{SelectStatement, UnionType},
};
use uuid::Uuid;

use super::{
    GroupBy,
    months::{WholeMonths, whole_months},
    repository::{Part, Scope, grouped, line_expenses},
};
use crate::{
    error::{Error, Result},
    money::expense::spending::{self, Dimension, SumsQuery},
    store::{Tx, dialect},
};

/// How many stretches of days one statement sums: SQLite takes 500 parts of a UNION.
const STRETCHES_PER_STATEMENT: usize = 100;

/// Days, both ends included.
type Stretch = [NaiveDate; 2];

/// What was spent on a category in a currency.
#[derive(Debug)]
pub(super) struct Sum {
    pub(super) category_id: Option<Uuid>,
    pub(super) currency: String,
    pub(super) settled: i128,
    pub(super) pending: i128,
}

/// What was spent, by categories and currencies.
#[derive(Debug)]
pub(super) struct Spent {
    /// By the first day of the month. None where months are not kept yet: all is in the days.
    months: Option<BTreeMap<NaiveDate, Vec<Sum>>>,
    days: BTreeMap<NaiveDate, Vec<Sum>>,
}

impl Spent {
    /// Reads what was spent in some stretches of days.
    pub(super) async fn load(
        tx: &Tx,
        organization_id: Uuid,
        stretches: &[Stretch],
    ) -> Result<Self> {
        let months = months_within(tx, organization_id, stretches).await?;
        let mut summed = Vec::new();
        for [from, to] in stretches.iter().copied() {
            match whole_months(from, to).filter(|_| months.is_some()) {
                Some(whole) => summed.extend([whole.before, whole.after].into_iter().flatten()),
                None => summed.push([from, to]),
            }
        }
        let days = days_within(tx, organization_id, &merged(summed)).await?;
        Ok(Self { months, days })
    }

    /// What was spent in one of the stretches for which this was read.
    pub(super) fn within(&self, [from, to]: Stretch) -> impl Iterator<Item = &Sum> {
        let whole = self.months.as_ref().and_then(|it| Some((it, whole_months(from, to)?)));
        let (months, days) = match whole {
            Some((months, WholeMonths { first, last, before, after })) => {
                (Some(months.range(first..=last)), [before, after])
            }
            None => (None, [Some([from, to]), None]),
        };
        let kept = &self.days;
        let days = days.into_iter().flatten().flat_map(move |[from, to]| kept.range(from..=to));
        months.into_iter().flatten().chain(days).flat_map(|(_, sums)| sums)
    }
}

/// The sums of the months that stretches cover whole, one statement for all that overlap. None where they are not kept
/// yet, which is asked for then.
async fn months_within(
    tx: &Tx,
    organization_id: Uuid,
    stretches: &[Stretch],
) -> Result<Option<BTreeMap<NaiveDate, Vec<Sum>>>> {
    let mut sums: BTreeMap<NaiveDate, Vec<Sum>> = BTreeMap::new();
    for [from, to] in merged(stretches.to_vec()) {
        let inside = stretches.iter().filter(|stretch| from <= stretch[0] && stretch[1] <= to);
        let whole: Vec<_> = inside.filter_map(|[from, to]| whole_months(*from, *to)).collect();
        let first = whole.iter().map(|months| months.first).min();
        let last = whole.iter().map(|months| months.last).max();
        let (Some(first), Some(last)) = (first, last) else { continue };
        let query = SumsQuery {
            organization_id,
            project_id: None,
            dimension: Some(Dimension::Category),
            by_month: true,
            first,
            last,
        };
        let Some(rows) = spending::sums(tx, &query).await? else {
            tx.request_backfill(organization_id);
            return Ok(None);
        };
        for row in rows {
            let month = row.group_month.unwrap_or_default();
            let month = format!("{month}-01").parse::<NaiveDate>().map_err(|error| {
                Error::Internal(format!("a sum of the month {month:?}: {error}"))
            })?;
            let sum = Sum {
                category_id: row.group_id,
                currency: row.currency,
                settled: dialect::join_halves([row.settled_high, row.settled_low]),
                pending: dialect::join_halves([row.pending_high, row.pending_low]),
            };
            sums.entry(month).or_default().push(sum);
        }
    }
    Ok(Some(sums))
}

/// A sum of one day, in halves ([`dialect::sum_halves`]).
#[derive(Debug, FromQueryResult)]
struct DayRow {
    group_id: Option<Uuid>,
    spent_on: NaiveDate,
    currency: String,
    settled_high: i64,
    settled_low: i64,
    pending_high: i64,
    pending_low: i64,
}

/// The sums of the days of some stretches that do not overlap: one statement for whole expenses, and one for lines.
async fn days_within(
    tx: &Tx,
    organization_id: Uuid,
    stretches: &[Stretch],
) -> Result<BTreeMap<NaiveDate, Vec<Sum>>> {
    let scope = |[from, to]: Stretch| Scope {
        organization_id,
        from,
        to,
        project_id: None,
        counted_once: false,
    };
    let mut sums: BTreeMap<NaiveDate, Vec<Sum>> = BTreeMap::new();
    for stretches in stretches.chunks(STRETCHES_PER_STATEMENT) {
        let scopes = || stretches.iter().copied().map(scope);
        let whole = scopes().map(|scope| {
            let rows = scope.expenses(None).filter(expense::Column::ItemCount.eq(0));
            by_day(tx, &scope, rows, Part::whole())
        });
        let lines =
            scopes().map(|scope| by_day(tx, &scope, line_expenses(&scope, None), Part::line()));
        for statement in [union(whole), union(lines)].into_iter().flatten() {
            for row in tx.query_all(&statement).await? {
                let row = DayRow::from_query_result(&row, "")?;
                sums.entry(row.spent_on).or_default().push(Sum {
                    category_id: row.group_id,
                    currency: row.currency,
                    settled: dialect::join_halves([row.settled_high, row.settled_low]),
                    pending: dialect::join_halves([row.pending_high, row.pending_low]),
                });
            }
        }
    }
    Ok(sums)
}

/// The sums of each category, currency and day.
fn by_day(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    rows: Select<expense::Entity>,
    part: Part,
) -> SelectStatement {
    grouped(connection, rows, scope, Some(GroupBy::Category), part)
        .column(expense::Column::SpentOn)
        .group_by(expense::Column::SpentOn)
        .into_query()
}

fn union(mut statements: impl Iterator<Item = SelectStatement>) -> Option<SelectStatement> {
    let first = statements.next()?;
    Some(statements.fold(first, |mut all, next| all.union(UnionType::All, next).to_owned()))
}

/// The same days in stretches that neither overlap nor follow each other without a day between them.
fn merged(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_unstable();
    let mut merged: Vec<Stretch> = Vec::with_capacity(stretches.len());
    for [from, to] in stretches {
        match merged.last_mut() {
            Some(last) if last[1].succ_opt().is_none_or(|next| from <= next) => {
                last[1] = last[1].max(to);
            }
            _ => merged.push([from, to]),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, Days, Months};
    use proptest::prelude::*;

    use super::*;

    fn day(number: u64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day") + Days::new(number)
    }

    fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
        let stretch =
            (0_u64..500, 0_u64..400).prop_map(|(from, days)| [day(from), day(from + days)]);
        prop::collection::vec(stretch, 0..12)
    }

    /// Each day and each month with one minor unit of its own.
    fn spent(kept: bool) -> Spent {
        let sum = |settled| {
            vec![Sum { category_id: None, currency: "EUR".to_owned(), settled, pending: 0 }]
        };
        let days: BTreeMap<_, _> = (0..1000).map(|number| (day(number), sum(1))).collect();
        let firsts = days.keys().filter(|day| day.day() == 1);
        let months = firsts.filter_map(|first| {
            let next = first.checked_add_months(Months::new(1))?;
            Some((*first, sum((next - *first).num_days().into())))
        });
        Spent { months: kept.then(|| months.collect()), days }
    }

    proptest! {
        #[test]
        fn merged_stretches_have_the_same_days_and_gaps_between_them(stretches in stretches()) {
            let merged = merged(stretches.clone());
            for number in 0..1000 {
                let has = |all: &[Stretch]| {
                    all.iter().filter(|[from, to]| *from <= day(number) && day(number) <= *to).count()
                };
                prop_assert_eq!(has(&merged), has(&stretches).min(1));
            }
            let apart = |pair: &[Stretch]| pair[0][1] + Days::new(1) < pair[1][0];
            prop_assert!(merged.windows(2).all(apart));
        }

        /// Of months or of days.
        #[test]
        fn a_stretch_has_each_of_its_days_once(from in 0_u64..500, days in 0_u64..400, kept in any::<bool>()) {
            let spent = spent(kept);
            let sum: i128 = spent.within([day(from), day(from + days)]).map(|sum| sum.settled).sum();
            prop_assert_eq!(sum, i128::from(days) + 1);
        }
    }
}
