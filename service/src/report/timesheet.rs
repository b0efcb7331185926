//! What a member worked in a week, entry by entry.

use std::collections::{BTreeMap, HashMap};

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{
    Report, labels,
    worked::{self, Part},
};
use crate::{
    error::{Error, Result},
    store::{Tx, stored, versioned},
    text::fold,
    work::timecard::{self, Status},
};

/// Member and week of a timesheet.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimesheetQuery {
    /// Identifier of the member.
    pub member_id: Uuid,
    /// Monday of the week (`YYYY-MM-DD`).
    #[validate(custom(function = timecard::rules::monday))]
    #[param(example = "2026-11-16")]
    pub week: NaiveDate,
}

/// Report of the time that a member worked in a week, entry by entry. Timers that are running are
/// not counted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Timesheet {
    /// Identifier of the member.
    pub member_id: Uuid,
    /// Name of the member.
    pub member_name: String,
    /// Monday of the week (`YYYY-MM-DD`).
    pub week_starts_on: NaiveDate,
    /// Timecard of the week; null if there is none.
    pub timecard: Option<TimesheetCard>,
    /// Seven days of the week, Monday first.
    pub days: Vec<TimesheetDay>,
    /// Time worked by project, ordered by label.
    pub projects: Vec<TimesheetProject>,
    /// Time worked in the week, in seconds.
    pub seconds: i64,
    /// Billable part of `seconds`, in seconds.
    pub billable_seconds: i64,
}

/// Approval of the week of a timesheet.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimesheetCard {
    /// Identifier of the timecard.
    pub id: Uuid,
    /// Version of the timecard.
    pub version: i64,
    /// Status of the timecard in the approval workflow.
    pub status: Status,
}

/// Time worked on one day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimesheetDay {
    /// Day (`YYYY-MM-DD`).
    pub day: NaiveDate,
    /// Parts of time entries that lie on the day, ordered by start.
    pub entries: Vec<TimesheetEntry>,
    /// Time worked on the day, in seconds.
    pub seconds: i64,
    /// Billable part of `seconds`, in seconds.
    pub billable_seconds: i64,
}

/// Part of a time entry that lies on one day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimesheetEntry {
    /// Identifier of the time entry.
    pub time_entry_id: Uuid,
    /// Identifier of the project; null for none.
    pub project_id: Option<Uuid>,
    /// Name of the project; null for none.
    pub project_name: Option<String>,
    /// Identifier of the task; null for none.
    pub task_id: Option<Uuid>,
    /// Title of the task; null for none.
    pub task_title: Option<String>,
    /// Whether the time is billable.
    pub billable: bool,
    /// Cost code to which the time is booked; null for none.
    pub cost_code: Option<String>,
    /// Description of the work.
    pub note: Option<String>,
    /// Time worked on the day, in seconds.
    pub seconds: i64,
}

/// Row of a timesheet as a table.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimesheetTableRow {
    /// Day (`YYYY-MM-DD`).
    pub day: NaiveDate,
    /// Part of a time entry that lies on the day.
    #[serde(flatten)]
    pub entry: TimesheetEntry,
}

/// Time worked for one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimesheetProject {
    /// Identifier of the project; null for time without a project.
    pub project_id: Option<Uuid>,
    /// Human-readable name of the project.
    pub label: String,
    /// Time worked, in seconds.
    pub seconds: i64,
    /// Billable part of `seconds`, in seconds.
    pub billable_seconds: i64,
}

/// What a member worked in a week.
impl Report for TimesheetQuery {
    type Answer = Timesheet;
    type Row = TimesheetTableRow;

    const NAME: &'static str = "timesheet";

    async fn read(&self, tx: &Tx, organization_id: Uuid) -> Result<Timesheet> {
        timesheet(tx, organization_id, self).await
    }

    fn rows(report: Timesheet) -> Vec<TimesheetTableRow> {
        let of_day = |TimesheetDay { day, entries, .. }: TimesheetDay| {
            entries.into_iter().map(move |entry| TimesheetTableRow { day, entry })
        };
        report.days.into_iter().flat_map(of_day).collect()
    }
}

async fn timesheet(tx: &Tx, organization_id: Uuid, query: &TimesheetQuery) -> Result<Timesheet> {
    let TimesheetQuery { member_id, week } = *query;
    let member = versioned::find::<entity::member::Entity>(tx, organization_id, member_id).await?;
    let member = member.ok_or_else(|| {
        Error::invalid("?member_id", "unknown", "must identify a member of the organization")
    })?;
    let card = worked::card(tx, organization_id, member_id, week).await?;
    let parts = match &card {
        Some(card) => worked::of_card(tx, organization_id, card.id).await?,
        None => Vec::new(),
    };
    let names = Names {
        projects: labels::projects(tx, organization_id).await?,
        tasks: labels::tasks(tx, organization_id, parts.iter().filter_map(|part| part.task_id))
            .await?,
    };
    let projects = projects(&parts, &names);
    let days = days(week, parts, &names);
    Ok(Timesheet {
        member_id,
        member_name: member.name,
        week_starts_on: week,
        timecard: card.map(shown).transpose()?,
        seconds: days.iter().map(|day| day.seconds).sum(),
        billable_seconds: days.iter().map(|day| day.billable_seconds).sum(),
        days,
        projects,
    })
}

fn shown(card: entity::timecard::Model) -> Result<TimesheetCard> {
    let status = stored::word(entity::timecard::Column::Status, card.id, &card.status)?;
    Ok(TimesheetCard { id: card.id, version: card.version, status })
}

struct Names {
    projects: HashMap<Uuid, String>,
    tasks: HashMap<Uuid, String>,
}

fn billable(part: &Part) -> i64 {
    if part.billable { part.seconds } else { 0 }
}

fn projects(parts: &[Part], names: &Names) -> Vec<TimesheetProject> {
    let mut projects: BTreeMap<Option<Uuid>, TimesheetProject> = BTreeMap::new();
    for part in parts {
        let label = match part.project_id {
            Some(id) => names.projects.get(&id).cloned().unwrap_or_default(),
            None => "No project".to_owned(),
        };
        let new = TimesheetProject {
            project_id: part.project_id,
            label,
            seconds: 0,
            billable_seconds: 0,
        };
        let project = projects.entry(part.project_id).or_insert(new);
        project.seconds += part.seconds;
        project.billable_seconds += billable(part);
    }
    let mut projects: Vec<_> = projects.into_values().collect();
    projects.sort_by_cached_key(|project| (fold(&project.label), project.project_id));
    projects
}

fn days(monday: NaiveDate, parts: Vec<Part>, names: &Names) -> Vec<TimesheetDay> {
    let week = (0..7).filter_map(|later| monday.checked_add_days(Days::new(later)));
    let empty = |day| TimesheetDay { day, entries: Vec::new(), seconds: 0, billable_seconds: 0 };
    let mut days: Vec<_> = week.map(empty).collect();
    for part in parts {
        let Some(day) = days.iter_mut().find(|day| day.day == part.day) else { continue };
        day.seconds += part.seconds;
        day.billable_seconds += billable(&part);
        day.entries.push(TimesheetEntry {
            time_entry_id: part.time_entry_id,
            project_id: part.project_id,
            project_name: part.project_id.and_then(|id| names.projects.get(&id).cloned()),
            task_id: part.task_id,
            task_title: part.task_id.and_then(|id| names.tasks.get(&id).cloned()),
            billable: part.billable,
            cost_code: part.cost_code,
            note: part.note,
            seconds: part.seconds,
        });
    }
    days
}
