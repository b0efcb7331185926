use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::category as category_rows;
use uuid::Uuid;

use super::{
    BudgetRow, BudgetSpending, Budgets, BudgetsQuery, Report,
    budget_sums::{Spent, Sum},
};
use crate::{
    error::Result,
    money::{
        budget::{
            self, Budget,
            rules::{self, Limit},
        },
        category,
    },
    store::Tx,
};

/// Where each budget stands that holds on a day.
impl Report for BudgetsQuery {
    type Answer = Budgets;
    type Row = BudgetRow;

    const NAME: &'static str = "budget_report";

    async fn read(&self, tx: &Tx, organization_id: Uuid) -> Result<Budgets> {
        let on = self.on;

        let rows = budget::repository::all(tx, organization_id).await?;
        let rows = rows.into_iter().filter(|row| rules::holds(row.starts_on, row.ends_on, on));
        let budgets = rows.map(|row| Ok((Budget::try_from(row)?, on)));
        let rows = standings(tx, organization_id, budgets.collect::<Result<_>>()?).await?;
        Ok(Budgets { on, rows })
    }

    fn rows(report: Budgets) -> Vec<BudgetRow> {
        report.rows
    }
}

/// Where budgets stand, each in its period of a day and until the end of that day, in their order. What was spent is
/// read for all of them together.
pub(crate) async fn standings(
    tx: &Tx,
    organization_id: Uuid,
    budgets: Vec<(Budget, NaiveDate)>,
) -> Result<Vec<BudgetRow>> {
    let tree = match budgets.iter().any(|(budget, _)| budget.category_id.is_some()) {
        true => Tree::of(category::repository::all(tx, organization_id).await?),
        false => Tree::default(),
    };
    let limits: Vec<_> = budgets.iter().map(|(budget, on)| rules::limit_on(budget, *on)).collect();
    let stretches: Vec<_> =
        budgets.iter().zip(&limits).map(|((_, on), limit)| [limit.span.from, *on]).collect();
    let spent = Spent::load(tx, organization_id, &stretches).await?;
    let standings = budgets.into_iter().zip(limits).map(|((budget, on), limit)| {
        let counted = spent.within([limit.span.from, on]);
        let counted = counted.filter(|sum| {
            budget.category_id.is_none_or(|root| tree.is_within(sum.category_id, root))
        });
        let mut currencies = by_currency(counted);
        let (actual_minor, pending_minor) =
            currencies.remove(&*budget.currency).unwrap_or_default();
        let Limit { span, amount_minor, proration } = limit;
        BudgetRow {
            from: span.from,
            to: span.to,
            amount_minor,
            proration,
            actual_minor,
            pending_minor,
            other_currencies: other_currencies(currencies),
            remaining_minor: i128::from(amount_minor) - actual_minor,
            pace: rules::pace(span, on, amount_minor, actual_minor),
            budget,
        }
    });
    Ok(standings.collect())
}

/// What is settled and what is pending, by currency.
fn by_currency<'a>(sums: impl Iterator<Item = &'a Sum>) -> BTreeMap<&'a str, (i128, i128)> {
    let mut currencies = BTreeMap::new();
    for sum in sums {
        let (settled, pending) = currencies.entry(&*sum.currency).or_default();
        *settled += sum.settled;
        *pending += sum.pending;
    }
    currencies
}

/// Those in which anything was spent.
fn other_currencies(currencies: BTreeMap<&str, (i128, i128)>) -> Vec<BudgetSpending> {
    let spent = currencies.into_iter().filter(|(_, sums)| *sums != (0, 0));
    let spending = |(currency, (actual_minor, pending_minor)): (&str, _)| BudgetSpending {
        currency: currency.to_owned(),
        actual_minor,
        pending_minor,
    };
    spent.map(spending).collect()
}

/// Which category lies below which.
#[derive(Debug, Default)]
struct Tree {
    parents: HashMap<Uuid, Uuid>,
}

impl Tree {
    fn of(rows: Vec<category_rows::Model>) -> Self {
        let parents = rows.into_iter().filter_map(|row| Some((row.id, row.parent_id?)));
        Self { parents: parents.collect() }
    }

    /// Whether a category is another one, or lies below it.
    fn is_within(&self, category: Option<Uuid>, root: Uuid) -> bool {
        let mut above = category;
        // As many steps as there are categories end even on a cycle.
        for _ in 0..=self.parents.len() {
            match above {
                None => return false,
                Some(id) if id == root => return true,
                Some(id) => above = self.parents.get(&id).copied(),
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_within_itself_and_those_above() {
        let [top, middle, low, other] = [1, 2, 3, 4].map(Uuid::from_u128);
        let tree = Tree { parents: HashMap::from([(middle, top), (low, middle)]) };
        for root in [top, middle, low] {
            assert!(tree.is_within(Some(low), root));
        }
        assert!(!tree.is_within(Some(top), low));
        assert!(!tree.is_within(Some(low), other));
        assert!(!tree.is_within(None, top));
    }

    #[test]
    fn a_cycle_ends() {
        let [one, two] = [1, 2].map(Uuid::from_u128);
        let tree = Tree { parents: HashMap::from([(one, two), (two, one)]) };
        assert!(tree.is_within(Some(one), two));
        assert!(!tree.is_within(Some(one), Uuid::from_u128(3)));
    }
}
