use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use uuid::Uuid;

use super::{
    GroupBy, Report, Spending, SpendingQuery, SpendingRow, SpendingTotal,
    labels::{self, Labels},
    repository::{self, Scope, Sums},
    rules, week_of,
};
use crate::{
    error::{Error, Result},
    geo::Circle,
    store::Tx,
    text::fold,
};

/// What was spent from one day to another, grouped.
impl Report for SpendingQuery {
    type Answer = Spending;
    type Row = SpendingRow;

    const NAME: &'static str = "spending_report";

    async fn read(&self, tx: &Tx, organization_id: Uuid) -> Result<Spending> {
        spending(tx, organization_id, self).await
    }

    fn rows(report: Spending) -> Vec<SpendingRow> {
        report.rows
    }
}

async fn spending(tx: &Tx, organization_id: Uuid, query: &SpendingQuery) -> Result<Spending> {
    let SpendingQuery { from, to, group_by, project_id, largest, near, within } = *query;
    if to < from {
        return Err(Error::invalid("?to", "order", "must not be before from"));
    }
    let scope = Scope { organization_id, from, to, project_id, counted_once: true };
    let circle = Circle::of_query(near, within);
    let reads_expenses = largest || circle.is_some() || group_by.reads_expenses();
    let sums = sums(tx, &scope, group_by, circle, reads_expenses).await?;
    let totals = match group_by {
        // Groups have expenses in common.
        GroupBy::Tag => {
            let by = GroupBy::Month;
            totals(&self::sums(tx, &scope, by, circle, circle.is_some()).await?)
        }
        _ => totals(&sums),
    };
    let mut rows = rows(tx, organization_id, group_by, sums).await?;
    if !reads_expenses {
        rows.iter_mut().for_each(|row| row.largest_minor = None);
    }
    Ok(Spending { from, to, group_by, rows, totals })
}

/// The sums, from the totals that are kept or from the expenses, which alone are in a circle.
async fn sums(
    tx: &Tx,
    scope: &Scope,
    group_by: GroupBy,
    circle: Option<Circle>,
    reads_expenses: bool,
) -> Result<Vec<Sums>> {
    match reads_expenses {
        true => repository::sums_of_rows(tx, scope, circle, group_by).await,
        false => repository::sums(tx, scope, group_by).await,
    }
}

async fn rows(
    tx: &Tx,
    organization_id: Uuid,
    group_by: GroupBy,
    sums: Vec<Sums>,
) -> Result<Vec<SpendingRow>> {
    let labels = match group_by {
        GroupBy::Category => labels::categories(tx, organization_id).await?,
        GroupBy::Project => labels::projects(tx, organization_id).await?,
        GroupBy::Member => labels::members(tx, organization_id).await?,
        _ => Labels::new(),
    };
    let spellings = spellings(group_by, &sums)?;
    let mut rows: BTreeMap<(String, Option<String>, String), SpendingRow> = BTreeMap::new();
    for sum in sums {
        let key = key(group_by, &sum)?;
        let label = match (sum.id, &key) {
            (Some(id), _) => labels.get(&id).cloned().unwrap_or_default(),
            (None, Some(key)) => spellings.get(key).unwrap_or(key).clone(),
            (None, None) => without(group_by).to_owned(),
        };
        let place = (fold(&label), key.clone(), sum.currency.clone());
        let row = rows.entry(place).or_insert_with(|| SpendingRow {
            key,
            label,
            currency: sum.currency,
            amount_minor: 0,
            pending_minor: 0,
            count: 0,
            average_minor: 0,
            largest_minor: None,
        });
        row.amount_minor += sum.settled;
        row.pending_minor += sum.pending;
        row.count += sum.count;
        row.largest_minor = row.largest_minor.max(sum.largest);
    }
    // A group whose expenses have all gone is none.
    let mut rows: Vec<_> = rows.into_values().filter(|row| row.count != 0).collect();
    for row in &mut rows {
        row.average_minor = rules::average(row.amount_minor + row.pending_minor, row.count);
    }
    Ok(rows)
}

/// What names the group of a sum.
fn key(group_by: GroupBy, sum: &Sums) -> Result<Option<String>> {
    let text = sum.text.as_deref().or(sum.label.as_deref());
    let Some(text) = text else { return Ok(sum.id.map(|id| id.to_string())) };
    let key = match group_by {
        GroupBy::Year => text.chars().take(4).collect(),
        GroupBy::Week => {
            let day: NaiveDate = text.parse().map_err(|error| {
                Error::Internal(format!("the day {text:?} of a sum cannot be read: {error}"))
            })?;
            week_of(day).to_string()
        }
        GroupBy::Place => fold(text),
        _ => text.to_owned(),
    };
    Ok(Some(key).filter(|key| !key.is_empty()))
}

fn without(group_by: GroupBy) -> &'static str {
    match group_by {
        GroupBy::Project => "No project",
        GroupBy::Merchant => "No merchant",
        GroupBy::Place => "No place",
        GroupBy::Tag => "No tag",
        _ => "No category",
    }
}

/// How each merchant or place is written most often, and of several such ways the first.
fn spellings(group_by: GroupBy, sums: &[Sums]) -> Result<HashMap<String, String>> {
    let mut counts: BTreeMap<(String, &str), i64> = BTreeMap::new();
    for sum in sums {
        if let Some(label) = &sum.label
            && let Some(key) = key(group_by, sum)?
        {
            *counts.entry((key, label.trim())).or_default() += sum.count;
        }
    }
    let mut most: HashMap<String, (&str, i64)> = HashMap::new();
    for ((key, label), count) in counts {
        let known = most.entry(key).or_default();
        if count > known.1 {
            *known = (label, count);
        }
    }
    Ok(most.into_iter().map(|(key, (label, _))| (key, label.to_owned())).collect())
}

/// The sum of the groups, but for the count of expenses whose lines are in several of them.
fn totals(sums: &[Sums]) -> Vec<SpendingTotal> {
    let mut totals: BTreeMap<&str, SpendingTotal> = BTreeMap::new();
    for sum in sums {
        let total = totals.entry(&sum.currency).or_insert_with(|| SpendingTotal {
            currency: sum.currency.clone(),
            amount_minor: 0,
            pending_minor: 0,
            count: 0,
        });
        total.amount_minor += sum.settled;
        total.pending_minor += sum.pending;
        total.count += sum.first_count;
    }
    totals.into_values().filter(|total| total.count != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(text: &str, label: &str, count: i64) -> Sums {
        Sums {
            id: None,
            text: Some(text.to_owned()),
            label: Some(label.to_owned()),
            currency: "EUR".to_owned(),
            settled: 0,
            pending: 0,
            count,
            first_count: count,
            largest: None,
        }
    }

    #[test]
    fn a_merchant_is_called_what_it_is_called_most_often() {
        let sums = [sum("coop", "COOP", 1), sum("coop", "Coop ", 1), sum("coop", "Coop", 1)];
        let called =
            |sums: &[Sums]| spellings(GroupBy::Merchant, sums).expect("names")["coop"].clone();
        assert_eq!(called(&sums), "Coop");
        assert_eq!(called(&sums[..2]), "COOP", "the first of two in the order of bytes");
    }

    #[test]
    fn days_lie_in_weeks_and_months_in_years() {
        let of = |group_by, text| key(group_by, &sum(text, "", 1)).ok().flatten();
        // 2026-01-01 is a Thursday: its week begins in the year before.
        assert_eq!(of(GroupBy::Week, "2026-01-01").as_deref(), Some("2025-12-29"));
        assert_eq!(of(GroupBy::Year, "2026-01").as_deref(), Some("2026"));
        assert_eq!(of(GroupBy::Merchant, ""), None);
        assert_eq!(of(GroupBy::Place, " Zürich HB").as_deref(), Some("zürich hb"));
    }
}
