//! What was worked, grouped.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{Report, labels, week_of, worked};
use crate::{
    error::{Error, Result},
    store::Tx,
    text::{self, fold},
    work::timecard::Status,
};

/// Property by which a report of hours is grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HoursGroupBy)]
pub enum GroupBy {
    /// By project.
    Project,
    /// By the member who worked.
    Member,
    /// By task.
    Task,
    /// By day, in the organization's time zone.
    Day,
    /// By ISO week, in the organization's time zone.
    Week,
}

/// Period, grouping and filters of a report of hours.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HoursQuery {
    /// First day of the report (`YYYY-MM-DD`), in the organization's time zone.
    #[validate(custom(function = text::day))]
    pub from: NaiveDate,
    /// Last day of the report (`YYYY-MM-DD`), in the organization's time zone.
    #[validate(custom(function = text::day))]
    pub to: NaiveDate,
    /// Property by which the report is grouped.
    #[param(inline)]
    pub group_by: GroupBy,
    /// Count only time of this project.
    pub project_id: Option<Uuid>,
    /// Count only time of this member.
    pub member_id: Option<Uuid>,
    /// Count only time of this task.
    pub task_id: Option<Uuid>,
    /// Count only billable time (true) or only time that is not billable (false). Omit it to count
    /// both.
    pub billable: Option<bool>,
    /// Count only time of weeks whose timecard has this status.
    #[param(inline)]
    pub status: Option<Status>,
}

/// Report of the hours worked in a period, grouped. Timers that are running are not counted.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = HoursReport)]
pub struct Hours {
    /// First day of the report (`YYYY-MM-DD`).
    pub from: NaiveDate,
    /// Last day of the report (`YYYY-MM-DD`).
    pub to: NaiveDate,
    /// Property by which the report is grouped.
    pub group_by: GroupBy,
    /// Groups, ordered by label.
    pub rows: Vec<HoursRow>,
    /// Time worked in all groups, in seconds.
    pub seconds: i64,
    /// Billable part of `seconds`, in seconds.
    pub billable_seconds: i64,
}

/// Hours worked in one group of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = HoursReportRow)]
pub struct HoursRow {
    /// Key of the group: identifier of the project, member or task, the day (`YYYY-MM-DD`), or the
    /// Monday of the week. Null for time without a project or task.
    pub key: Option<String>,
    /// Human-readable name of the group.
    pub label: String,
    /// Time worked in the group, in seconds.
    pub seconds: i64,
    /// Billable part of `seconds`, in seconds.
    pub billable_seconds: i64,
}

/// What was worked from one day to another, grouped.
impl Report for HoursQuery {
    type Answer = Hours;
    type Row = HoursRow;

    const NAME: &'static str = "hours_report";

    async fn read(&self, tx: &Tx, organization_id: Uuid) -> Result<Hours> {
        hours(tx, organization_id, self).await
    }

    fn rows(report: Hours) -> Vec<HoursRow> {
        report.rows
    }
}

async fn hours(tx: &Tx, organization_id: Uuid, query: &HoursQuery) -> Result<Hours> {
    let HoursQuery { from, to, group_by, .. } = *query;
    if to < from {
        return Err(Error::invalid("?to", "order", "must not be before from"));
    }
    let rows = rows(tx, organization_id, query).await?;
    Ok(Hours {
        from,
        to,
        group_by,
        seconds: rows.iter().map(|row| row.seconds).sum(),
        billable_seconds: rows.iter().map(|row| row.billable_seconds).sum(),
        rows,
    })
}

async fn rows(tx: &Tx, organization_id: Uuid, query: &HoursQuery) -> Result<Vec<HoursRow>> {
    use entity::time_entry_day::Column;
    let column = match query.group_by {
        GroupBy::Project => Column::ProjectId,
        GroupBy::Member => Column::MemberId,
        GroupBy::Task => Column::TaskId,
        GroupBy::Day | GroupBy::Week => return by_day(tx, organization_id, query).await,
    };
    let sums = worked::sums::<Option<Uuid>>(tx, organization_id, query, column).await?;
    let ids = sums.iter().filter_map(|(id, ..)| *id);
    let (labels, none) = match query.group_by {
        GroupBy::Project => (labels::projects(tx, organization_id).await?, "No project"),
        GroupBy::Task => (labels::tasks(tx, organization_id, ids).await?, "No task"),
        _ => (labels::members(tx, organization_id).await?, ""),
    };
    let row = |(id, seconds, billable_seconds): (Option<Uuid>, i64, i64)| HoursRow {
        key: id.map(|id| id.to_string()),
        label: id.map_or(none, |id| labels.get(&id).map_or("", String::as_str)).to_owned(),
        seconds,
        billable_seconds,
    };
    let mut rows: Vec<_> = sums.into_iter().map(row).collect();
    rows.sort_by_cached_key(|row| (fold(&row.label), row.key.clone()));
    Ok(rows)
}

/// By day, or by the weeks that the days lie in.
async fn by_day(tx: &Tx, organization_id: Uuid, query: &HoursQuery) -> Result<Vec<HoursRow>> {
    let column = entity::time_entry_day::Column::Day;
    let mut groups: BTreeMap<NaiveDate, (i64, i64)> = BTreeMap::new();
    for (day, seconds, billable) in
        worked::sums::<NaiveDate>(tx, organization_id, query, column).await?
    {
        let day = if query.group_by == GroupBy::Week { week_of(day) } else { day };
        let group = groups.entry(day).or_default();
        *group = (group.0 + seconds, group.1 + billable);
    }
    let row = |(day, (seconds, billable_seconds)): (NaiveDate, _)| HoursRow {
        key: Some(day.to_string()),
        label: day.to_string(),
        seconds,
        billable_seconds,
    };
    Ok(groups.into_iter().map(row).collect())
}
