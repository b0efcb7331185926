use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    GroupBy, Spending, SpendingQuery, SpendingRow, SpendingTotal,
    labels::{self, Labels},
    repository::{self, Scope, Sums},
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
    let scope = Scope { organization_id, from, to, project_id, counted_once: true };
    let (rows, totals) = store
        .snapshot((scope, group_by), |tx, (scope, group_by)| {
            Box::pin(async move {
                let sums = repository::sums(tx, scope, *group_by).await?;
                let totals = totals(&sums);
                let rows = rows(tx, scope.organization_id, *group_by, sums).await?;
                Ok((rows, totals))
            })
        })
        .await?;
    Ok(Spending { from, to, group_by, rows, totals })
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
    // A group whose expenses have all gone is none.
    Ok(rows.into_values().filter(|row| row.count != 0).collect())
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
