//! The totals of organizations, and whether they are kept.

use entity::{spending_backfill, spending_total};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use crate::{
    error::Result,
    money::expense::spending::totals::{Dimension, Key, Total, Totals},
    store::{
        Tx, dialect,
        stored::{self, StoredWord},
    },
};

/// How many rows one statement writes: of twelve parameters each, SQLite takes 32,766 in all.
const ROWS_PER_STATEMENT: usize = 1000;

/// Whether the totals of an organization are kept.
pub(in crate::money::expense::spending) async fn is_backfilled(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<bool> {
    let row = spending_backfill::Entity::find_by_id(organization_id).one(connection).await?;
    Ok(row.is_some())
}

/// The organizations whose totals are kept.
pub(in crate::money::expense::spending) async fn backfilled(
    connection: &impl ConnectionTrait,
) -> Result<Vec<Uuid>> {
    let ids = spending_backfill::Entity::find()
        .select_only()
        .column(spending_backfill::Column::OrganizationId)
        .order_by_asc(spending_backfill::Column::OrganizationId);
    Ok(ids.into_tuple().all(connection).await?)
}

/// Says that the totals of an organization are kept from now on. False if they are already.
pub(in crate::money::expense::spending) async fn insert_backfill(
    tx: &Tx,
    organization_id: Uuid,
) -> Result<bool> {
    let row = spending_backfill::ActiveModel {
        organization_id: Set(organization_id),
        completed_at: Set(tx.now().fixed_offset()),
    };
    let known =
        OnConflict::column(spending_backfill::Column::OrganizationId).do_nothing().to_owned();
    let inserted = spending_backfill::Entity::insert_many([row])
        .on_conflict(known)
        .exec_without_returning(tx)
        .await?;
    Ok(inserted == 1)
}

/// Deletes an organization's totals, which are not kept then.
pub(in crate::money::expense::spending) async fn delete_totals(
    tx: &Tx,
    organization_id: Uuid,
) -> Result<()> {
    spending_backfill::Entity::delete_by_id(organization_id).exec(tx).await?;
    spending_total::Entity::delete_many()
        .filter(spending_total::COLUMN.organization_id.eq(organization_id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Adds to an organization's totals.
pub(in crate::money::expense::spending) async fn add_totals(
    tx: &Tx,
    organization_id: Uuid,
    totals: &Totals,
) -> Result<()> {
    use spending_total::{Column, Entity};
    let key = [
        Column::OrganizationId,
        Column::ProjectId,
        Column::Dimension,
        Column::Month,
        Column::KeyId,
        Column::Currency,
    ];
    let sums = [
        Column::SettledHigh,
        Column::SettledLow,
        Column::PendingHigh,
        Column::PendingLow,
        Column::Count,
        Column::FirstCount,
    ];
    let mut known = OnConflict::columns(key);
    for column in sums {
        let sum = column.into_simple_expr().add(Expr::col(("excluded", column)));
        known.value(column, sum);
    }
    let rows: Vec<_> =
        totals.0.iter().map(|(key, total)| total_row(organization_id, key, total)).collect();
    for rows in rows.chunks(ROWS_PER_STATEMENT) {
        Entity::insert_many(rows.iter().cloned())
            .on_conflict(known.clone())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

fn total_row(organization_id: Uuid, key: &Key, total: &Total) -> spending_total::ActiveModel {
    let [settled_high, settled_low] = dialect::halves(total.settled_minor);
    let [pending_high, pending_low] = dialect::halves(total.pending_minor);
    spending_total::ActiveModel {
        organization_id: Set(organization_id),
        project_id: Set(key.project_id),
        dimension: Set(key.dimension.to_owned()),
        month: Set(key.month),
        key_id: Set(key.key_id),
        currency: Set(key.currency.clone()),
        settled_high: Set(settled_high),
        settled_low: Set(settled_low),
        pending_high: Set(pending_high),
        pending_low: Set(pending_low),
        count: Set(total.count),
        first_count: Set(total.first_count),
    }
}

/// An organization's totals, as they are kept.
pub(in crate::money::expense::spending) async fn totals(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Totals> {
    let rows = spending_total::Entity::find()
        .filter(spending_total::COLUMN.organization_id.eq(organization_id))
        .all(connection)
        .await?;
    let totals = rows.into_iter().map(|row| {
        let dimension: Dimension =
            stored::word(spending_total::Column::Dimension, organization_id, &row.dimension)?;
        let key = Key {
            project_id: row.project_id,
            dimension: dimension.as_str(),
            month: row.month,
            key_id: row.key_id,
            currency: row.currency,
        };
        let total = Total {
            settled_minor: dialect::join_halves([row.settled_high, row.settled_low]),
            pending_minor: dialect::join_halves([row.pending_high, row.pending_low]),
            count: row.count,
            first_count: row.first_count,
        };
        Ok((key, total))
    });
    Ok(Totals(totals.collect::<Result<_>>()?))
}
