//! What is to be done: by whom, by when, and again.

mod commands;
mod example;
mod reassign;
pub mod recurrence;
pub(crate) mod redate;
pub(crate) mod repository;
pub mod rotation;
pub mod rules;
mod series;

use chrono::{DateTime, NaiveDate, Utc};
use entity::task::Column;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use reassign::reassign;
pub(crate) use reassign::reassign_some;
pub(crate) use redate::rezone;
pub use repository::statement;
pub use rotation::Turn;

use crate::{
    details,
    error::{Error, Result},
    input::{AnyOf, AnyOrNone, IdOrNone},
    role::Role,
    store::{page::paged, stored},
    text,
};

/// Status of a task. docs/work.md lists the permitted transitions.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = TaskStatus)]
pub enum Status {
    /// Not started.
    #[default]
    Pending,
    /// In progress.
    InProgress,
    /// Finished.
    Done,
    /// Cancelled: the task will not be done.
    Cancelled,
}

impl Status {
    /// Whether the task is still to be done.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::InProgress)
    }
}

/// Priority of a task.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = TaskPriority)]
pub enum Priority {
    /// Low.
    Low,
    /// Medium, the default.
    #[default]
    Medium,
    /// High.
    High,
    /// Urgent, the highest priority.
    Urgent,
}

impl Priority {
    /// Whether it is high or urgent.
    pub fn is_pressing(self) -> bool {
        matches!(self, Self::High | Self::Urgent)
    }
}

/// Writable properties of a task.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::due_once), schema(function = rules::recurs))]
#[schema(examples(Self::example))]
pub struct TaskInput {
    /// Title of the task, not blank, at most 200 characters.
    #[validate(length(max = 200), custom(function = text::visible))]
    pub title: String,
    /// Free text, at most 5000 characters.
    #[validate(length(max = 5000))]
    pub note: Option<String>,
    /// Status of the task. Defaults to `pending`.
    #[serde(default)]
    pub status: Status,
    /// Priority of the task. Defaults to `medium`.
    #[serde(default)]
    pub priority: Priority,
    /// Day by the end of which the task is due (`YYYY-MM-DD`), in the organization's time zone;
    /// null if it is due at an instant or never.
    #[validate(custom(function = text::day))]
    pub due_on: Option<NaiveDate>,
    /// Instant at which the task is due (RFC 3339, UTC), in whole microseconds; null if it is due
    /// on a day or never. Excludes `due_on`.
    #[validate(custom(function = rules::instant))]
    pub due_at: Option<DateTime<Utc>>,
    /// Identifier of the member to whom the task is assigned; null for none. With a rotation,
    /// defaults to the member whose turn it is.
    pub assignee_member_id: Option<Uuid>,
    /// Lowest role of the members for whom the task is meant; null for no restriction.
    pub assignee_role: Option<Role>,
    /// Identifier of the project of the task; null for none.
    pub project_id: Option<Uuid>,
    /// Estimated effort in minutes, 1 to 1000000.
    #[validate(range(min = 1, max = 1_000_000))]
    pub estimate_minutes: Option<i64>,
    /// Labels for search, unique ignoring case: at most 20 of 1 to 50 characters each.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = text::tags))]
    pub tags: Vec<String>,
    /// Data of the client that the server stores and does not interpret: a JSON object of at most
    /// 16 KiB.
    #[validate(custom(function = details::small))]
    pub metadata: Option<Map<String, Value>>,
    /// Recurrence rule of the task: an RFC 5545 RRULE without DTSTART, of at most 500 characters,
    /// with a frequency of `DAILY` or longer. Null for a task that does not recur. Requires
    /// `due_on` or `due_at`.
    #[validate(length(max = 500))]
    #[schema(example = "FREQ=WEEKLY;BYDAY=MO")]
    pub recurrence: Option<String>,
    /// Identifiers of the members who take turns at the tasks of the series, in their order, at
    /// most 50. Requires `recurrence`.
    #[serde(default)]
    #[validate(length(max = 50), custom(function = rotation::distinct))]
    pub rotation: Vec<Uuid>,
}

impl TaskInput {
    /// When it is due.
    pub fn due(&self) -> Option<rules::Due> {
        rules::Due::of(self.due_on, self.due_at)
    }
}

/// Piece of work to be done, once or recurrently.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Task {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Title of the task, not blank, at most 200 characters.
    pub title: String,
    /// Free text, at most 5000 characters.
    pub note: Option<String>,
    /// Status of the task.
    pub status: Status,
    /// Priority of the task.
    pub priority: Priority,
    /// Day by the end of which the task is due (`YYYY-MM-DD`), in the organization's time zone;
    /// null if it is due at an instant or never.
    pub due_on: Option<NaiveDate>,
    /// Instant at which the task is due (RFC 3339, UTC), in whole microseconds; null if it is due
    /// on a day or never.
    pub due_at: Option<DateTime<Utc>>,
    /// Identifier of the member to whom the task is assigned; null for none.
    pub assignee_member_id: Option<Uuid>,
    /// Lowest role of the members for whom the task is meant; null for no restriction.
    pub assignee_role: Option<Role>,
    /// Identifier of the project of the task; null for none.
    pub project_id: Option<Uuid>,
    /// Estimated effort in minutes, 1 to 1000000.
    pub estimate_minutes: Option<i64>,
    /// Labels for search, unique ignoring case: at most 20 of 1 to 50 characters each.
    pub tags: Vec<String>,
    /// Data of the client that the server stores and does not interpret: a JSON object of at most
    /// 16 KiB.
    pub metadata: Option<Map<String, Value>>,
    /// Recurrence rule of the task: an RFC 5545 RRULE without DTSTART, of at most 500 characters,
    /// with a frequency of `DAILY` or longer. Null for a task that does not recur.
    pub recurrence: Option<String>,
    /// Start of the recurrence, set by the server: an RFC 5545 DTSTART with its time zone. Null for
    /// a task that does not recur.
    pub recurs_from: Option<String>,
    /// Identifiers of the members who take turns at the tasks of the series, in their order, at
    /// most 50.
    pub rotation: Vec<Uuid>,
    /// Number of turns that each member of the rotation has had, set by the server.
    pub turns: Vec<Turn>,
    /// Identifier of the preceding task of the series, set by the server. That task may have been
    /// deleted.
    pub previous_task_id: Option<Uuid>,
    /// Identifier of the following task of the series, set by the server when this one is done or
    /// cancelled. That task may have been deleted.
    pub next_task_id: Option<Uuid>,
    /// Time at which the task was done (RFC 3339, UTC), set by the server; null if it is not done.
    pub finished_at: Option<DateTime<Utc>>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::task::Model> for Task {
    type Error = Error;

    fn try_from(row: entity::task::Model) -> Result<Self> {
        let entity::task::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            title,
            note,
            status,
            open: _,
            priority,
            pressing: _,
            due_on,
            due_at,
            due_key: _,
            assignee_member_id,
            assignee_role,
            project_id,
            estimate_minutes,
            tags,
            metadata,
            recurrence,
            recurs_from,
            turns,
            previous_task_id,
            next_task_id,
            finished_at,
            search_key: _,
        } = row;
        let role = assignee_role.as_deref();
        let role = role.map(|role| stored::word(Column::AssigneeRole, id, role));
        let tags = tags.map(|tags| stored::json(Column::Tags, id, tags));
        let metadata = metadata.map(|metadata| stored::json(Column::Metadata, id, metadata));
        let turns = turns.map(|turns| stored::json(Column::Turns, id, turns));
        let turns: Vec<Turn> = turns.transpose()?.unwrap_or_default();
        Ok(Self {
            id,
            version,
            title,
            note,
            status: stored::word(Column::Status, id, &status)?,
            priority: stored::word(Column::Priority, id, &priority)?,
            due_on,
            due_at: due_at.map(|at| at.to_utc()),
            assignee_member_id,
            assignee_role: role.transpose()?,
            project_id,
            estimate_minutes,
            tags: tags.transpose()?.unwrap_or_default(),
            metadata: metadata.transpose()?,
            recurrence,
            recurs_from,
            rotation: turns.iter().map(|turn| turn.member_id).collect(),
            turns,
            previous_task_id,
            next_task_id,
            finished_at: finished_at.map(|at| at.to_utc()),
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

/// Filters, order and page of a list of tasks.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TaskQuery {
    /// Return tasks that are assigned to one of these members, or with `none` to nobody.
    #[param(value_type = Option<Vec<IdOrNone>>, inline)]
    pub assignee_member_id: Option<AnyOrNone<Uuid>>,
    /// Return tasks of one of these projects, or with `none` those without a project.
    #[param(value_type = Option<Vec<IdOrNone>>, inline)]
    pub project_id: Option<AnyOrNone<Uuid>>,
    /// Return tasks with one of these statuses.
    #[param(value_type = Option<Vec<Status>>, inline)]
    pub status: Option<AnyOf<Status>>,
    /// Return only pending tasks and those in progress (true), or only tasks that are done or
    /// cancelled (false).
    pub open: Option<bool>,
    /// Return tasks of one of these priorities.
    #[param(value_type = Option<Vec<Priority>>, inline)]
    pub priority: Option<AnyOf<Priority>>,
    /// Return only tasks of high or urgent priority (true), or only those of low or medium priority
    /// (false).
    pub pressing: Option<bool>,
    /// Return tasks with one of these tags, ignoring case. At most 50 characters each.
    #[validate(custom(function = text::any_of_tags))]
    #[param(value_type = Option<Vec<String>>)]
    pub tag: Option<AnyOf<String>>,
    /// Return tasks that are due on this day or later (`YYYY-MM-DD`), in the organization's time
    /// zone.
    #[validate(custom(function = text::day))]
    pub due_from: Option<NaiveDate>,
    /// Return tasks that are due on this day or earlier (`YYYY-MM-DD`), in the organization's time
    /// zone.
    #[validate(custom(function = text::day))]
    pub due_to: Option<NaiveDate>,
    /// Return tasks whose title or note contains this text, ignoring case. At most 200 characters.
    #[validate(length(max = 200))]
    pub q: Option<String>,
    /// Order of the list; `-` before a property is descending. Defaults to `due`.
    #[serde(default)]
    #[param(inline)]
    pub sort: TaskSort,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(TaskQuery);

/// Order of a list of tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum TaskSort {
    /// By due time, earliest first; tasks without one come last.
    #[default]
    #[serde(rename = "due")]
    Due,
    /// By due time, latest first; tasks without one come first.
    #[serde(rename = "-due")]
    DueDescending,
}
