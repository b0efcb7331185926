//! What totals are to be, from the expenses.

use chrono::NaiveDate;
use entity::expense;
use sea_orm::{
    ColumnTrait, ConnectionTrait, ExprTrait, IntoSimpleExpr, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
    sea_query::{CaseStatement, Expr},
};
use uuid::Uuid;

use crate::{
    error::Result,
    money::expense::{
        Kind, Status, repository as expenses,
        spending::{
            delta::{self, Cell, Delta, month_of},
            totals::Totals,
        },
    },
    store::{Tx, dialect, stored::StoredWord, versioned},
};

/// How many expenses with lines are read at a time.
const EXPENSES_PER_QUERY: u64 = 1000;

/// What the totals of an organization are to be, from its expenses. Month by month, so that few cells are held at a
/// time.
pub(in crate::money::expense::spending) async fn compute_totals(
    tx: &Tx,
    organization_id: Uuid,
) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut after = None;
    while let Some(day) = next_day(tx, organization_id, after).await? {
        let first = month_of(day);
        let last = first + chrono::Months::new(1) - chrono::Days::new(1);
        add_without_lines(tx, organization_id, [first, last], &mut totals).await?;
        add_with_lines(tx, organization_id, [first, last], &mut totals).await?;
        after = Some(last);
    }
    totals.prune();
    Ok(totals)
}

/// The first day after another on which anything was spent.
async fn next_day(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    after: Option<NaiveDate>,
) -> Result<Option<NaiveDate>> {
    let days = versioned::find_in_organization::<expense::Entity>(organization_id)
        .select_only()
        .column(expense::Column::SpentOn)
        .apply_if(after, |rows, after| rows.filter(expense::COLUMN.spent_on.gt(after)))
        .order_by_asc(expense::Column::SpentOn)
        .limit(1);
    Ok(days.into_tuple().one(connection).await?)
}

/// The expenses of a month without lines, summed by the database.
async fn add_without_lines(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    [first, last]: [NaiveDate; 2],
    totals: &mut Totals,
) -> Result<()> {
    use expense::{COLUMN, Column};
    let amount = || Column::AmountMinor.into_simple_expr();
    let refund = Column::Kind.eq(Kind::Refund.as_str());
    let signed = CaseStatement::new().case(refund, amount().mul(-1_i64)).finally(amount());
    let settled = Column::Status.is_in([Status::Approved.as_str(), Status::Reimbursed.as_str()]);
    let [high, low] = dialect::sum_halves(signed.into());
    type Group = (Option<Uuid>, Option<Uuid>, Uuid, String, bool, i64, i64, i64);
    let groups: Vec<Group> = versioned::find_in_organization::<expense::Entity>(organization_id)
        .filter(COLUMN.spent_on.between(first, last))
        .filter(Column::Status.ne(Status::Rejected.as_str()))
        .filter(COLUMN.item_count.eq(0))
        .select_only()
        .column(Column::ProjectId)
        .column(Column::CategoryId)
        .column(Column::MemberId)
        .column(Column::Currency)
        .expr_as(settled, "settled")
        .expr_as(high, "high")
        .expr_as(low, "low")
        .expr_as(Expr::cust("COUNT(*)"), "count")
        .group_by(Column::ProjectId)
        .group_by(Column::CategoryId)
        .group_by(Column::MemberId)
        .group_by(Column::Currency)
        .group_by(Expr::col("settled"))
        .into_tuple()
        .all(connection)
        .await?;
    for (project_id, category_id, member_id, currency, settled, high, low, count) in groups {
        let cell = Cell { month: first, project_id, category_id, member_id, currency };
        let sum = dialect::join_halves([high, low]);
        let delta = Delta {
            settled_minor: if settled { sum } else { 0 },
            pending_minor: if settled { 0 } else { sum },
            expenses: count,
            in_category: count,
            in_project: count,
            parts: count,
        };
        totals.add(&cell, delta);
    }
    Ok(())
}

/// The expenses of a month with lines, one by one.
async fn add_with_lines(
    tx: &Tx,
    organization_id: Uuid,
    [first, last]: [NaiveDate; 2],
    totals: &mut Totals,
) -> Result<()> {
    let mut after = None;
    loop {
        let rows = versioned::find_in_organization::<expense::Entity>(organization_id)
            .filter(expense::COLUMN.spent_on.between(first, last))
            .filter(expense::COLUMN.item_count.gt(0))
            .apply_if(after, |rows, id: Uuid| rows.filter(expense::COLUMN.id.gt(id)))
            .order_by_asc(expense::Column::Id)
            .limit(EXPENSES_PER_QUERY)
            .all(tx)
            .await?;
        let Some(end) = rows.last() else { return Ok(()) };
        after = Some(end.id);
        let ids = rows.iter().map(|row| row.id);
        let mut items = expenses::items_of(tx, organization_id, ids).await?;
        for row in rows {
            let lines = items.remove(&row.id).unwrap_or_default();
            for (cell, delta) in delta::cells(&expenses::view(row, lines)?) {
                totals.add(&cell, delta);
            }
        }
    }
}
