use std::collections::BTreeMap;

use super::{
    GroupBy, Spending, SpendingQuery, SpendingRow, SpendingTotal,
    labels::{self, Labels},
    repository::{self, Scope},
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::{Store, Tx},
    text::fold,
};

/// What was spent from one day to another, grouped.
pub async fn spending(store: &Store, actor: &Actor, query: &SpendingQuery) -> Result<Spending> {
    let SpendingQuery { from, to, group_by, project_id } = *query;
    if to < from {
        return Err(Error::invalid("?to", "order", "must not be before from"));
    }
    let organization_id = actor.organization_id;
    let scope = Scope { organization_id, from, to, project_id, ..Scope::default() };
    let (rows, totals) = store
        .snapshot((scope, group_by), |tx, (scope, group_by)| {
            Box::pin(async move {
                let rows = rows(tx, scope, *group_by).await?;
                let totals = totals(tx, scope, *group_by, &rows).await?;
                Ok((rows, totals))
            })
        })
        .await?;
    Ok(Spending { from, to, group_by, rows, totals })
}

async fn rows(tx: &Tx, scope: &Scope, group_by: GroupBy) -> Result<Vec<SpendingRow>> {
    let organization_id = scope.organization_id;
    let sums = repository::sums(tx, scope, Some(group_by)).await?;
    let labels = match group_by {
        GroupBy::Category => labels::categories(tx, organization_id).await?,
        GroupBy::Project => labels::projects(tx, organization_id).await?,
        GroupBy::Member => labels::members(tx, organization_id).await?,
        GroupBy::Month => Labels::new(),
    };
    let mut rows: BTreeMap<(String, Option<String>, String), SpendingRow> = BTreeMap::new();
    for sum in sums {
        let label = match (sum.id, &sum.month) {
            (Some(id), _) => labels.get(&id).cloned().unwrap_or_default(),
            (None, Some(month)) => month.clone(),
            (None, None) if group_by == GroupBy::Project => "No project".to_owned(),
            (None, None) => "No category".to_owned(),
        };
        let key = sum.id.map(|id| id.to_string()).or(sum.month);
        let place = (fold(&label), key.clone(), sum.currency.clone());
        let row = rows.entry(place).or_insert_with(|| SpendingRow {
            key,
            label,
            currency: sum.currency,
            amount_minor: 0,
            pending_minor: 0,
            count: 0,
        });
        row.amount_minor += sum.settled;
        row.pending_minor += sum.pending;
        row.count += sum.count;
    }
    Ok(rows.into_values().collect())
}

/// The rows' sums are the total's. Their counts are too, unless an expense stands in several groups.
async fn totals(
    tx: &Tx,
    scope: &Scope,
    group_by: GroupBy,
    rows: &[SpendingRow],
) -> Result<Vec<SpendingTotal>> {
    let mut totals: BTreeMap<String, SpendingTotal> = BTreeMap::new();
    let total = |currency: &str| SpendingTotal {
        currency: currency.to_owned(),
        amount_minor: 0,
        pending_minor: 0,
        count: 0,
    };
    if group_by.by_line() {
        for sum in repository::sums(tx, scope, None).await? {
            let row = totals.entry(sum.currency.clone()).or_insert_with(|| total(&sum.currency));
            row.amount_minor += sum.settled;
            row.pending_minor += sum.pending;
            row.count += sum.count;
        }
    } else {
        for group in rows {
            let row =
                totals.entry(group.currency.clone()).or_insert_with(|| total(&group.currency));
            row.amount_minor += group.amount_minor;
            row.pending_minor += group.pending_minor;
            row.count += group.count;
        }
    }
    Ok(totals.into_values().collect())
}
