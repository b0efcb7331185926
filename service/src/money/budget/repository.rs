use std::collections::HashSet;

use chrono::NaiveDate;
use entity::{budget, budget_threshold};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::Budget;
use crate::{
    error::Result,
    resource::Mapped,
    store::{
        Tx,
        page::{PageQuery, Sort},
        rows, versioned,
    },
};

/// By name.
impl Mapped for Budget {
    type Entity = budget::Entity;
    type Query = PageQuery;

    fn sort(_: &PageQuery) -> Sort<budget::Column> {
        Sort { name: "name", column: budget::Column::NameKey, descending: false }
    }
}

/// All budgets, by name: few, and read whole where many are looked at.
pub(crate) async fn all(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Vec<budget::Model>> {
    let rows = versioned::find_in_organization::<budget::Entity>(organization_id)
        .order_by_asc(budget::Column::NameKey)
        .order_by_asc(budget::Column::Id);
    rows::all(connection, rows).await
}

/// Which of these organizations have any budget.
pub(crate) async fn having_any(
    connection: &impl ConnectionTrait,
    organizations: &[Uuid],
) -> Result<HashSet<Uuid>> {
    versioned::organizations_with(connection, budget::Entity::find(), organizations).await
}

/// Of which parts of budgets there was a notice, in percent, of periods that begin on a day: of
/// these at least.
pub(crate) async fn notified_thresholds(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    periods: impl Iterator<Item = (Uuid, NaiveDate)>,
) -> Result<HashSet<(Uuid, NaiveDate, i64)>> {
    let (budgets, days): (Vec<Uuid>, Vec<NaiveDate>) = periods.unzip();
    if budgets.is_empty() {
        return Ok(HashSet::new());
    }
    let notified: Vec<_> = budget_threshold::Entity::find()
        .select_only()
        .column(budget_threshold::Column::BudgetId)
        .column(budget_threshold::Column::StartsOn)
        .column(budget_threshold::Column::Percent)
        .filter(budget_threshold::COLUMN.organization_id.eq(organization_id))
        .filter(budget_threshold::Column::BudgetId.is_in(budgets))
        .filter(budget_threshold::Column::StartsOn.is_in(days))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(notified.into_iter().collect())
}

/// Writes down that there is a notice of a part. It can be done once.
pub(crate) async fn insert_threshold(
    tx: &Tx,
    (organization_id, budget_id): (Uuid, Uuid),
    starts_on: NaiveDate,
    percent: i64,
) -> Result<()> {
    let threshold = budget_threshold::ActiveModel {
        organization_id: Set(organization_id),
        budget_id: Set(budget_id),
        starts_on: Set(starts_on),
        percent: Set(percent),
        told_at: Set(tx.now().fixed_offset()),
    };
    budget_threshold::Entity::insert(threshold).exec_without_returning(tx).await?;
    Ok(())
}
