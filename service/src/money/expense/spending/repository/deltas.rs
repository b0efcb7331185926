//! By how much transactions have changed the sums.

use entity::spending_delta;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    money::expense::spending::{
        delta::{Cell, Delta, Deltas},
        totals::Totals,
    },
    store::{Tx, children},
};

/// How many ids one statement names.
const IDS_PER_STATEMENT: usize = 10_000;

/// Appends by how much a transaction changes the sums.
pub(in crate::money::expense) async fn append(
    tx: &Tx,
    organization_id: Uuid,
    deltas: Deltas,
) -> Result<()> {
    // Amounts are at most 2^53, and one transaction writes fewer than a thousand expenses at a time.
    let fit = |amount: i128| {
        let amount = i64::try_from(amount);
        amount.map_err(|_| Error::Internal("a delta of spending is too large".into()))
    };
    let rows = deltas.into_changes().map(|(cell, delta)| {
        let Cell { month, project_id, category_id, member_id, currency } = cell;
        let Delta { settled_minor, pending_minor, expenses, in_category, in_project, parts } =
            delta;
        Ok(spending_delta::ActiveModel {
            organization_id: Set(organization_id),
            id: Set(tx.new_id()),
            month: Set(month),
            project_id: Set(project_id),
            category_id: Set(category_id),
            member_id: Set(member_id),
            currency: Set(currency),
            settled_minor: Set(fit(settled_minor)?),
            pending_minor: Set(fit(pending_minor)?),
            expense_count: Set(expenses),
            category_count: Set(in_category),
            project_count: Set(in_project),
            part_count: Set(parts),
        })
    });
    children::insert(tx, rows.collect::<Result<_>>()?).await
}

/// The first organization after another that has deltas.
pub(in crate::money::expense::spending) async fn next_with_deltas(
    connection: &impl ConnectionTrait,
    after: Option<Uuid>,
) -> Result<Option<Uuid>> {
    let organizations = spending_delta::Entity::find()
        .select_only()
        .column(spending_delta::Column::OrganizationId)
        .apply_if(after, |rows, after| {
            rows.filter(spending_delta::COLUMN.organization_id.gt(after))
        })
        .order_by_asc(spending_delta::Column::OrganizationId)
        .limit(1);
    Ok(organizations.into_tuple().one(connection).await?)
}

/// An organization's deltas in the order of their ids, at most so many.
pub(in crate::money::expense::spending) async fn deltas(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    limit: Option<u64>,
) -> Result<(Vec<Uuid>, Totals)> {
    let rows = spending_delta::Entity::find()
        .filter(spending_delta::COLUMN.organization_id.eq(organization_id))
        .order_by_asc(spending_delta::Column::OrganizationId)
        .order_by_asc(spending_delta::Column::Id)
        .apply_if(limit, QuerySelect::limit)
        .all(connection)
        .await?;
    let mut totals = Totals::default();
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows {
        ids.push(row.id);
        let cell = Cell {
            month: row.month,
            project_id: row.project_id,
            category_id: row.category_id,
            member_id: row.member_id,
            currency: row.currency,
        };
        let delta = Delta {
            settled_minor: row.settled_minor.into(),
            pending_minor: row.pending_minor.into(),
            expenses: row.expense_count,
            in_category: row.category_count,
            in_project: row.project_count,
            parts: row.part_count,
        };
        totals.add(&cell, delta);
    }
    Ok((ids, totals))
}

/// Deletes deltas.
pub(in crate::money::expense::spending) async fn delete_deltas(
    tx: &Tx,
    organization_id: Uuid,
    ids: &[Uuid],
) -> Result<()> {
    for ids in ids.chunks(IDS_PER_STATEMENT) {
        spending_delta::Entity::delete_many()
            .filter(spending_delta::COLUMN.organization_id.eq(organization_id))
            .filter(spending_delta::Column::Id.is_in(ids.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(())
}
