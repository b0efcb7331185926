//! Jobs: what time is spent on and money, for whom and where.

mod commands;
pub(crate) mod repository;
pub mod rules;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub(crate) use commands::{take, take_all};

use crate::{details, money, store::page::PageQuery, text};

/// How far a project is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectStatus)]
pub enum Status {
    /// It has not begun.
    Planned,
    /// It is being worked on.
    #[default]
    Active,
    /// It waits.
    OnHold,
    /// It is done; something may still come in.
    Completed,
    /// It is closed, and takes nothing new.
    Archived,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Planned, Self::Active, Self::OnHold, Self::Completed, Self::Archived];

    /// As it is written in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Active => "active",
            Self::OnHold => "on_hold",
            Self::Completed => "completed",
            Self::Archived => "archived",
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.as_str() == word).unwrap_or_default()
    }
}

/// What a client may write of a project.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::in_order), schema(function = rules::whole_place))]
pub struct ProjectInput {
    /// The job number, without regard to case the only one in the organization.
    #[validate(length(max = 50), custom(function = text::visible))]
    #[schema(max_length = 50)]
    pub job_number: Option<String>,
    /// The name.
    #[validate(length(max = 100), custom(function = text::visible))]
    #[schema(max_length = 100)]
    pub name: String,
    /// For whom.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub client: Option<String>,
    /// How far it is; `active` if it is left out. Which moves there are: docs/api.md.
    #[serde(default)]
    pub status: Status,
    /// The first day.
    #[validate(custom(function = text::day))]
    pub starts_on: Option<NaiveDate>,
    /// The last day, not before the first.
    #[validate(custom(function = text::day))]
    pub ends_on: Option<NaiveDate>,
    /// What it may cost, in minor units.
    #[validate(range(min = 0, max = 9_007_199_254_740_991_i64))]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub budget_minor: Option<i64>,
    /// The currency of the budget: an ISO 4217 code; the organization's if it is left out.
    #[validate(custom(function = money::currency_code))]
    #[schema(example = "EUR")]
    pub currency: Option<String>,
    /// Where.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub address: Option<String>,
    /// Degrees north, of at most seven decimals. Together with `longitude`.
    #[validate(range(min = -90.0, max = 90.0), custom(function = rules::degrees))]
    #[schema(minimum = -90, maximum = 90)]
    pub latitude: Option<f64>,
    /// Degrees east, of at most seven decimals. Together with `latitude`.
    #[validate(range(min = -180.0, max = 180.0), custom(function = rules::degrees))]
    #[schema(minimum = -180, maximum = 180)]
    pub longitude: Option<f64>,
    /// Anything worth saying.
    #[validate(length(max = 5000))]
    #[schema(max_length = 5000)]
    pub note: Option<String>,
    /// Whatever else the client keeps: an object of at most 16 KiB.
    #[validate(custom(function = details::small))]
    pub details: Option<Map<String, Value>>,
}

/// A project.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Project {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// The job number.
    pub job_number: Option<String>,
    /// The name.
    pub name: String,
    /// For whom.
    pub client: Option<String>,
    /// How far it is.
    pub status: Status,
    /// The first day.
    pub starts_on: Option<NaiveDate>,
    /// The last day.
    pub ends_on: Option<NaiveDate>,
    /// What it may cost, in minor units.
    pub budget_minor: Option<i64>,
    /// The currency of the budget.
    pub currency: String,
    /// Where.
    pub address: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Anything worth saying.
    pub note: Option<String>,
    /// Whatever else the client keeps.
    pub details: Option<Map<String, Value>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::project::Model> for Project {
    fn from(row: entity::project::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            job_number: row.job_number,
            name: row.name,
            client: row.client,
            status: Status::of(&row.status),
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            budget_minor: row.budget_minor,
            currency: row.currency,
            address: row.address,
            latitude: row.latitude_e7.map(rules::of_e7),
            longitude: row.longitude_e7.map(rules::of_e7),
            note: row.note,
            details: details::shown(row.details),
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

/// Which projects.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProjectQuery {
    /// In this status.
    #[param(inline)]
    pub status: Option<Status>,
    /// With this text in the job number, the name or the client, without regard to case.
    #[validate(length(max = 200))]
    pub q: Option<String>,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl ProjectQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}
