//! What a member worked in a week, entry by entry.

use std::collections::{BTreeMap, HashMap};

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{
    labels,
    worked::{self, Part},
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::{Store, Tx, versioned},
    text::fold,
    timecard::{self, Status},
};

/// Whose, and of which week.
#[derive(Debug, Clone, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimesheetQuery {
    /// Whose.
    pub member_id: Uuid,
    /// The Monday of the week.
    #[validate(custom(function = timecard::rules::monday))]
    #[param(example = "2026-11-16")]
    pub week: NaiveDate,
}

/// What a member worked in a week. A timer that runs counts once it is stopped.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Timesheet {
    /// Whose.
    pub member_id: Uuid,
    /// What the member is called.
    pub member_name: String,
    /// The Monday of the week.
    pub week_starts_on: NaiveDate,
    /// The timecard of the week; null where there is none yet.
    pub timecard: Option<TimesheetCard>,
    /// The seven days.
    pub days: Vec<TimesheetDay>,
    /// What was worked for each project, by label.
    pub projects: Vec<TimesheetProject>,
    /// How many seconds in all.
    pub seconds: i64,
    /// How many of them somebody is charged for.
    pub billable_seconds: i64,
}

/// How far the approval of a week is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimesheetCard {
    /// The timecard.
    pub id: Uuid,
    /// Its version.
    pub version: i64,
    /// How far it is.
    pub status: Status,
}

/// What was worked on a day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimesheetDay {
    /// The day.
    pub day: NaiveDate,
    /// The entries that lie in it, as far as they do, in the order of their beginning.
    pub entries: Vec<TimesheetEntry>,
    /// How many seconds.
    pub seconds: i64,
    /// How many of them somebody is charged for.
    pub billable_seconds: i64,
}

/// What lies in a day of an entry of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimesheetEntry {
    /// The entry.
    pub time_entry_id: Uuid,
    /// For which project.
    pub project_id: Option<Uuid>,
    /// What the project is called.
    pub project_name: Option<String>,
    /// On which task.
    pub task_id: Option<Uuid>,
    /// What the task is called.
    pub task_title: Option<String>,
    /// Whether somebody is charged for it.
    pub billable: bool,
    /// What it is booked on.
    pub cost_code: Option<String>,
    /// What was done.
    pub note: Option<String>,
    /// How many seconds of it lie in this day.
    pub seconds: i64,
}

/// What was worked for a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimesheetProject {
    /// The project; null for what is for none.
    pub project_id: Option<Uuid>,
    /// What to call it.
    pub label: String,
    /// How many seconds.
    pub seconds: i64,
    /// How many of them somebody is charged for.
    pub billable_seconds: i64,
}

/// What a member worked in a week.
pub async fn timesheet(store: &Store, actor: &Actor, query: &TimesheetQuery) -> Result<Timesheet> {
    store
        .snapshot((actor.organization_id, query.clone()), |tx, (organization_id, query)| {
            Box::pin(read(tx, *organization_id, query))
        })
        .await
}

async fn read(tx: &Tx, organization_id: Uuid, query: &TimesheetQuery) -> Result<Timesheet> {
    let TimesheetQuery { member_id, week } = *query;
    let member = versioned::find::<entity::member::Entity>(tx, organization_id, member_id).await?;
    let member =
        member.ok_or_else(|| Error::invalid("?member_id", "unknown", "is not a member here"))?;
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
        timecard: card.map(|card| TimesheetCard {
            id: card.id,
            version: card.version,
            status: Status::of(&card.status),
        }),
        seconds: days.iter().map(|day| day.seconds).sum(),
        billable_seconds: days.iter().map(|day| day.billable_seconds).sum(),
        days,
        projects,
    })
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
