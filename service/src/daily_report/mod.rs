//! What happened on a project on a day: the weather, who was there, what was done and what was in the way.

mod commands;
mod crew_hours;
mod repository;
pub mod rules;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use commands::{amend, amendments, approve, submit};
pub(crate) use commands::{explain_amendment, make_amendment, make_move};
pub use crew_hours::{crew_hours, take_hours};

use crate::{store::page::PageQuery, text};

/// How far a daily report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DailyReportStatus)]
pub enum Status {
    /// Still being written.
    Draft,
    /// Handed in: amended from now on, and not changed.
    Submitted,
    /// Accepted.
    Approved,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Submitted, Self::Approved];

    /// As it is written in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
        }
    }

    fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.as_str() == word).unwrap_or(Self::Draft)
    }
}

/// What an item tells of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DailyReportItemKind)]
pub enum ItemKind {
    /// What was done.
    #[default]
    Work,
    /// What held the work up.
    Delay,
    /// What came.
    Delivery,
    /// What happened, or was done, about safety.
    Safety,
    /// Who came.
    Visitor,
    /// What was in use.
    Equipment,
}

impl ItemKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Work, Self::Delay, Self::Delivery, Self::Safety, Self::Visitor, Self::Equipment];

    /// As it is written in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Delay => "delay",
            Self::Delivery => "delivery",
            Self::Safety => "safety",
            Self::Visitor => "visitor",
            Self::Equipment => "equipment",
        }
    }

    fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or_default()
    }
}

/// The weather of a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::in_order))]
pub struct Weather {
    /// In words: dry, fog in the morning.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub conditions: Option<String>,
    /// The lowest temperature, in tenths of a degree Celsius: -25 is -2.5 °C.
    #[validate(range(min = -1000, max = 1000))]
    #[schema(minimum = -1000, maximum = 1000)]
    pub temperature_low_tenths: Option<i64>,
    /// The highest temperature, not below the lowest.
    #[validate(range(min = -1000, max = 1000))]
    #[schema(minimum = -1000, maximum = 1000)]
    pub temperature_high_tenths: Option<i64>,
    /// Rain and snow, in tenths of a millimetre.
    #[validate(range(min = 0, max = 100_000))]
    #[schema(minimum = 0, maximum = 100_000)]
    pub precipitation_tenths: Option<i64>,
    /// Wind, in kilometres an hour.
    #[validate(range(min = 0, max = 500))]
    #[schema(minimum = 0, maximum = 500)]
    pub wind_kmh: Option<i64>,
}

/// Who was there: a member, or so many of a trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::one_or_the_other))]
#[schema(as = DailyReportCrew)]
pub struct Crew {
    /// A member, each once. Either this or `trade`.
    pub member_id: Option<Uuid>,
    /// People of this trade.
    #[validate(length(max = 100), custom(function = text::visible))]
    #[schema(max_length = 100)]
    pub trade: Option<String>,
    /// How many; a member is one.
    #[serde(default = "one")]
    #[validate(range(min = 1, max = 10_000))]
    #[schema(minimum = 1, maximum = 10_000)]
    pub count: i64,
    /// How long they worked, all together.
    #[serde(default)]
    #[validate(range(min = 0, max = 9_007_199_254_740_991_i64))]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub seconds: i64,
}

fn one() -> i64 {
    1
}

/// Something that there is to tell of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::minutes_of_a_delay))]
#[schema(as = DailyReportItem)]
pub struct Item {
    /// Of what kind.
    pub kind: ItemKind,
    /// What.
    #[validate(length(max = 1000), custom(function = text::visible))]
    #[schema(max_length = 1000)]
    pub text: String,
    /// How much of it, in thousandths of its unit: 1500 is one and a half.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub quantity_milli: Option<i64>,
    /// The unit.
    #[validate(length(max = 20))]
    #[schema(max_length = 20)]
    pub unit: Option<String>,
    /// How long a delay was. Other kinds have none.
    #[validate(range(min = 1, max = 1500))]
    #[schema(minimum = 1, maximum = 1500)]
    pub minutes: Option<i64>,
}

/// What a client may write of a daily report.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::members_once))]
pub struct DailyReportInput {
    /// The project.
    pub project_id: Uuid,
    /// The day. A project has one report for each.
    #[validate(custom(function = text::day))]
    pub day: NaiveDate,
    /// The weather.
    #[validate(nested)]
    pub weather: Option<Weather>,
    /// The day in a few words.
    #[validate(length(max = 5000))]
    #[schema(max_length = 5000)]
    pub summary: Option<String>,
    /// Who was there.
    #[serde(default)]
    #[validate(length(max = 200), nested)]
    #[schema(max_items = 200)]
    pub crew: Vec<Crew>,
    /// What there is to tell.
    #[serde(default)]
    #[validate(length(max = 200), nested)]
    #[schema(max_items = 200)]
    pub items: Vec<Item>,
}

/// What goes with submitting and approving.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DailyReportDecisionInput {
    /// Anything worth saying about the decision. A report that is submitted has none yet.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

/// What is amended, and why.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DailyReportAmendInput)]
pub struct AmendInput {
    /// Why.
    #[validate(length(max = 500), custom(function = text::visible))]
    #[schema(max_length = 500)]
    pub reason: String,
    /// A JSON Merge Patch (RFC 7396) of the report, as PATCH takes it, without a version.
    #[schema(schema_with = crate::input::patch_schema::<DailyReportInput>)]
    pub changes: Map<String, Value>,
}

/// Nothing goes with taking the hours of a day.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeHoursInput {}

/// What happened on a project on a day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DailyReport {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// The project.
    pub project_id: Uuid,
    /// The day.
    pub day: NaiveDate,
    /// How far it is.
    pub status: Status,
    /// The weather.
    pub weather: Option<Weather>,
    /// The day in a few words.
    pub summary: Option<String>,
    /// Who was there.
    pub crew: Vec<Crew>,
    /// What there is to tell.
    pub items: Vec<Item>,
    /// Who made it.
    pub created_by_member_id: Option<Uuid>,
    /// Who was the last to change or amend it since; nobody where it is as it was made.
    pub changed_by_member_id: Option<Uuid>,
    /// When it was submitted.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Who submitted it.
    pub submitted_by_member_id: Option<Uuid>,
    /// When it was last amended.
    pub amended_at: Option<DateTime<Utc>>,
    /// Who amended it last.
    pub amended_by_member_id: Option<Uuid>,
    /// Why it was last amended.
    pub amendment_reason: Option<String>,
    /// When it was approved.
    pub decided_at: Option<DateTime<Utc>>,
    /// Who approved it; nobody where none had to.
    pub decided_by_member_id: Option<Uuid>,
    /// What was said about it.
    pub decision_note: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

/// One amendment of a daily report.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DailyReportAmendment)]
pub struct Amendment {
    /// The version that it made.
    pub version: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who; nobody where it was the operator.
    pub member_id: Option<Uuid>,
    /// Why. None if it was erased since.
    pub reason: Option<String>,
}

/// The hours of a report's crew, beside the time that was recorded for its project and day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CrewHours {
    /// The report.
    pub daily_report_id: Uuid,
    /// Its project.
    pub project_id: Uuid,
    /// Its day.
    pub day: NaiveDate,
    /// Whether they are the same for each member.
    pub agrees: bool,
    /// What the report says of its members, all together.
    pub reported_seconds: i64,
    /// What they recorded, all together.
    pub recorded_seconds: i64,
    /// What the report says by trade, all together: nothing is recorded of those.
    pub trade_seconds: i64,
    /// Each member whom the report names or who recorded time, by id.
    pub members: Vec<MemberHours>,
}

/// The hours of one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberHours {
    /// The member.
    pub member_id: Uuid,
    /// What the report says; none if it does not name the member.
    pub reported_seconds: Option<i64>,
    /// What the member recorded; none if nothing.
    pub recorded_seconds: Option<i64>,
    /// What the report says beyond what was recorded.
    pub difference_seconds: i64,
}

/// Which daily reports, and in which order.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DailyReportQuery {
    /// Of this project.
    pub project_id: Option<Uuid>,
    /// Of this day or later.
    #[validate(custom(function = text::day))]
    pub from: Option<NaiveDate>,
    /// Of this day or earlier.
    #[validate(custom(function = text::day))]
    pub to: Option<NaiveDate>,
    /// In this status.
    #[param(inline)]
    pub status: Option<Status>,
    /// With an item of this kind.
    #[param(inline)]
    pub item_kind: Option<ItemKind>,
    /// With this text in the summary or in an item, without regard to case.
    #[validate(length(max = 200))]
    pub q: Option<String>,
    /// In which order; `-` for the latest first.
    #[serde(default)]
    #[param(inline)]
    pub sort: DailyReportSort,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl DailyReportQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// In which order daily reports come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum DailyReportSort {
    /// The earliest first.
    #[serde(rename = "day")]
    Day,
    /// The latest first.
    #[default]
    #[serde(rename = "-day")]
    DayDescending,
}
