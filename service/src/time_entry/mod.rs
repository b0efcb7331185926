//! What was worked: from when to when, or how long on a day; by whom and on what.

mod batch;
mod commands;
pub mod days;
pub mod import;
pub(crate) mod redate;
pub(crate) mod repository;
pub mod rules;
pub mod taken;
mod timer;
mod write;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use batch::create_many;
pub use import::{TimeImport, TimeImportQuery, TimeImportReport, import};
pub(crate) use import::{take_back, write_slice};
pub(crate) use timer::stop_of;
pub use timer::{start, stop};

use crate::{store::page::PageQuery, text, timecard};

/// What a client may write of an entry of time.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::whole))]
pub struct TimeEntryInput {
    /// Who worked; oneself if it is left out.
    pub member_id: Option<Uuid>,
    /// For which project; the task's, if there is a task that has one and this is left out.
    pub project_id: Option<Uuid>,
    /// On which task.
    pub task_id: Option<Uuid>,
    /// From when. Either this, or `day` and `minutes`.
    #[validate(custom(function = rules::instant))]
    pub started_at: Option<DateTime<Utc>>,
    /// Until when: later than the start, by at most 31 days. An entry that has a start and no end is a
    /// timer that runs.
    #[validate(custom(function = rules::instant))]
    pub ended_at: Option<DateTime<Utc>>,
    /// The day, where nobody noted from when to when.
    #[validate(custom(function = rules::day))]
    pub day: Option<NaiveDate>,
    /// How many minutes on that day: 1 to 1440.
    #[validate(range(min = 1, max = 1440))]
    #[schema(minimum = 1, maximum = 1440)]
    pub minutes: Option<i64>,
    /// When there was no work between start and end: in order, none over another.
    #[serde(default)]
    #[validate(length(max = 100), nested)]
    #[schema(max_items = 100)]
    pub breaks: Vec<Break>,
    /// Whether somebody is charged for it; not if it is left out.
    #[serde(default)]
    pub billable: bool,
    /// What it is booked on.
    #[validate(length(max = 50))]
    #[schema(max_length = 50)]
    pub cost_code: Option<String>,
    /// What was done.
    #[validate(length(max = 5000))]
    #[schema(max_length = 5000)]
    pub note: Option<String>,
    /// Words to find it by, without regard to case each once: at most 20 of at most 50 characters.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = text::tags))]
    #[schema(max_items = 20)]
    pub tags: Vec<String>,
}

/// A time without work within an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TimeEntryBreak)]
pub struct Break {
    /// From when.
    #[validate(custom(function = rules::instant))]
    pub started_at: DateTime<Utc>,
    /// Until when.
    #[validate(custom(function = rules::instant))]
    pub ended_at: DateTime<Utc>,
}

/// A timer that is to run.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimerInput {
    /// Who works; oneself if it is left out.
    pub member_id: Option<Uuid>,
    /// For which project; the task's, if there is a task that has one and this is left out.
    pub project_id: Option<Uuid>,
    /// On which task.
    pub task_id: Option<Uuid>,
    /// Since when; now if it is left out.
    #[validate(custom(function = rules::instant))]
    pub started_at: Option<DateTime<Utc>>,
    /// Whether somebody is charged for it; not if it is left out.
    #[serde(default)]
    pub billable: bool,
    /// What it is booked on.
    #[validate(length(max = 50))]
    #[schema(max_length = 50)]
    pub cost_code: Option<String>,
    /// What is done.
    #[validate(length(max = 5000))]
    #[schema(max_length = 5000)]
    pub note: Option<String>,
    /// Words to find it by, as in an entry.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = text::tags))]
    #[schema(max_items = 20)]
    pub tags: Vec<String>,
}

impl TimerInput {
    /// The entry that it is.
    fn entry(self, now: DateTime<Utc>) -> TimeEntryInput {
        let Self { member_id, project_id, task_id, started_at, billable, cost_code, note, tags } =
            self;
        TimeEntryInput {
            member_id,
            project_id,
            task_id,
            started_at: Some(started_at.unwrap_or(now)),
            ended_at: None,
            day: None,
            minutes: None,
            breaks: Vec::new(),
            billable,
            cost_code,
            note,
            tags,
        }
    }
}

/// How a timer is stopped.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopInput {
    /// Until when there was work; until now if it is left out.
    #[validate(custom(function = rules::instant))]
    pub ended_at: Option<DateTime<Utc>>,
}

/// An entry of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimeEntry {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// Who worked.
    pub member_id: Uuid,
    /// For which project.
    pub project_id: Option<Uuid>,
    /// On which task.
    pub task_id: Option<Uuid>,
    /// From when; null where nobody noted it.
    pub started_at: Option<DateTime<Utc>>,
    /// Until when; null where nobody noted it, and while the timer runs.
    pub ended_at: Option<DateTime<Utc>>,
    /// The day, where nobody noted from when to when.
    pub day: Option<NaiveDate>,
    /// How many minutes, where nobody noted from when to when.
    pub minutes: Option<i64>,
    /// The day of the organization on which it begins.
    pub starts_on: NaiveDate,
    /// How many whole seconds were worked, without the breaks; none while the timer runs.
    pub seconds: i64,
    /// Whether the timer runs.
    pub running: bool,
    /// When there was no work.
    pub breaks: Vec<Break>,
    /// Whether somebody is charged for it.
    pub billable: bool,
    /// What it is booked on.
    pub cost_code: Option<String>,
    /// What was done.
    pub note: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::time_entry::Model> for TimeEntry {
    fn from(row: entity::time_entry::Model) -> Self {
        let noted = row.timed;
        Self {
            id: row.id,
            version: row.version,
            member_id: row.member_id,
            project_id: row.project_id,
            task_id: row.task_id,
            started_at: noted.then(|| row.started_at.to_utc()),
            ended_at: row.ended_at.map(|at| at.to_utc()),
            day: (!noted).then_some(row.day),
            minutes: (!noted).then_some(row.seconds / 60),
            starts_on: row.day,
            seconds: row.seconds,
            running: row.running_member_id.is_some(),
            breaks: repository::breaks_of(row.breaks),
            billable: row.billable,
            cost_code: row.cost_code,
            note: row.note,
            tags: text::tags_of(row.tags.as_ref()),
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

/// Which entries, and in which order.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimeEntryQuery {
    /// Of this member.
    pub member_id: Option<Uuid>,
    /// For this project.
    pub project_id: Option<Uuid>,
    /// On this task.
    pub task_id: Option<Uuid>,
    /// Of which some lies on this day or later.
    #[validate(custom(function = rules::day))]
    pub from: Option<NaiveDate>,
    /// Of which some lies on this day or earlier.
    #[validate(custom(function = rules::day))]
    pub to: Option<NaiveDate>,
    /// Those that somebody is charged for, or those that nobody is.
    pub billable: Option<bool>,
    /// The timers that run, or all but those.
    pub running: Option<bool>,
    /// Of which some lies in a timecard in this status.
    #[param(inline)]
    pub status: Option<timecard::Status>,
    /// With this tag, without regard to case.
    #[validate(length(max = 50))]
    pub tag: Option<String>,
    /// With this text in the note, the cost code or a tag, without regard to case.
    #[validate(length(max = 200))]
    pub q: Option<String>,
    /// Made or changed at this instant or later. With `sort=updated_at`, what has changed comes in order.
    #[validate(custom(function = rules::instant))]
    pub changed_since: Option<DateTime<Utc>>,
    /// In which order; `-` for the latest first.
    #[serde(default)]
    #[param(inline)]
    pub sort: TimeEntrySort,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl TimeEntryQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// In which order entries come. One of which only the day is known begins with the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum TimeEntrySort {
    /// The earliest first.
    #[serde(rename = "started_at")]
    StartedAt,
    /// The latest first.
    #[default]
    #[serde(rename = "-started_at")]
    StartedAtDescending,
    /// The one that was changed longest ago first.
    #[serde(rename = "updated_at")]
    UpdatedAt,
}

/// Several entries, all or none.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeEntryBatch {
    /// 1 to 500 of them.
    #[validate(length(min = 1, max = 500))]
    #[schema(schema_with = crate::input::batch_schema::<TimeEntryInput>)]
    pub items: Vec<Value>,
}

/// The entries of a batch, in its order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimeEntryBatchResult {
    /// The entries.
    pub items: Vec<TimeEntry>,
}
