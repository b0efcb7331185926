//! What is to be done: by whom, by when, and again.

mod commands;
mod following;
mod reassign;
pub mod recurrence;
pub(crate) mod redate;
pub(crate) mod repository;
pub mod rules;
pub mod turns;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use reassign::reassign;
pub(crate) use reassign::reassign_some;
pub(crate) use redate::rezone;
pub use repository::statement;
pub use turns::Turn;

use crate::{details, role::Role, store::page::PageQuery, text};

/// How far a task is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TaskStatus)]
pub enum Status {
    /// It waits.
    #[default]
    Pending,
    /// Somebody is at it.
    InProgress,
    /// It is finished.
    Done,
    /// It is not to be done.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::InProgress, Self::Done, Self::Cancelled];

    /// As it is written in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.as_str() == word).unwrap_or_default()
    }

    /// Whether the task is still to be done.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::InProgress)
    }
}

/// How much a task matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TaskPriority)]
pub enum Priority {
    /// It can wait.
    Low,
    /// As most do.
    #[default]
    Medium,
    /// It cannot wait long.
    High,
    /// It cannot wait.
    Urgent,
}

impl Priority {
    /// Every priority.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Urgent];

    /// As it is written in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|priority| priority.as_str() == word).unwrap_or_default()
    }

    /// Whether it is high or urgent.
    pub fn is_pressing(self) -> bool {
        matches!(self, Self::High | Self::Urgent)
    }
}

/// What a client may write of a task.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::due_once), schema(function = rules::recurs))]
pub struct TaskInput {
    /// What is to be done.
    #[validate(length(max = 200), custom(function = text::visible))]
    #[schema(max_length = 200)]
    pub title: String,
    /// Anything worth saying.
    #[validate(length(max = 5000))]
    #[schema(max_length = 5000)]
    pub note: Option<String>,
    /// How far it is; `pending` if it is left out. Which moves there are: docs/api.md.
    #[serde(default)]
    pub status: Status,
    /// How much it matters; `medium` if it is left out.
    #[serde(default)]
    pub priority: Priority,
    /// The day by the end of which it is due.
    #[validate(custom(function = text::day))]
    pub due_on: Option<NaiveDate>,
    /// The instant at which it is due, if not a day.
    #[validate(custom(function = rules::instant))]
    pub due_at: Option<DateTime<Utc>>,
    /// Who does it. With a rotation, whose turn it is if it is left out.
    pub assignee_member_id: Option<Uuid>,
    /// For anybody who is at least this.
    pub assignee_role: Option<Role>,
    /// For which project.
    pub project_id: Option<Uuid>,
    /// How long it may take, in minutes.
    #[validate(range(min = 1, max = 1_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub estimate_minutes: Option<i64>,
    /// Words to find it by, without regard to case each once: at most 20 of at most 50 characters.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = text::tags))]
    #[schema(max_items = 20)]
    pub tags: Vec<String>,
    /// Whatever else the client keeps: an object of at most 16 KiB.
    #[validate(custom(function = details::small))]
    pub metadata: Option<Map<String, Value>>,
    /// When it comes again: an RRULE of RFC 5545, of whole days or longer. It takes a due day or instant.
    #[validate(length(max = 500))]
    #[schema(max_length = 500, example = "FREQ=WEEKLY;BYDAY=MO")]
    pub recurrence: Option<String>,
    /// Who takes turns at one that recurs, in their order: at most 50 members.
    #[serde(default)]
    #[validate(length(max = 50), custom(function = turns::distinct))]
    #[schema(max_items = 50)]
    pub rotation: Vec<Uuid>,
}

impl TaskInput {
    /// When it is due.
    pub fn due(&self) -> Option<rules::Due> {
        rules::Due::of(self.due_on, self.due_at)
    }
}

/// A task.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Task {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// What is to be done.
    pub title: String,
    /// Anything worth saying.
    pub note: Option<String>,
    /// How far it is.
    pub status: Status,
    /// How much it matters.
    pub priority: Priority,
    /// The day by the end of which it is due.
    pub due_on: Option<NaiveDate>,
    /// The instant at which it is due.
    pub due_at: Option<DateTime<Utc>>,
    /// Who does it.
    pub assignee_member_id: Option<Uuid>,
    /// For anybody who is at least this.
    pub assignee_role: Option<Role>,
    /// For which project.
    pub project_id: Option<Uuid>,
    /// How long it may take, in minutes.
    pub estimate_minutes: Option<i64>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Whatever else the client keeps.
    pub metadata: Option<Map<String, Value>>,
    /// When it comes again.
    pub recurrence: Option<String>,
    /// Where the recurrence counts from: a DTSTART of RFC 5545, with the time zone.
    pub recurs_from: Option<String>,
    /// Who takes turns, in their order.
    pub rotation: Vec<Uuid>,
    /// How many turns each of them has had.
    pub turns: Vec<Turn>,
    /// The one that was finished, and that this one follows. It may be gone.
    pub previous_task_id: Option<Uuid>,
    /// The one that was made when this was finished. It may be gone.
    pub next_task_id: Option<Uuid>,
    /// When it was done.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::task::Model> for Task {
    fn from(row: entity::task::Model) -> Self {
        let turns = turns::shown(row.turns);
        Self {
            id: row.id,
            version: row.version,
            title: row.title,
            note: row.note,
            status: Status::of(&row.status),
            priority: Priority::of(&row.priority),
            due_on: row.due_on,
            due_at: row.due_at.map(|at| at.to_utc()),
            assignee_member_id: row.assignee_member_id,
            assignee_role: row.assignee_role.as_deref().map(Role::of),
            project_id: row.project_id,
            estimate_minutes: row.estimate_minutes,
            tags: text::tags_of(row.tags.as_ref()),
            metadata: details::shown(row.metadata),
            recurrence: row.recurrence,
            recurs_from: row.recurs_from,
            rotation: turns.iter().map(|turn| turn.member_id).collect(),
            turns,
            previous_task_id: row.previous_task_id,
            next_task_id: row.next_task_id,
            finished_at: row.finished_at.map(|at| at.to_utc()),
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

/// Which tasks, and in which order.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TaskQuery {
    /// Of this member.
    pub assignee_member_id: Option<Uuid>,
    /// For this project.
    pub project_id: Option<Uuid>,
    /// In this status.
    #[param(inline)]
    pub status: Option<Status>,
    /// Still to be done, or not any more.
    pub open: Option<bool>,
    /// Of this priority.
    #[param(inline)]
    pub priority: Option<Priority>,
    /// Of high or urgent priority, or of none of these.
    pub pressing: Option<bool>,
    /// With this tag, without regard to case.
    #[validate(length(max = 50))]
    pub tag: Option<String>,
    /// Due on this day or later.
    #[validate(custom(function = text::day))]
    pub due_from: Option<NaiveDate>,
    /// Due on this day or earlier.
    #[validate(custom(function = text::day))]
    pub due_to: Option<NaiveDate>,
    /// With this text in the title or the note, without regard to case.
    #[validate(length(max = 200))]
    pub q: Option<String>,
    /// In which order; `-` for the latest first.
    #[serde(default)]
    #[param(inline)]
    pub sort: TaskSort,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl TaskQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// In which order tasks come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum TaskSort {
    /// What is due first comes first, and what never is, last.
    #[default]
    #[serde(rename = "due")]
    Due,
    /// What is due last comes first, after what never is.
    #[serde(rename = "-due")]
    DueDescending,
}
