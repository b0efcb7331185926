use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use chrono::NaiveDate;
use entity::category as category_rows;
use uuid::Uuid;

use super::{
    BudgetRow, Budgets, BudgetsQuery, GroupBy,
    repository::{self, Scope, Sums},
};
use crate::{
    actor::Actor,
    error::Result,
    money::{
        budget::{
            self, Budget,
            rules::{self, Limit},
        },
        category,
    },
    store::{Store, Tx},
};

/// Where each budget stands that holds on a day.
pub async fn budgets(store: &Store, actor: &Actor, query: &BudgetsQuery) -> Result<Budgets> {
    let on = query.on;
    let rows = store.snapshot((actor.organization_id, on), |tx, (organization_id, on)| {
        Box::pin(async move {
            let rows = budget::repository::all(tx, *organization_id).await?;
            let rows = rows.into_iter().filter(|row| rules::holds(row.starts_on, row.ends_on, *on));
            let budgets = rows.map(|row| Ok((Budget::try_from(row)?, *on)));
            standings(tx, *organization_id, budgets.collect::<Result<_>>()?).await
        })
    });
    Ok(Budgets { on, rows: rows.await? })
}

/// Where budgets stand, each in its period of a day and until the end of that day, in their order. Each stretch of
/// days is summed once, for all the budgets that ask for it.
pub(crate) async fn standings(
    tx: &Tx,
    organization_id: Uuid,
    budgets: Vec<(Budget, NaiveDate)>,
) -> Result<Vec<BudgetRow>> {
    let tree = match budgets.iter().any(|(budget, _)| budget.category_id.is_some()) {
        true => Tree::of(category::repository::all(tx, organization_id).await?),
        false => Tree::default(),
    };
    let mut summed: BTreeMap<(NaiveDate, NaiveDate), Vec<Sums>> = BTreeMap::new();
    let mut standings = Vec::with_capacity(budgets.len());
    for (budget, on) in budgets {
        let Limit { span, amount_minor, proration } = rules::limit_on(&budget, on);
        let sums = match summed.entry((span.from, on)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let scope = Scope {
                    organization_id,
                    from: span.from,
                    to: on,
                    project_id: None,
                    counted_once: false,
                };
                unknown.insert(repository::sums(tx, &scope, GroupBy::Category).await?)
            }
        };
        let counted = sums.iter().filter(|sum| {
            sum.currency == budget.currency
                && budget.category_id.is_none_or(|root| tree.is_within(sum.id, root))
        });
        let (actual_minor, pending_minor) = counted
            .fold((0, 0), |(actual, pending), sum| (actual + sum.settled, pending + sum.pending));
        standings.push(BudgetRow {
            from: span.from,
            to: span.to,
            amount_minor,
            proration,
            actual_minor,
            pending_minor,
            remaining_minor: i128::from(amount_minor) - actual_minor,
            pace: rules::pace(span, on, amount_minor, actual_minor),
            budget,
        });
    }
    Ok(standings)
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
