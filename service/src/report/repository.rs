//! The sums, by the database. An expense with lines is summed by its lines, where their categories
//! matter.

use chrono::NaiveDate;
use entity::{expense, expense_item, expense_tag};
use sea_orm::{
    ColumnTrait, ConnectionTrait, ExprTrait, FromQueryResult, IntoSimpleExpr, JoinType,
    QueryFilter, QuerySelect, QueryTrait, RelationTrait, Select,
    sea_query::{CaseStatement, Expr, Func},
};
use uuid::Uuid;

use super::{GroupBy, months::whole_months};
use crate::{
    error::Result,
    geo::Circle,
    money::expense::{
        Kind, Status, names_project, point,
        spending::{self, Dimension, SumsQuery},
    },
    store::{Tx, dialect, stored::StoredWord, versioned},
};

/// Of expenses that have lines.
const HAS_LINES: &str = r#""expense"."item_count" > 0"#;

/// One group's sums in one currency, in halves ([`dialect::sum_halves`]).
#[derive(Debug, FromQueryResult)]
struct Halves {
    group_id: Option<Uuid>,
    group_text: Option<String>,
    group_label: Option<String>,
    currency: String,
    settled_high: i64,
    settled_low: i64,
    pending_high: i64,
    pending_low: i64,
    count: i64,
    largest: Option<i64>,
}

/// One group's sums in one currency.
#[derive(Debug)]
pub(super) struct Sums {
    /// The category, the project or the member.
    pub(super) id: Option<Uuid>,
    /// The month, the day or the tag, or the merchant in lower case.
    pub(super) text: Option<String>,
    /// The merchant or the place as it was written.
    pub(super) label: Option<String>,
    pub(super) currency: String,
    pub(super) settled: i128,
    pub(super) pending: i128,
    /// How many expenses are in the group.
    pub(super) count: i64,
    /// How many of them are in no group before it: in all groups together, each expense is once.
    pub(super) first_count: i64,
    /// The largest purchase, where the expenses were read.
    pub(super) largest: Option<i64>,
}

impl Sums {
    fn of(row: Halves) -> Self {
        Self {
            id: row.group_id,
            text: row.group_text,
            label: row.group_label,
            currency: row.currency,
            settled: dialect::join_halves([row.settled_high, row.settled_low]),
            pending: dialect::join_halves([row.pending_high, row.pending_low]),
            count: row.count,
            first_count: row.count,
            largest: row.largest,
        }
    }
}

impl From<spending::Row> for Sums {
    fn from(row: spending::Row) -> Self {
        Self {
            id: row.group_id,
            text: row.group_month,
            label: None,
            currency: row.currency,
            settled: dialect::join_halves([row.settled_high, row.settled_low]),
            pending: dialect::join_halves([row.pending_high, row.pending_low]),
            count: row.count,
            first_count: row.first_count,
            largest: None,
        }
    }
}

/// What is summed.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) organization_id: Uuid,
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
    /// Only for this project.
    pub(super) project_id: Option<Uuid>,
    /// Whether [`Sums::first_count`] is asked for.
    pub(super) counted_once: bool,
}

/// What of an expense is summed: the whole of it, or a line with what its expense says for it.
pub(super) struct Part {
    category: Expr,
    project: Expr,
    amount: Expr,
    count: Expr,
}

/// The sums of each group, some groups more than once: of whole months from the totals that are kept, and of the days
/// before and after from the expenses. A group may be there of which all expenses have gone.
pub(super) async fn sums(tx: &Tx, scope: &Scope, group_by: GroupBy) -> Result<Vec<Sums>> {
    let months = whole_months(scope.from, scope.to).filter(|_| !group_by.reads_expenses());
    let Some(months) = months else { return sums_of_rows(tx, scope, None, group_by).await };
    let query = SumsQuery {
        organization_id: scope.organization_id,
        project_id: scope.project_id,
        dimension: match group_by {
            GroupBy::Category => Some(Dimension::Category),
            GroupBy::Project => Some(Dimension::Project),
            GroupBy::Member => Some(Dimension::Member),
            _ => None,
        },
        by_month: matches!(group_by, GroupBy::Month | GroupBy::Year),
        first: months.first,
        last: months.last,
    };
    let Some(rows) = spending::sums(tx, &query).await? else {
        tx.request_backfill(scope.organization_id);
        return sums_of_rows(tx, scope, None, group_by).await;
    };
    let mut sums: Vec<_> = rows.into_iter().map(Sums::from).collect();
    for [from, to] in [months.before, months.after].into_iter().flatten() {
        let scope = Scope { from, to, ..scope.clone() };
        sums.extend(sums_of_rows(tx, &scope, None, group_by).await?);
    }
    Ok(sums)
}

/// The sums of each group from the expenses. By what lines have of their own, those of whole expenses come first and
/// those of lines after.
pub(super) async fn sums_of_rows(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    circle: Option<Circle>,
    group_by: GroupBy,
) -> Result<Vec<Sums>> {
    let group_by = Some(group_by);
    let by_line = group_by.is_some_and(GroupBy::by_line) || scope.by_line();
    let mut rows = scope.expenses(circle);
    if by_line {
        rows = rows.filter(expense::Column::ItemCount.eq(0));
    }
    let grouped = grouped(connection, rows, scope, group_by, Part::whole());
    let whole = grouped.into_model::<Halves>().all(connection).await?;
    let mut sums: Vec<_> = whole.into_iter().map(Sums::of).collect();
    if by_line {
        let lines = sums_of_lines(connection, scope, circle, group_by).await?;
        let all = match scope.counted_once && !lines.is_empty() {
            true => sums_of_lines(connection, scope, circle, None).await?,
            false => Vec::new(),
        };
        sums.extend(lines.into_iter().map(|sum| Sums { first_count: 0, ..sum }));
        // Of no group, and with nothing but the counts.
        let counts = |sum: Sums| Sums { settled: 0, pending: 0, count: 0, largest: None, ..sum };
        sums.extend(all.into_iter().map(counts));
    }
    Ok(sums)
}

/// The sums of each group over lines alone.
async fn sums_of_lines(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    circle: Option<Circle>,
    group_by: Option<GroupBy>,
) -> Result<Vec<Sums>> {
    let grouped = grouped(connection, line_expenses(scope, circle), scope, group_by, Part::line());
    let lines = grouped.into_model::<Halves>().all(connection).await?;
    Ok(lines.into_iter().map(Sums::of).collect())
}

/// The expenses that have lines, each with each of its lines.
pub(super) fn line_expenses(scope: &Scope, circle: Option<Circle>) -> Select<expense::Entity> {
    scope
        .expenses(circle)
        .join(JoinType::InnerJoin, expense_item::Relation::Expense.def().rev())
        // Written out and not bound: for a value that it does not know, SQLite does not use the index over these.
        .filter(Expr::cust(HAS_LINES))
}

impl Part {
    pub(super) fn whole() -> Self {
        Self {
            category: expense::Column::CategoryId.into_simple_expr(),
            project: expense::Column::ProjectId.into_simple_expr(),
            amount: expense::Column::AmountMinor.into_simple_expr(),
            // DISTINCT would sort every row, to find that each expense is there once.
            count: Expr::cust("COUNT(*)"),
        }
    }

    pub(super) fn line() -> Self {
        let own = |line: expense_item::Column, whole: expense::Column| {
            Func::coalesce([line.into_simple_expr(), whole.into_simple_expr()]).into()
        };
        Self {
            category: own(expense_item::Column::CategoryId, expense::Column::CategoryId),
            project: own(expense_item::Column::ProjectId, expense::Column::ProjectId),
            amount: expense_item::Column::AmountMinor.into_simple_expr(),
            count: expense::Column::Id.into_simple_expr().count_distinct(),
        }
    }
}

impl Scope {
    /// Whether lines have of their own what the scope asks for.
    pub(super) fn by_line(&self) -> bool {
        self.project_id.is_some()
    }

    pub(super) fn expenses(&self, circle: Option<Circle>) -> Select<expense::Entity> {
        versioned::find_in_organization::<expense::Entity>(self.organization_id)
            .filter(expense::Column::SpentOn.between(self.from, self.to))
            .filter(expense::Column::Status.ne(Status::Rejected.as_str()))
            .apply_if(circle, |rows, circle| rows.filter(circle.contains(point())))
    }
}

/// By what expenses are summed.
#[derive(Debug, Default)]
struct Group {
    id: Option<Expr>,
    text: Option<Expr>,
    label: Option<Expr>,
}

/// Refunds count against what was spent.
fn signed(amount: Expr) -> Expr {
    let refund = expense::Column::Kind.eq(Kind::Refund.as_str());
    CaseStatement::new().case(refund, amount.clone().mul(-1_i64)).finally(amount).into()
}

fn settled() -> Expr {
    expense::Column::Status.is_in([Status::Approved.as_str(), Status::Reimbursed.as_str()])
}

pub(super) fn grouped(
    connection: &impl ConnectionTrait,
    rows: Select<expense::Entity>,
    scope: &Scope,
    group_by: Option<GroupBy>,
    part: Part,
) -> Select<expense::Entity> {
    let Part { category, project, amount, count } = part;
    use expense::Column;
    let backend = connection.get_database_backend();
    let of_purchase = Column::Kind.eq(Kind::Purchase.as_str());
    let purchase: Expr = CaseStatement::new().case(of_purchase, amount.clone()).into();
    let signed = signed(amount);
    let settled = settled();
    let only = |condition: Expr| {
        let none = Expr::val(0_i64);
        dialect::sum_halves(
            CaseStatement::new().case(condition, signed.clone()).finally(none).into(),
        )
    };
    let [settled_high, settled_low] = only(settled.clone());
    let [pending_high, pending_low] = only(settled.not());
    let mut group = Group::default();
    let mut rows = rows;
    match group_by {
        Some(GroupBy::Category) => group.id = Some(category),
        Some(GroupBy::Project) => group.id = Some(project.clone()),
        Some(GroupBy::Member) => group.id = Some(Column::MemberId.into_simple_expr()),
        Some(GroupBy::Month | GroupBy::Year) => {
            group.text = Some(dialect::month(backend, Column::SpentOn.into_simple_expr()));
        }
        Some(GroupBy::Week) => {
            group.text = Some(dialect::day(backend, Column::SpentOn.into_simple_expr()));
        }
        Some(GroupBy::Merchant) => {
            group.text = Some(Column::MerchantKey.into_simple_expr());
            group.label = Some(Column::Merchant.into_simple_expr());
        }
        Some(GroupBy::Place) => group.label = Some(Column::Place.into_simple_expr()),
        Some(GroupBy::Tag) => {
            rows = rows.join(JoinType::LeftJoin, expense_tag::Relation::Expense.def().rev());
            group.text = Some(expense_tag::Column::TagKey.into_simple_expr());
        }
        None => {}
    }
    let Group { id, text, label } = group;
    let [id, text, label] = [id, text, label].map(|it| it.unwrap_or_else(|| Expr::cust("NULL")));
    let mut rows = rows
        .select_only()
        .expr_as(dialect::nullable_uuid(backend, id), "group_id")
        .expr_as(dialect::nullable_text(backend, text), "group_text")
        .expr_as(dialect::nullable_text(backend, label), "group_label")
        .column(expense::Column::Currency)
        .expr_as(settled_high, "settled_high")
        .expr_as(settled_low, "settled_low")
        .expr_as(pending_high, "pending_high")
        .expr_as(pending_low, "pending_low")
        .expr_as(count, "count")
        .expr_as(Func::max(purchase), "largest")
        // By their names in the answer: PostgreSQL takes an expression with parameters that stands
        // there twice for two different ones.
        .group_by(Expr::col("group_id"))
        .group_by(Expr::col("group_text"))
        .group_by(Expr::col("group_label"))
        .group_by(expense::Column::Currency);
    if let Some(id) = scope.project_id {
        rows = rows.filter(project.eq(id));
    }
    rows
}

/// What was spent on a project: of one category, by one member, on one day, in one currency.
#[derive(Debug)]
pub(super) struct Spent {
    pub(super) category_id: Option<Uuid>,
    pub(super) member_id: Uuid,
    pub(super) day: NaiveDate,
    pub(super) currency: String,
    pub(super) amount: i128,
}

/// What was spent on a project, approved or reimbursed, in no order. By whole expenses, and by lines.
pub(super) async fn spent_on_project(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    project_id: Uuid,
) -> Result<Vec<Spent>> {
    let rows = || {
        versioned::find_in_organization::<expense::Entity>(organization_id)
            .filter(names_project(organization_id, project_id))
            .filter(settled())
    };
    let whole = rows().filter(expense::Column::ItemCount.eq(0));
    let lines = rows().join(JoinType::InnerJoin, expense_item::Relation::Expense.def().rev());
    let mut spent = Vec::new();
    for (rows, part) in [(whole, Part::whole()), (lines, Part::line())] {
        let [high, low] = dialect::sum_halves(signed(part.amount));
        let category = dialect::nullable_uuid(connection.get_database_backend(), part.category);
        let rows = rows
            .filter(part.project.eq(project_id))
            .select_only()
            .expr_as(category, "group_id")
            .column(expense::Column::MemberId)
            .column(expense::Column::SpentOn)
            .column(expense::Column::Currency)
            .expr_as(high, "high")
            .expr_as(low, "low")
            .group_by(Expr::col("group_id"))
            .group_by(expense::Column::MemberId)
            .group_by(expense::Column::SpentOn)
            .group_by(expense::Column::Currency);
        let rows: Vec<(Option<Uuid>, Uuid, NaiveDate, String, i64, i64)> =
            rows.into_tuple().all(connection).await?;
        spent.extend(rows.into_iter().map(|(category_id, member_id, day, currency, high, low)| {
            let amount = dialect::join_halves([high, low]);
            Spent { category_id, member_id, day, currency, amount }
        }));
    }
    Ok(spent)
}
