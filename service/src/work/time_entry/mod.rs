//! What was worked: from when to when, or how long on a day; by whom and on what.

mod batch;
mod commands;
pub mod days;
mod example;
pub mod import;
pub mod interval_set;
pub(crate) mod redate;
pub(in crate::work) mod repository;
pub mod rules;
mod timer;
mod write;

use chrono::{DateTime, NaiveDate, Utc};
use entity::time_entry::Column;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use batch::create_many;
pub use import::{TimeImport, TimeImportQuery, TimeImportReport, import};
pub(crate) use import::{delete_imported, write_slice};
pub(crate) use timer::stop_of;
pub use timer::{start, stop};

use crate::{
    error::{Error, Result},
    input::{AnyOf, AnyOrNone, IdOrNone},
    store::{page::paged, stored},
    text,
    work::timecard,
};

/// Writable properties of a time entry: either `started_at` and `ended_at`, or `day` and `minutes`.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::whole))]
#[schema(examples(Self::example))]
pub struct TimeEntryInput {
    /// Identifier of the member who worked. Defaults to the member who sends the request.
    pub member_id: Option<Uuid>,
    /// Identifier of the project; null for none. Defaults to the project of the task.
    pub project_id: Option<Uuid>,
    /// Identifier of the task; null for none.
    pub task_id: Option<Uuid>,
    /// Start of the work (RFC 3339, UTC), in whole microseconds; null for an entry of a day and
    /// minutes.
    #[validate(custom(function = rules::instant))]
    pub started_at: Option<DateTime<Utc>>,
    /// End of the work (RFC 3339, UTC), in whole microseconds, at most 31 days after the start.
    /// Null for an entry of a day and minutes, and for a timer that is running.
    #[validate(custom(function = rules::instant))]
    pub ended_at: Option<DateTime<Utc>>,
    /// Day of an entry without start and end (`YYYY-MM-DD`); null for others.
    #[validate(custom(function = rules::day))]
    pub day: Option<NaiveDate>,
    /// Duration of an entry without start and end, in minutes, 1 to 1440; null for others.
    #[validate(range(min = 1, max = 1440))]
    pub minutes: Option<i64>,
    /// Breaks between start and end, at most 100, in order and without overlap.
    #[serde(default)]
    #[validate(length(max = 100), nested)]
    pub breaks: Vec<Break>,
    /// Whether the time is billable. Defaults to false.
    #[serde(default)]
    pub billable: bool,
    /// Cost code to which the time is booked, at most 50 characters.
    #[validate(length(max = 50))]
    pub cost_code: Option<String>,
    /// Description of the work, at most 5000 characters.
    #[validate(length(max = 5000))]
    pub note: Option<String>,
    /// Labels for search, unique ignoring case: at most 20 of 1 to 50 characters each.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = text::tags))]
    pub tags: Vec<String>,
}

/// Interval without work within a time entry.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TimeEntryBreak)]
pub struct Break {
    /// Start of the break (RFC 3339, UTC), in whole microseconds.
    #[validate(custom(function = rules::instant))]
    pub started_at: DateTime<Utc>,
    /// End of the break (RFC 3339, UTC), in whole microseconds.
    #[validate(custom(function = rules::instant))]
    pub ended_at: DateTime<Utc>,
}

/// Properties of a timer that is started.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "project_id": "019a8b20-4c00-7a10-8000-000000000005",
    "task_id": "019a8b20-4c00-7a10-8000-000000000006",
    "note": "Fitting the worktop",
})))]
pub struct TimerInput {
    /// Identifier of the member who works. Defaults to the member who sends the request.
    pub member_id: Option<Uuid>,
    /// Identifier of the project; null for none. Defaults to the project of the task.
    pub project_id: Option<Uuid>,
    /// Identifier of the task; null for none.
    pub task_id: Option<Uuid>,
    /// Start of the timer (RFC 3339, UTC), in whole microseconds, not in the future. Defaults to
    /// now.
    #[validate(custom(function = rules::instant))]
    pub started_at: Option<DateTime<Utc>>,
    /// Whether the time is billable. Defaults to false.
    #[serde(default)]
    pub billable: bool,
    /// Cost code to which the time is booked, at most 50 characters.
    #[validate(length(max = 50))]
    pub cost_code: Option<String>,
    /// Description of the work, at most 5000 characters.
    #[validate(length(max = 5000))]
    pub note: Option<String>,
    /// Labels for search, unique ignoring case: at most 20 of 1 to 50 characters each.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = text::tags))]
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

/// End of a timer that is stopped.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TimerStopInput, examples(json!({ "ended_at": "2026-11-16T16:00:00Z" })))]
pub struct StopInput {
    /// End of the work (RFC 3339, UTC), in whole microseconds. Defaults to now.
    #[validate(custom(function = rules::instant))]
    pub ended_at: Option<DateTime<Utc>>,
}

/// Time that a member worked. An entry with a start and without an end is a timer that is running.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct TimeEntry {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Identifier of the member who worked.
    pub member_id: Uuid,
    /// Identifier of the project; null for none.
    pub project_id: Option<Uuid>,
    /// Identifier of the task; null for none.
    pub task_id: Option<Uuid>,
    /// Start of the work (RFC 3339, UTC), in whole microseconds; null for an entry of a day and
    /// minutes.
    pub started_at: Option<DateTime<Utc>>,
    /// End of the work (RFC 3339, UTC), in whole microseconds, at most 31 days after the start.
    /// Null for an entry of a day and minutes, and for a timer that is running.
    pub ended_at: Option<DateTime<Utc>>,
    /// Day of an entry without start and end (`YYYY-MM-DD`); null for others.
    pub day: Option<NaiveDate>,
    /// Duration of an entry without start and end, in minutes, 1 to 1440; null for others.
    pub minutes: Option<i64>,
    /// Day on which the entry starts (`YYYY-MM-DD`), in the organization's time zone, set by the
    /// server.
    pub starts_on: NaiveDate,
    /// Time worked without breaks, in whole seconds, set by the server; 0 while the timer is
    /// running.
    pub seconds: i64,
    /// Whether the entry is a timer that is running, set by the server.
    pub running: bool,
    /// Breaks between start and end, at most 100, in order and without overlap.
    pub breaks: Vec<Break>,
    /// Whether the time is billable.
    pub billable: bool,
    /// Cost code to which the time is booked, at most 50 characters.
    pub cost_code: Option<String>,
    /// Description of the work, at most 5000 characters.
    pub note: Option<String>,
    /// Labels for search, unique ignoring case: at most 20 of 1 to 50 characters each.
    pub tags: Vec<String>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::time_entry::Model> for TimeEntry {
    type Error = Error;

    fn try_from(row: entity::time_entry::Model) -> Result<Self> {
        let entity::time_entry::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            member_id,
            project_id,
            task_id,
            timed,
            started_at,
            ended_at,
            day,
            seconds,
            breaks,
            billable,
            cost_code,
            note,
            tags,
            search_key: _,
            running_member_id,
            import_key: _,
            created_by_member_id: _,
            changed_by_member_id: _,
        } = row;
        let breaks = breaks.map(|breaks| stored::json(Column::Breaks, id, breaks));
        let tags = tags.map(|tags| stored::json(Column::Tags, id, tags));
        Ok(Self {
            id,
            version,
            member_id,
            project_id,
            task_id,
            started_at: timed.then(|| started_at.to_utc()),
            ended_at: ended_at.map(|at| at.to_utc()),
            day: (!timed).then_some(day),
            minutes: (!timed).then_some(seconds / 60),
            starts_on: day,
            seconds,
            running: running_member_id.is_some(),
            breaks: breaks.transpose()?.unwrap_or_default(),
            billable,
            cost_code,
            note,
            tags: tags.transpose()?.unwrap_or_default(),
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

/// Filters, order and page of a list of time entries.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimeEntryQuery {
    /// Return entries of one of these members.
    #[param(value_type = Option<Vec<Uuid>>)]
    pub member_id: Option<AnyOf<Uuid>>,
    /// Return entries of one of these projects, or with `none` those without a project.
    #[param(value_type = Option<Vec<IdOrNone>>, inline)]
    pub project_id: Option<AnyOrNone<Uuid>>,
    /// Return entries of one of these tasks, or with `none` those without a task.
    #[param(value_type = Option<Vec<IdOrNone>>, inline)]
    pub task_id: Option<AnyOrNone<Uuid>>,
    /// Return entries that lie at least partly on this day or later (`YYYY-MM-DD`), in the
    /// organization's time zone.
    #[validate(custom(function = rules::day))]
    pub from: Option<NaiveDate>,
    /// Return entries that lie at least partly on this day or earlier (`YYYY-MM-DD`), in the
    /// organization's time zone.
    #[validate(custom(function = rules::day))]
    pub to: Option<NaiveDate>,
    /// Return only billable entries (true), or only entries that are not billable (false).
    pub billable: Option<bool>,
    /// Return only timers that are running (true), or only other entries (false).
    pub running: Option<bool>,
    /// Return entries that lie at least partly in a timecard with one of these statuses.
    #[param(value_type = Option<Vec<timecard::Status>>, inline)]
    pub status: Option<AnyOf<timecard::Status>>,
    /// Return entries with one of these tags, ignoring case. At most 50 characters each.
    #[validate(custom(function = text::any_of_tags))]
    #[param(value_type = Option<Vec<String>>)]
    pub tag: Option<AnyOf<String>>,
    /// Return entries whose note, cost code or tags contain this text, ignoring case. At most 200
    /// characters.
    #[validate(length(max = 200))]
    pub q: Option<String>,
    /// Return entries that were created or updated at this instant or later (RFC 3339, UTC).
    /// Combine it with `sort=updated_at` to read changes in their order.
    #[validate(custom(function = rules::instant))]
    pub changed_since: Option<DateTime<Utc>>,
    /// Order of the list; `-` before a property is descending. Defaults to `-started_at`.
    #[serde(default)]
    #[param(inline)]
    pub sort: TimeEntrySort,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(TimeEntryQuery);

/// Order of a list of time entries. An entry of a day and minutes starts with its day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum TimeEntrySort {
    /// By start, earliest first.
    #[serde(rename = "started_at")]
    StartedAt,
    /// By start, latest first.
    #[default]
    #[serde(rename = "-started_at")]
    StartedAtDescending,
    /// By time of the last change, oldest first.
    #[serde(rename = "updated_at")]
    UpdatedAt,
}

/// Time entries to be created in one transaction: all of them or none.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeEntryBatch {
    /// Time entries to create, 1 to 500.
    #[validate(length(min = 1, max = 500))]
    #[schema(schema_with = crate::input::batch_schema::<TimeEntryInput>)]
    pub items: Vec<Value>,
}

/// Time entries that a batch has created.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimeEntryBatchResult {
    /// Created time entries, in the order of the batch.
    pub items: Vec<TimeEntry>,
}
