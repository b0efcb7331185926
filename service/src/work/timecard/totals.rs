//! What was worked in a week. No part of the card: it has a version, and totals move without one
//! ([decision 8](../../../docs/decisions/0008-materialized-account-balances.md)).

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::repository::{self, Part};
use crate::{actor::Actor, error::Result, store::Store};

/// Time worked in the week of a timecard. Timers that are running are not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimecardTotals {
    /// Identifier of the timecard.
    pub timecard_id: Uuid,
    /// Time worked in the week, in seconds.
    pub seconds: i64,
    /// Billable part of `seconds`, in seconds.
    pub billable_seconds: i64,
    /// Totals of the seven days of the week.
    pub days: Vec<DayTotal>,
    /// Totals by project. Time without a project is a row of its own.
    pub projects: Vec<ProjectTotal>,
}

/// Time worked on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TimecardDayTotal)]
pub struct DayTotal {
    /// Day (`YYYY-MM-DD`).
    pub day: NaiveDate,
    /// Time worked on the day, in seconds.
    pub seconds: i64,
    /// Billable part of `seconds`, in seconds.
    pub billable_seconds: i64,
}

/// Time worked for one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TimecardProjectTotal)]
pub struct ProjectTotal {
    /// Identifier of the project; null for time without a project.
    pub project_id: Option<Uuid>,
    /// Time worked, in seconds.
    pub seconds: i64,
    /// Billable part of `seconds`, in seconds.
    pub billable_seconds: i64,
}

/// The totals of a timecard.
pub async fn totals(store: &Store, actor: &Actor, id: Uuid) -> Result<TimecardTotals> {
    let organization_id = actor.organization_id;
    store
        .snapshot(async move |tx| {
            let card = repository::get(tx, organization_id, id).await?;
            let parts = repository::parts(tx, organization_id, id).await?;
            Ok(summed(id, card.week_starts_on, &parts))
        })
        .await
}

fn summed(timecard_id: Uuid, monday: NaiveDate, parts: &[Part]) -> TimecardTotals {
    let week = (0..7).filter_map(|later| monday.checked_add_days(Days::new(later)));
    let mut days: BTreeMap<NaiveDate, (i64, i64)> = week.map(|day| (day, (0, 0))).collect();
    let mut projects: BTreeMap<Option<Uuid>, (i64, i64)> = BTreeMap::new();
    let mut all = (0, 0);
    for Part { day, project_id, billable, seconds } in parts {
        let charged = if *billable { *seconds } else { 0 };
        let sums =
            [&mut all, days.entry(*day).or_default(), projects.entry(*project_id).or_default()];
        for sum in sums {
            *sum = (sum.0 + seconds, sum.1 + charged);
        }
    }
    let day = |(day, (seconds, billable_seconds))| DayTotal { day, seconds, billable_seconds };
    let project = |(project_id, (seconds, billable_seconds))| ProjectTotal {
        project_id,
        seconds,
        billable_seconds,
    };
    TimecardTotals {
        timecard_id,
        seconds: all.0,
        billable_seconds: all.1,
        days: days.into_iter().map(day).collect(),
        projects: projects.into_iter().map(project).collect(),
    }
}
