//! The sums that reports ask for, from totals and deltas together.

use chrono::NaiveDate;
use entity::{spending_backfill, spending_delta, spending_total};
use sea_orm::{
    ConnectionTrait, ExprTrait, FromQueryResult, IntoSimpleExpr,
    sea_query::{Expr, Query, SelectStatement, UnionType},
};
use uuid::Uuid;

use crate::{
    error::Result,
    money::expense::spending::totals::{Dimension, NIL},
    store::{dialect, stored::StoredWord},
};

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
