use super::{
    BudgetRow, Budgets, BudgetsQuery,
    repository::{self, Scope},
};
use crate::{
    actor::Actor,
    budget::{self, Period, rules},
    category,
    error::Result,
    store::Store,
};

/// Where each budget stands that holds on a day.
pub async fn budgets(store: &Store, actor: &Actor, query: &BudgetsQuery) -> Result<Budgets> {
    let on = query.on;
    let organization_id = actor.organization_id;
    let mut rows = Vec::new();
    for row in budget::repository::on(store.read(), organization_id, on).await? {
        let span = rules::period_of(Period::of(&row.period), on);
        let span = rules::clamp(span, row.starts_on, row.ends_on);
        let scope = Scope {
            organization_id,
            from: span.from,
            to: on,
            currency: Some(row.currency.clone()),
            categories: row
                .category_id
                .map(|id| category::repository::subtree(organization_id, id)),
        };
        let sums = repository::sums(store.read(), &scope, None).await?;
        let actual_minor: i128 = sums.iter().map(|sum| sum.settled).sum();
        let pending_minor = sums.iter().map(|sum| sum.pending).sum();
        rows.push(BudgetRow {
            from: span.from,
            to: span.to,
            actual_minor,
            pending_minor,
            remaining_minor: i128::from(row.amount_minor) - actual_minor,
            pace: rules::pace(span, on, row.amount_minor, actual_minor),
            budget: row.into(),
        });
    }
    Ok(Budgets { on, rows })
}
