use chrono::NaiveDate;
use entity::{expense, spending_backfill, spending_delta, spending_total};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, IntoSimpleExpr,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{CaseStatement, Expr, OnConflict, Query, SelectStatement, UnionType},
};
use uuid::Uuid;

use super::{
    delta::{Cell, Delta, Deltas, month_of},
    totals::{Dimension, Key, NIL, Total, Totals},
};
use crate::{
    error::{Error, Result},
    money::expense::{Kind, Status, repository as expenses},
    store::{
        Tx, children, dialect,
        stored::{self, StoredWord},
        versioned,
    },
};

/// How many rows one statement writes: of twelve parameters each, SQLite takes 32,766 in all.
const ROWS_PER_STATEMENT: usize = 1000;
/// How many expenses with lines are read at a time.
const EXPENSES_PER_QUERY: u64 = 1000;
/// How many ids one statement names.
const IDS_PER_STATEMENT: usize = 10_000;

/// Which sums a report asks for, over whole months.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SumsQuery {
    pub(crate) organization_id: Uuid,
    /// Only for this project.
    pub(crate) project_id: Option<Uuid>,
    /// By what; by nothing if none.
    pub(crate) dimension: Option<Dimension>,
    pub(crate) by_month: bool,
    /// The first day of the first month.
    pub(crate) first: NaiveDate,
    /// The first day of the last month.
    pub(crate) last: NaiveDate,
}

/// A sum that a report asked for, in halves ([`dialect::sum_halves`]).
#[derive(Debug, FromQueryResult)]
pub(crate) struct Row {
    pub(crate) group_id: Option<Uuid>,
    pub(crate) group_month: Option<String>,
    /// Empty where nothing is summed, but the organization's totals are there.
    pub(crate) currency: String,
    pub(crate) settled_high: i64,
    pub(crate) settled_low: i64,
    pub(crate) pending_high: i64,
    pub(crate) pending_low: i64,
    pub(crate) count: i64,
    pub(crate) first_count: i64,
}

/// The sums, in no order, and some groups more than once. None where they are not kept yet.
///
/// In one statement: totals, deltas and whether the organization has been backfilled are of one moment.
pub(crate) async fn sums(
    connection: &impl ConnectionTrait,
    query: &SumsQuery,
) -> Result<Option<Vec<Row>>> {
    let statement = select_backfill(connection, query)
        .union(UnionType::All, select_totals(connection, query))
        .union(UnionType::All, select_deltas(connection, query))
        .to_owned();
    let rows = connection.query_all(&statement).await?;
    let rows = rows.iter().map(|row| Row::from_query_result(row, ""));
    let mut rows = rows.collect::<std::result::Result<Vec<_>, _>>()?;
    let all = rows.len();
    rows.retain(|row| !row.currency.is_empty());
    if rows.len() == all {
        return Ok(None);
    }
    for row in &mut rows {
        row.group_id = match query.dimension {
            // The only one.
            Some(Dimension::Project) if query.project_id.is_some() => query.project_id,
            _ => row.group_id.filter(|id| *id != NIL),
        };
    }
    Ok(Some(rows))
}

/// One row if the totals are there.
fn select_backfill(connection: &impl ConnectionTrait, query: &SumsQuery) -> SelectStatement {
    let backend = connection.get_database_backend();
    let zero = || Expr::cust("0").cast_as("bigint");
    let null = || Expr::cust("NULL");
    Query::select()
        .expr_as(dialect::nullable_uuid(backend, null()), "group_id")
        .expr_as(dialect::nullable_text(backend, null()), "group_month")
        .expr_as(Expr::cust("''"), "currency")
        .expr_as(zero(), "settled_high")
        .expr_as(zero(), "settled_low")
        .expr_as(zero(), "pending_high")
        .expr_as(zero(), "pending_low")
        .expr_as(zero(), "count")
        .expr_as(zero(), "first_count")
        .from(spending_backfill::Entity)
        .and_where(spending_backfill::COLUMN.organization_id.eq(query.organization_id))
        .to_owned()
}

fn select_totals(connection: &impl ConnectionTrait, query: &SumsQuery) -> SelectStatement {
    use spending_total::{COLUMN, Column, Entity};
    let dimension = match query.dimension {
        Some(Dimension::Project) | None if query.project_id.is_some() => Dimension::Member,
        Some(dimension) => dimension,
        None => Dimension::Member,
    };
    let key = Column::KeyId.into_simple_expr();
    let mut rows = Query::select();
    rows.from(Entity)
        .and_where(COLUMN.organization_id.eq(query.organization_id))
        .and_where(COLUMN.project_id.eq(query.project_id.unwrap_or(NIL)))
        .and_where(COLUMN.dimension.eq(dimension.as_str()))
        .and_where(COLUMN.month.between(query.first, query.last));
    add_group_columns(connection, query, &mut rows, key, Column::Month.into_simple_expr());
    let sum = |column: Column| dialect::sum(column.into_simple_expr());
    rows.expr_as(sum(Column::SettledHigh), "settled_high")
        .expr_as(sum(Column::SettledLow), "settled_low")
        .expr_as(sum(Column::PendingHigh), "pending_high")
        .expr_as(sum(Column::PendingLow), "pending_low")
        .expr_as(sum(Column::Count), "count")
        .expr_as(sum(Column::FirstCount), "first_count")
        .to_owned()
}

fn select_deltas(connection: &impl ConnectionTrait, query: &SumsQuery) -> SelectStatement {
    use spending_delta::{COLUMN, Column, Entity};
    let key = match query.dimension {
        Some(Dimension::Category) => Column::CategoryId,
        Some(Dimension::Project) => Column::ProjectId,
        Some(Dimension::Member) | None => Column::MemberId,
    };
    let mut rows = Query::select();
    rows.from(Entity)
        .and_where(COLUMN.organization_id.eq(query.organization_id))
        .and_where(COLUMN.month.between(query.first, query.last));
    let (count, first) = match (query.project_id, query.dimension) {
        (None, Some(Dimension::Category)) => (Column::CategoryCount, Column::ExpenseCount),
        (None, Some(Dimension::Project)) => (Column::ProjectCount, Column::ExpenseCount),
        (None, _) => (Column::ExpenseCount, Column::ExpenseCount),
        (Some(_), Some(Dimension::Category)) => (Column::PartCount, Column::ProjectCount),
        (Some(_), _) => (Column::ProjectCount, Column::ProjectCount),
    };
    if let Some(project_id) = query.project_id {
        rows.and_where(COLUMN.project_id.eq(project_id));
    }
    add_group_columns(
        connection,
        query,
        &mut rows,
        key.into_simple_expr(),
        Column::Month.into_simple_expr(),
    );
    let [settled_high, settled_low] = dialect::sum_halves(Column::SettledMinor.into_simple_expr());
    let [pending_high, pending_low] = dialect::sum_halves(Column::PendingMinor.into_simple_expr());
    rows.expr_as(settled_high, "settled_high")
        .expr_as(settled_low, "settled_low")
        .expr_as(pending_high, "pending_high")
        .expr_as(pending_low, "pending_low")
        .expr_as(dialect::sum(count.into_simple_expr()), "count")
        .expr_as(dialect::sum(first.into_simple_expr()), "first_count")
        .to_owned()
}

/// The columns that tell groups apart.
fn add_group_columns(
    connection: &impl ConnectionTrait,
    query: &SumsQuery,
    rows: &mut SelectStatement,
    key: Expr,
    month: Expr,
) {
    let backend = connection.get_database_backend();
    let null = || Expr::cust("NULL");
    let key = if query.dimension.is_some() { key } else { null() };
    let month = if query.by_month { dialect::month(backend, month) } else { null() };
    rows.expr_as(dialect::nullable_uuid(backend, key), "group_id")
        .expr_as(dialect::nullable_text(backend, month), "group_month")
        .column("currency")
        .group_by_col("group_id")
        .group_by_col("group_month")
        .group_by_col("currency");
}

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
pub(super) async fn next_with_deltas(
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

/// Whether the totals of an organization are kept.
pub(super) async fn is_backfilled(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<bool> {
    let row = spending_backfill::Entity::find_by_id(organization_id).one(connection).await?;
    Ok(row.is_some())
}

/// The organizations whose totals are kept.
pub(super) async fn backfilled(connection: &impl ConnectionTrait) -> Result<Vec<Uuid>> {
    let ids = spending_backfill::Entity::find()
        .select_only()
        .column(spending_backfill::Column::OrganizationId)
        .order_by_asc(spending_backfill::Column::OrganizationId);
    Ok(ids.into_tuple().all(connection).await?)
}

/// Says that the totals of an organization are kept from now on. False if they are already.
pub(super) async fn insert_backfill(tx: &Tx, organization_id: Uuid) -> Result<bool> {
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
pub(super) async fn delete_totals(tx: &Tx, organization_id: Uuid) -> Result<()> {
    spending_backfill::Entity::delete_by_id(organization_id).exec(tx).await?;
    spending_total::Entity::delete_many()
        .filter(spending_total::COLUMN.organization_id.eq(organization_id))
        .exec(tx)
        .await?;
    Ok(())
}

/// An organization's deltas in the order of their ids, at most so many.
pub(super) async fn deltas(
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
pub(super) async fn delete_deltas(tx: &Tx, organization_id: Uuid, ids: &[Uuid]) -> Result<()> {
    for ids in ids.chunks(IDS_PER_STATEMENT) {
        spending_delta::Entity::delete_many()
            .filter(spending_delta::COLUMN.organization_id.eq(organization_id))
            .filter(spending_delta::Column::Id.is_in(ids.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Adds to an organization's totals.
pub(super) async fn add_totals(tx: &Tx, organization_id: Uuid, totals: &Totals) -> Result<()> {
    use spending_total::{Column, Entity};
    let row = |(key, total): (&Key, &Total)| {
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
    };
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
    let rows: Vec<_> = totals.0.iter().map(row).collect();
    for rows in rows.chunks(ROWS_PER_STATEMENT) {
        Entity::insert_many(rows.iter().cloned())
            .on_conflict(known.clone())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// An organization's totals, as they are kept.
pub(super) async fn totals(
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

/// What the totals of an organization are to be, from its expenses. Month by month, so that few cells are held at a
/// time.
pub(super) async fn compute_totals(tx: &Tx, organization_id: Uuid) -> Result<Totals> {
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
            for (cell, delta) in super::delta::cells(&expenses::view(row, lines)?) {
                totals.add(&cell, delta);
            }
        }
    }
}
