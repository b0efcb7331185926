use chrono::NaiveDate;

use super::{
    BudgetRow, Budgets, BudgetsQuery,
    repository::{self, Scope},
};
use crate::{
    actor::Actor,
    budget::{self, Period, rules},
    category,
    error::Result,
    store::{Store, Tx},
};

/// Where each budget stands that holds on a day.
pub async fn budgets(store: &Store, actor: &Actor, query: &BudgetsQuery) -> Result<Budgets> {
    let on = query.on;
    let rows = store.snapshot((actor.organization_id, on), |tx, (organization_id, on)| {
        Box::pin(async move {
            let mut rows = Vec::new();
            for row in budget::repository::on(tx, *organization_id, *on).await? {
                rows.push(standing(tx, row, *on).await?);
            }
            Ok(rows)
        })
    });
    Ok(Budgets { on, rows: rows.await? })
}

/// Where a budget stands in the period of a day, until the end of that day.
pub(crate) async fn standing(
    tx: &Tx,
    row: entity::budget::Model,
    on: NaiveDate,
) -> Result<BudgetRow> {
    let organization_id = row.organization_id;
    let span = rules::period_of(Period::of(&row.period), on);
    let span = rules::clamp(span, row.starts_on, row.ends_on);
    let scope = Scope {
        organization_id,
        from: span.from,
        to: on,
        currency: Some(row.currency.clone()),
        categories: row.category_id.map(|id| category::repository::subtree(organization_id, id)),
        ..Scope::default()
    };
    let sums = repository::sums(tx, &scope, None).await?;
    let actual_minor: i128 = sums.iter().map(|sum| sum.settled).sum();
    Ok(BudgetRow {
        from: span.from,
        to: span.to,
        actual_minor,
        pending_minor: sums.iter().map(|sum| sum.pending).sum(),
        remaining_minor: i128::from(row.amount_minor) - actual_minor,
        pace: rules::pace(span, on, row.amount_minor, actual_minor),
        budget: row.into(),
    })
}
