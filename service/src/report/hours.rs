//! What was worked, grouped.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{labels, week_of, worked};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::{Store, Tx},
    text::{self, fold},
    timecard::Status,
};

/// By what hours are grouped.
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
    /// By day of the organization.
    Day,
    /// By ISO week of the organization.
    Week,
}

/// Which hours, and how grouped.
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HoursQuery {
    /// The first day.
    #[validate(custom(function = text::day))]
    pub from: NaiveDate,
    /// The last day.
    #[validate(custom(function = text::day))]
    pub to: NaiveDate,
    /// By what.
    #[param(inline)]
    pub group_by: GroupBy,
    /// Only for this project.
    pub project_id: Option<Uuid>,
    /// Only of this member.
    pub member_id: Option<Uuid>,
    /// Only on this task.
    pub task_id: Option<Uuid>,
    /// Only what somebody is charged for, or only what nobody is.
    pub billable: Option<bool>,
    /// Only of weeks whose timecard is in this status.
    #[param(inline)]
    pub status: Option<Status>,
}

/// What was worked from one day to another. A timer that runs counts once it is stopped.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Hours {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// By what it is grouped.
    pub group_by: GroupBy,
    /// The groups, by label.
    pub rows: Vec<HoursRow>,
    /// How many seconds in all.
    pub seconds: i64,
    /// How many of them somebody is charged for.
    pub billable_seconds: i64,
}

/// What was worked in one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HoursRow {
    /// The id of the project, the member or the task, or the day, of a week its Monday. Null for what is for no
    /// project or on no task.
    pub key: Option<String>,
    /// What to call the group.
    pub label: String,
    /// How many seconds.
    pub seconds: i64,
    /// How many of them somebody is charged for.
    pub billable_seconds: i64,
}

/// What was worked from one day to another, grouped.
pub async fn hours(store: &Store, actor: &Actor, query: &HoursQuery) -> Result<Hours> {
    let HoursQuery { from, to, group_by, .. } = *query;
    if to < from {
        return Err(Error::invalid("?to", "order", "must not be before from"));
    }
    let rows = store
        .snapshot((actor.organization_id, query.clone()), |tx, (organization_id, query)| {
            Box::pin(rows(tx, *organization_id, query))
        });
    let rows = rows.await?;
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
