//! The sums of what was worked, by the database, of the days that entries of time lie in.

use chrono::NaiveDate;
use entity::{time_entry, time_entry_day, timecard};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, IntoSimpleExpr,
    JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationTrait, Select, TryGetable,
    sea_query::{CaseStatement, Expr, Func},
};
use uuid::Uuid;

use super::hours::HoursQuery;
use crate::{
    error::Result,
    store::{stored::StoredWord, versioned},
    work::timecard::Status,
};

fn days(organization_id: Uuid) -> Select<time_entry_day::Entity> {
    time_entry_day::Entity::find()
        .filter(time_entry_day::COLUMN.organization_id.eq(organization_id))
}

/// The seconds of those for which something holds: of one organization far fewer than 2^63.
fn seconds_where(condition: Expr) -> Expr {
    let seconds = time_entry_day::Column::Seconds.into_simple_expr();
    let counted = CaseStatement::new().case(condition, seconds).finally(Expr::val(0_i64));
    Func::sum(counted).cast_as("bigint")
}

/// The seconds of each group, and how many of them are billable.
pub(super) async fn sums<G: TryGetable>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &HoursQuery,
    by: time_entry_day::Column,
) -> Result<Vec<(G, i64, i64)>> {
    use time_entry_day::COLUMN;
    let HoursQuery { from, to, group_by: _, project_id, member_id, task_id, billable, status } =
        query;
    let seconds = Func::sum(time_entry_day::Column::Seconds.into_simple_expr());
    let rows = days(organization_id)
        .filter(time_entry_day::Column::Day.between(*from, *to))
        .apply_if(*project_id, |rows, id| rows.filter(COLUMN.project_id.eq(id)))
        .apply_if(*member_id, |rows, id| rows.filter(COLUMN.member_id.eq(id)))
        .apply_if(*task_id, |rows, id| rows.filter(COLUMN.task_id.eq(id)))
        .apply_if(*billable, |rows, billable| rows.filter(COLUMN.billable.eq(billable)))
        .apply_if(*status, |rows, status| {
            rows.join(JoinType::InnerJoin, time_entry_day::Relation::Timecard.def())
                .filter(timecard::COLUMN.status.eq(status.as_str()))
        })
        .select_only()
        .column(by)
        .expr_as(Expr::from(seconds).cast_as("bigint"), "seconds")
        .expr_as(seconds_where(time_entry_day::Column::Billable.eq(true)), "billable_seconds")
        .group_by(by);
    Ok(rows.into_tuple().all(connection).await?)
}

/// What a member worked for a project on a day.
#[derive(Debug, FromQueryResult)]
pub(super) struct Worked {
    pub(super) member_id: Uuid,
    pub(super) day: NaiveDate,
    /// In weeks that are approved.
    pub(super) approved: i64,
    /// In weeks that are not, yet.
    pub(super) pending: i64,
}

/// What each member worked for a project on each day.
pub(super) async fn for_project(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    project_id: Uuid,
) -> Result<Vec<Worked>> {
    let approved = timecard::Column::Status.eq(Status::Approved.as_str());
    let rows = days(organization_id)
        .filter(time_entry_day::COLUMN.project_id.eq(project_id))
        .join(JoinType::InnerJoin, time_entry_day::Relation::Timecard.def())
        .select_only()
        .column(time_entry_day::Column::MemberId)
        .column(time_entry_day::Column::Day)
        .expr_as(seconds_where(approved.clone()), "approved")
        .expr_as(seconds_where(approved.not()), "pending")
        .group_by(time_entry_day::Column::MemberId)
        .group_by(time_entry_day::Column::Day)
        .order_by_asc(time_entry_day::Column::Day)
        .order_by_asc(time_entry_day::Column::MemberId);
    Ok(rows.into_model().all(connection).await?)
}

/// A part of an entry of time, as much of it as lies in one day.
#[derive(Debug, FromQueryResult)]
pub(super) struct Part {
    pub(super) day: NaiveDate,
    pub(super) time_entry_id: Uuid,
    pub(super) project_id: Option<Uuid>,
    pub(super) task_id: Option<Uuid>,
    pub(super) billable: bool,
    pub(super) cost_code: Option<String>,
    pub(super) note: Option<String>,
    pub(super) seconds: i64,
}

/// The parts of a week of a timecard, in the order in which they were worked.
pub(super) async fn of_card(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    timecard_id: Uuid,
) -> Result<Vec<Part>> {
    use time_entry_day::Column;
    let rows = days(organization_id)
        .filter(time_entry_day::COLUMN.timecard_id.eq(timecard_id))
        .join(JoinType::InnerJoin, time_entry_day::Relation::TimeEntry.def())
        .select_only()
        .columns([
            Column::Day,
            Column::TimeEntryId,
            Column::ProjectId,
            Column::TaskId,
            Column::Billable,
            Column::Seconds,
        ])
        .column(time_entry::Column::CostCode)
        .column(time_entry::Column::Note)
        .order_by_asc(Column::Day)
        .order_by_asc(time_entry::Column::StartedAt)
        .order_by_asc(Column::TimeEntryId);
    Ok(rows.into_model().all(connection).await?)
}

/// The timecard of a member's week, if there is one.
pub(super) async fn card(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    member_id: Uuid,
    monday: NaiveDate,
) -> Result<Option<timecard::Model>> {
    let rows = versioned::find_in_organization::<timecard::Entity>(organization_id)
        .filter(timecard::COLUMN.member_id.eq(member_id))
        .filter(timecard::COLUMN.week_starts_on.eq(monday));
    Ok(rows.one(connection).await?)
}
