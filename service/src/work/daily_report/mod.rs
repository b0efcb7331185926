//! What happened on a project on a day: the weather, who was there, what was done and what was in the way.

mod commands;
mod crew_hours;
mod example;
mod repository;
pub mod rules;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use commands::{amend, amendments};
pub(crate) use commands::{apply_amendment, ensure_attachable, explain_amendment};
pub use crew_hours::{crew_hours, take_hours};

use crate::{input::AnyOf, store::page::paged, text};

/// Status of a daily report.
///
/// - `draft`: Not submitted yet. The report may be updated and deleted.
/// - `submitted`: Awaits approval. The report may only be amended.
/// - `approved`: Approved. The report may only be amended.
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
#[schema(as = DailyReportStatus)]
pub enum Status {
    /// Not submitted yet. The report may be updated and deleted.
    Draft,
    /// Awaits approval. The report may only be amended.
    Submitted,
    /// Approved. The report may only be amended.
    Approved,
}

/// Type of an item of a daily report.
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
#[schema(as = DailyReportItemKind)]
pub enum ItemKind {
    /// Work that was done.
    #[default]
    Work,
    /// Interruption of the work.
    Delay,
    /// Delivery of material.
    Delivery,
    /// Safety measure or occurrence.
    Safety,
    /// Visitor on the site.
    Visitor,
    /// Equipment in use.
    Equipment,
}

/// Weather on the day of a daily report.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::in_order))]
#[schema(as = DailyReportWeather)]
pub struct Weather {
    /// Description of the weather, at most 200 characters.
    #[validate(length(max = 200))]
    pub conditions: Option<String>,
    /// Lowest temperature in tenths of a degree Celsius, -1000 to 1000: -25 is -2.5 °C.
    #[validate(range(min = -1000, max = 1000))]
    pub temperature_low_tenths: Option<i64>,
    /// Highest temperature in tenths of a degree Celsius, -1000 to 1000, not below
    /// `temperature_low_tenths`.
    #[validate(range(min = -1000, max = 1000))]
    pub temperature_high_tenths: Option<i64>,
    /// Precipitation in tenths of a millimetre, 0 to 100000.
    #[validate(range(min = 0, max = 100_000))]
    pub precipitation_tenths: Option<i64>,
    /// Wind speed in kilometres per hour, 0 to 500.
    #[validate(range(min = 0, max = 500))]
    pub wind_kmh: Option<i64>,
}

/// Line of the crew of a daily report: either a member, or a number of people of one trade.
#[crate::input::bounded]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::one_or_the_other))]
#[schema(as = DailyReportCrew)]
pub struct Crew {
    /// Identifier of the member; null for a line of a trade. A member occurs once in a crew.
    pub member_id: Option<Uuid>,
    /// Trade of the people, not blank, at most 100 characters; null for a line of a member.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub trade: Option<String>,
    /// Number of people, 1 to 10000; 1 for a member. Defaults to 1.
    #[serde(default = "one")]
    #[validate(range(min = 1, max = 10_000))]
    pub count: i64,
    /// Time worked by all people of the line together, in seconds, 0 to 9007199254740991. Defaults
    /// to 0.
    #[serde(default)]
    #[validate(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub seconds: i64,
}

fn one() -> i64 {
    1
}

/// Item of a daily report.
#[crate::input::bounded]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::minutes_of_a_delay))]
#[schema(as = DailyReportItem)]
pub struct Item {
    /// Type of the item.
    pub kind: ItemKind,
    /// Description of the item, not blank, at most 1000 characters.
    #[validate(length(max = 1000), custom(function = text::visible))]
    pub text: String,
    /// Quantity in thousandths of `unit`, 1 to 9007199254740991: 1500 is 1.5.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub quantity_milli: Option<i64>,
    /// Unit of the quantity, such as `m3`, at most 20 characters.
    #[validate(length(max = 20))]
    pub unit: Option<String>,
    /// Duration of a delay in minutes, 1 to 1500. Only allowed for items of kind `delay`.
    #[validate(range(min = 1, max = 1500))]
    pub minutes: Option<i64>,
}

/// Writable properties of a daily report.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::members_once))]
#[schema(examples(Self::example))]
pub struct DailyReportInput {
    /// Identifier of the project.
    pub project_id: Uuid,
    /// Day of the report (`YYYY-MM-DD`). A project has at most one report for each day.
    #[validate(custom(function = text::day))]
    pub day: NaiveDate,
    /// Weather on the day.
    #[validate(nested)]
    pub weather: Option<Weather>,
    /// Summary of the day, at most 5000 characters.
    #[validate(length(max = 5000))]
    pub summary: Option<String>,
    /// People who worked on the day, at most 200 lines.
    #[serde(default)]
    #[validate(length(max = 200), nested)]
    pub crew: Vec<Crew>,
    /// Items of the report, at most 200.
    #[serde(default)]
    #[validate(length(max = 200), nested)]
    pub items: Vec<Item>,
}

/// Comment that accompanies a transition of a daily report.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DailyReportTransitionInput, examples(json!({ "note": "Complete" })))]
pub struct DailyReportDecisionInput {
    /// Comment on the approval, at most 500 characters.
    #[validate(length(max = 500))]
    pub note: Option<String>,
}

/// Amendment of a submitted or approved daily report.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDailyReportAmendmentInput, examples(json!({
    "reason": "The delivery was missing.",
    "changes": { "summary": "Installed the cabinets. The worktop was delivered." },
})))]
pub struct AmendInput {
    /// Reason for the amendment, not blank, at most 500 characters.
    #[validate(length(max = 500), custom(function = text::visible))]
    pub reason: String,
    /// Changes to the report: a JSON Merge Patch (RFC 7396), without `version`.
    #[schema(schema_with = crate::input::patch_schema::<DailyReportInput>)]
    pub changes: Map<String, Value>,
}

/// Input of taking recorded hours into a daily report. It has no properties besides `version`.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TakeCrewHoursInput)]
pub struct TakeHoursInput {}

/// Report of what happened on a project on one day.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct DailyReport {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Identifier of the project.
    pub project_id: Uuid,
    /// Day of the report (`YYYY-MM-DD`). A project has at most one report for each day.
    pub day: NaiveDate,
    /// Status of the report, changed by transitions and amendments.
    pub status: Status,
    /// Weather on the day.
    pub weather: Option<Weather>,
    /// Summary of the day, at most 5000 characters.
    pub summary: Option<String>,
    /// People who worked on the day, at most 200 lines.
    pub crew: Vec<Crew>,
    /// Items of the report, at most 200.
    pub items: Vec<Item>,
    /// Identifier of the member who created the report, set by the server; null if no member did.
    pub created_by_member_id: Option<Uuid>,
    /// Identifier of the member who last updated or amended the report, set by the server; null if
    /// no member has.
    pub changed_by_member_id: Option<Uuid>,
    /// Time of the submission (RFC 3339, UTC), set by the server; null if the report is not
    /// submitted.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Identifier of the member who submitted the report, set by the server.
    pub submitted_by_member_id: Option<Uuid>,
    /// Time of the last amendment (RFC 3339, UTC), set by the server; null if there is none.
    pub amended_at: Option<DateTime<Utc>>,
    /// Identifier of the member who last amended the report, set by the server.
    pub amended_by_member_id: Option<Uuid>,
    /// Reason for the last amendment.
    pub amendment_reason: Option<String>,
    /// Time of the approval (RFC 3339, UTC), set by the server; null if there is none.
    pub decided_at: Option<DateTime<Utc>>,
    /// Identifier of the member who approved the report, set by the server; null if no approval was
    /// required.
    pub decided_by_member_id: Option<Uuid>,
    /// Comment on the approval.
    pub decision_note: Option<String>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

/// Amendment of a daily report.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DailyReportAmendment)]
pub struct Amendment {
    /// Version of the report that the amendment created.
    pub version: i64,
    /// Time of the amendment (RFC 3339, UTC).
    pub at: DateTime<Utc>,
    /// Identifier of the member who amended the report; null if no member did.
    pub member_id: Option<Uuid>,
    /// Reason for the amendment; null if it has been erased since.
    pub reason: Option<String>,
}

/// Comparison of the hours in a daily report with the time entries of its project and day.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DailyReportCrewHours)]
pub struct CrewHours {
    /// Identifier of the daily report.
    pub daily_report_id: Uuid,
    /// Identifier of the project.
    pub project_id: Uuid,
    /// Day of the report (`YYYY-MM-DD`).
    pub day: NaiveDate,
    /// Whether reported and recorded time are equal for every member.
    pub agrees: bool,
    /// Time that the report states for members, in seconds.
    pub reported_seconds: i64,
    /// Time that the members have recorded, in seconds.
    pub recorded_seconds: i64,
    /// Time that the report states by trade, in seconds. It has no counterpart in time entries.
    pub trade_seconds: i64,
    /// Comparison for each member whom the report names or who has recorded time, ordered by
    /// identifier.
    pub members: Vec<MemberHours>,
}

/// Comparison of the reported and the recorded time of one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DailyReportMemberHours)]
pub struct MemberHours {
    /// Identifier of the member.
    pub member_id: Uuid,
    /// Time that the report states, in seconds; null if it does not name the member.
    pub reported_seconds: Option<i64>,
    /// Time that the member has recorded, in seconds; null if there is none.
    pub recorded_seconds: Option<i64>,
    /// Reported less recorded time, in seconds.
    pub difference_seconds: i64,
}

/// Filters, order and page of a list of daily reports.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DailyReportQuery {
    /// Return reports of one of these projects.
    #[param(value_type = Option<Vec<Uuid>>)]
    pub project_id: Option<AnyOf<Uuid>>,
    /// Return reports of this day or later (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub from: Option<NaiveDate>,
    /// Return reports of this day or earlier (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub to: Option<NaiveDate>,
    /// Return reports with one of these statuses.
    #[param(value_type = Option<Vec<Status>>, inline)]
    pub status: Option<AnyOf<Status>>,
    /// Return reports with an item of one of these kinds.
    #[param(value_type = Option<Vec<ItemKind>>, inline)]
    pub item_kind: Option<AnyOf<ItemKind>>,
    /// Return reports whose summary or items contain this text, ignoring case. At most 200
    /// characters.
    #[validate(length(max = 200))]
    pub q: Option<String>,
    /// Order of the list; `-` before a property is descending. Defaults to `-day`.
    #[serde(default)]
    #[param(inline)]
    pub sort: DailyReportSort,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(DailyReportQuery);

/// Order of a list of daily reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum DailyReportSort {
    /// By day, earliest first.
    #[serde(rename = "day")]
    Day,
    /// By day, latest first.
    #[default]
    #[serde(rename = "-day")]
    DayDescending,
}
