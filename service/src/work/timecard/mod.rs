//! The weeks of members: whether what was worked in one may still be changed, and how far its approval is.

mod commands;
mod decide;
mod example;
pub(crate) mod repository;
pub mod rules;
mod totals;
mod week_timecards;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use commands::{create, reopen};
pub(crate) use commands::{reopen_submitted, submit_all};
pub use decide::{Decide, Decision, DecisionItem, DecisionResult, DecisionResults, decide};
pub use totals::{DayTotal, ProjectTotal, TimecardTotals, totals};
pub(crate) use week_timecards::{Week, WeekTimecards, lock_members};

use crate::{
    error::{Error, Result},
    input::AnyOf,
    store::{page::paged, stored},
    text,
};

/// Status of a timecard in the approval workflow.
///
/// - `open`: Time of the week may be recorded and changed.
/// - `submitted`: Awaits a decision. Time of the week is locked.
/// - `approved`: Accepted. Time of the week is locked.
/// - `rejected`: Refused. Time of the week may be changed, and the timecard may be submitted again.
#[derive(
    Debug,
    Clone,
    Copy,
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
#[schema(as = TimecardStatus)]
pub enum Status {
    /// Time of the week may be recorded and changed.
    Open,
    /// Awaits a decision. Time of the week is locked.
    Submitted,
    /// Accepted. Time of the week is locked.
    Approved,
    /// Refused. Time of the week may be changed, and the timecard may be submitted again.
    Rejected,
}

/// Properties of a new timecard.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct TimecardInput {
    /// Identifier of the member. Defaults to the member who sends the request.
    pub member_id: Option<Uuid>,
    /// Monday of the ISO week (`YYYY-MM-DD`), in the organization's time zone.
    #[validate(custom(function = rules::monday))]
    #[schema(example = "2026-11-16")]
    pub week_starts_on: NaiveDate,
}

/// Comment that accompanies a transition of a timecard.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TimecardTransition, examples(json!({ "note": "Complete" })))]
pub struct TimecardNote {
    /// Comment on the decision, at most 500 characters.
    #[validate(length(max = 500))]
    pub note: Option<String>,
}

/// Reason for reopening a timecard.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TimecardReopening, examples(json!({ "reason": "Friday is missing." })))]
pub struct TimecardReason {
    /// Reason for reopening the timecard, not blank, at most 500 characters.
    #[validate(length(max = 500), custom(function = text::visible))]
    pub reason: String,
}

/// Approval of the time of one member in one ISO week.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Timecard {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Identifier of the member.
    pub member_id: Uuid,
    /// Monday of the ISO week (`YYYY-MM-DD`), in the organization's time zone.
    pub week_starts_on: NaiveDate,
    /// Status in the approval workflow, changed by transitions.
    pub status: Status,
    /// Time of the last submission (RFC 3339, UTC), set by the server; null if the timecard was not
    /// submitted.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Identifier of the member who submitted the timecard, set by the server; null if the server
    /// did.
    pub submitted_by_member_id: Option<Uuid>,
    /// Time of the approval, rejection or reopening (RFC 3339, UTC), set by the server; null if
    /// there is none.
    pub decided_at: Option<DateTime<Utc>>,
    /// Identifier of the member who approved, rejected or reopened the timecard, set by the server;
    /// null if no approval was required.
    pub decided_by_member_id: Option<Uuid>,
    /// Comment on the approval or rejection, or reason for the reopening.
    pub decision_note: Option<String>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::timecard::Model> for Timecard {
    type Error = Error;

    fn try_from(row: entity::timecard::Model) -> Result<Self> {
        let entity::timecard::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            member_id,
            week_starts_on,
            status,
            submitted_at,
            decided_at,
            decided_by_member_id,
            decision_note,
            submitted_by_member_id,
        } = row;
        Ok(Self {
            id,
            version,
            member_id,
            week_starts_on,
            status: stored::word(entity::timecard::Column::Status, id, &status)?,
            submitted_at: submitted_at.map(|at| at.to_utc()),
            submitted_by_member_id,
            decided_at: decided_at.map(|at| at.to_utc()),
            decided_by_member_id,
            decision_note,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

/// Filters, order and page of a list of timecards.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimecardQuery {
    /// Return timecards of one of these members.
    #[param(value_type = Option<Vec<Uuid>>)]
    pub member_id: Option<AnyOf<Uuid>>,
    /// Return timecards with one of these statuses.
    #[param(value_type = Option<Vec<Status>>, inline)]
    pub status: Option<AnyOf<Status>>,
    /// Return timecards of weeks that end on this day or later (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub from: Option<NaiveDate>,
    /// Return timecards of weeks that start on this day or earlier (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub to: Option<NaiveDate>,
    /// Order of the list; `-` before a property is descending. Defaults to `-week_starts_on`.
    #[serde(default)]
    #[param(inline)]
    pub sort: TimecardSort,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(TimecardQuery);

/// Order of a list of timecards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum TimecardSort {
    /// By week, earliest first.
    #[serde(rename = "week_starts_on")]
    Week,
    /// By week, latest first.
    #[default]
    #[serde(rename = "-week_starts_on")]
    WeekDescending,
}
