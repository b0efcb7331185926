//! The weeks of members: whether what was worked in one may still be changed, and how far its approval is.

mod cards;
mod commands;
mod decide;
pub(crate) mod repository;
pub mod rules;
mod totals;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub(crate) use cards::{Cards, Week, hold};
pub use commands::{approve, create, reject, reopen, submit};
pub(crate) use commands::{reopen_submitted, submit_all};
pub use decide::{Decide, Decision, DecisionItem, DecisionResult, DecisionResults, decide};
pub use totals::{DayTotal, ProjectTotal, TimecardTotals, totals};

use crate::{store::page::PageQuery, text};

/// How far a timecard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TimecardStatus)]
pub enum Status {
    /// Time is still recorded.
    Open,
    /// Waits for a decision.
    Submitted,
    /// Accepted.
    Approved,
    /// Refused: its time can be changed, and it can be submitted again.
    Rejected,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Open, Self::Submitted, Self::Approved, Self::Rejected];

    /// As it is written in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.as_str() == word).unwrap_or(Self::Open)
    }
}

/// A timecard that is to be there before any time is.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimecardInput {
    /// Whose; one's own if it is left out.
    pub member_id: Option<Uuid>,
    /// The Monday of its week.
    #[validate(custom(function = rules::monday))]
    #[schema(example = "2026-11-16")]
    pub week_starts_on: NaiveDate,
}

/// What goes with a decision about a timecard.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimecardNote {
    /// Why.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

/// Why a timecard is opened again.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimecardReason {
    /// Why.
    #[validate(length(max = 500), custom(function = text::visible))]
    #[schema(max_length = 500)]
    pub reason: String,
}

/// What goes with a move of a timecard.
pub trait Remark: DeserializeOwned + Validate + Send + Sync + 'static {
    /// What it says.
    fn text(self) -> Option<String>;
}

impl Remark for TimecardNote {
    fn text(self) -> Option<String> {
        self.note
    }
}

impl Remark for TimecardReason {
    fn text(self) -> Option<String> {
        Some(self.reason)
    }
}

/// A member's ISO week in the organization's time zone.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Timecard {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// Whose.
    pub member_id: Uuid,
    /// Its Monday.
    pub week_starts_on: NaiveDate,
    /// How far it is.
    pub status: Status,
    /// When it was submitted.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Who submitted it; nobody where steward itself did.
    pub submitted_by_member_id: Option<Uuid>,
    /// When it was approved, rejected or opened again.
    pub decided_at: Option<DateTime<Utc>>,
    /// Who approved, rejected or opened it again; nobody where none had to.
    pub decided_by_member_id: Option<Uuid>,
    /// Why it was approved, rejected or opened again.
    pub decision_note: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::timecard::Model> for Timecard {
    fn from(row: entity::timecard::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            member_id: row.member_id,
            week_starts_on: row.week_starts_on,
            status: Status::of(&row.status),
            submitted_at: row.submitted_at.map(|at| at.to_utc()),
            submitted_by_member_id: row.submitted_by_member_id,
            decided_at: row.decided_at.map(|at| at.to_utc()),
            decided_by_member_id: row.decided_by_member_id,
            decision_note: row.decision_note,
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

/// Which timecards.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimecardQuery {
    /// Of this member.
    pub member_id: Option<Uuid>,
    /// In this status.
    #[param(inline)]
    pub status: Option<Status>,
    /// Of weeks that end on this day or later.
    #[validate(custom(function = text::day))]
    pub from: Option<NaiveDate>,
    /// Of weeks that begin on this day or earlier.
    #[validate(custom(function = text::day))]
    pub to: Option<NaiveDate>,
    /// In which order; `-` for the latest week first.
    #[serde(default)]
    #[param(inline)]
    pub sort: TimecardSort,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl TimecardQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// In which order timecards come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum TimecardSort {
    /// The earliest week first.
    #[serde(rename = "week_starts_on")]
    Week,
    /// The latest week first.
    #[default]
    #[serde(rename = "-week_starts_on")]
    WeekDescending,
}
