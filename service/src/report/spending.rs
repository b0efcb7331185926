use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::{
    GroupBy, Spending, SpendingQuery, SpendingRow, SpendingTotal,
    repository::{self, Scope},
};
use crate::{
    actor::Actor,
    category,
    error::{Error, Result},
    member,
    store::Store,
    text::fold,
};

/// What was spent from one day to another, grouped.
pub async fn spending(store: &Store, actor: &Actor, query: &SpendingQuery) -> Result<Spending> {
    let SpendingQuery { from, to, group_by } = *query;
    if to < from {
        return Err(Error::invalid("?to", "order", "must not be before from"));
    }
    let connection = store.read();
    let organization_id = actor.organization_id;
    let scope = Scope { organization_id, from, to, ..Scope::default() };
    let sums = repository::sums(connection, &scope, Some(group_by)).await?;
    let labels: HashMap<Uuid, String> = match group_by {
        GroupBy::Category => category::repository::all(connection, organization_id)
            .await?
            .into_iter()
            .map(|row| (row.id, row.name))
            .collect(),
        GroupBy::Member => member::repository::all(connection, organization_id)
            .await?
            .into_iter()
            .map(|row| (row.id, row.name))
            .collect(),
        GroupBy::Month => HashMap::new(),
    };
    let mut rows: BTreeMap<(String, Option<String>, String), SpendingRow> = BTreeMap::new();
    for sum in sums {
        let label = match (sum.id, &sum.month) {
            (Some(id), _) => labels.get(&id).cloned().unwrap_or_default(),
            (None, Some(month)) => month.clone(),
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
    let rows: Vec<_> = rows.into_values().collect();
    let totals = totals(store, &scope, group_by, &rows).await?;
    Ok(Spending { from, to, group_by, rows, totals })
}

/// The rows' sums are the total's. Their counts are too, unless an expense stands in several groups.
async fn totals(
    store: &Store,
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
    if group_by == GroupBy::Category {
        for sum in repository::sums(store.read(), scope, None).await? {
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
