//! Jobs: what time is spent on and money, for whom and where.

mod commands;
mod example;
pub(crate) mod repository;
pub mod rules;

use chrono::{DateTime, NaiveDate, Utc};
use entity::project::Column;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub(crate) use commands::{ensure_accepts_new, ensure_all_accept_new};

use crate::{
    amount, details,
    error::{Error, Result},
    geo,
    input::AnyOf,
    store::{page::paged, stored},
    text,
};

/// Status of a project. docs/work.md lists the permitted transitions.
///
/// - `planned`: Not started.
/// - `active`: In progress.
/// - `on_hold`: Suspended.
/// - `completed`: Finished. The project still accepts time and expenses.
/// - `archived`: Closed. The project accepts no new time, expenses, tasks or reports.
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
#[schema(as = ProjectStatus)]
pub enum Status {
    /// Not started.
    Planned,
    /// In progress.
    #[default]
    Active,
    /// Suspended.
    OnHold,
    /// Finished. The project still accepts time and expenses.
    Completed,
    /// Closed. The project accepts no new time, expenses, tasks or reports.
    Archived,
}

/// Writable properties of a project.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::in_order), schema(function = rules::whole_place))]
#[schema(examples(Self::example))]
pub struct ProjectInput {
    /// Job number, not blank, at most 50 characters. Unique in the organization, ignoring case.
    #[validate(length(max = 50), custom(function = text::visible))]
    pub job_number: Option<String>,
    /// Name of the project, not blank, at most 100 characters.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub name: String,
    /// Name of the client, at most 200 characters.
    #[validate(length(max = 200))]
    pub client: Option<String>,
    /// Status of the project. Defaults to `active`.
    #[serde(default)]
    pub status: Status,
    /// First day of the project (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub starts_on: Option<NaiveDate>,
    /// Last day of the project (`YYYY-MM-DD`), not before `starts_on`.
    #[validate(custom(function = text::day))]
    pub ends_on: Option<NaiveDate>,
    /// Budget of the project in minor units of `currency` (cents), 0 to 9007199254740991; null for
    /// none.
    #[validate(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub budget_minor: Option<i64>,
    /// ISO 4217 code of the currency of the budget, such as `EUR`. Defaults to the organization's
    /// currency.
    #[validate(custom(function = amount::currency_code))]
    #[schema(example = "EUR")]
    pub currency: Option<String>,
    /// Postal address or description of the site, at most 500 characters.
    #[validate(length(max = 500))]
    pub address: Option<String>,
    /// Latitude of the site in degrees north, -90 to 90, at most seven decimals. Requires
    /// `longitude`.
    #[validate(range(min = -90.0, max = 90.0), custom(function = geo::degrees))]
    pub latitude: Option<f64>,
    /// Longitude of the site in degrees east, -180 to 180, at most seven decimals. Requires
    /// `latitude`.
    #[validate(range(min = -180.0, max = 180.0), custom(function = geo::degrees))]
    pub longitude: Option<f64>,
    /// Free text, at most 5000 characters.
    #[validate(length(max = 5000))]
    pub note: Option<String>,
    /// Data of the client that the server stores and does not interpret: a JSON object of at most
    /// 16 KiB.
    #[validate(custom(function = details::small))]
    pub details: Option<Map<String, Value>>,
}

/// Job to which time, expenses, tasks, daily reports and incidents belong.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Project {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Job number, not blank, at most 50 characters. Unique in the organization, ignoring case.
    pub job_number: Option<String>,
    /// Name of the project, not blank, at most 100 characters.
    pub name: String,
    /// Name of the client, at most 200 characters.
    pub client: Option<String>,
    /// Status of the project.
    pub status: Status,
    /// First day of the project (`YYYY-MM-DD`).
    pub starts_on: Option<NaiveDate>,
    /// Last day of the project (`YYYY-MM-DD`), not before `starts_on`.
    pub ends_on: Option<NaiveDate>,
    /// Budget of the project in minor units of `currency` (cents), 0 to 9007199254740991; null for
    /// none.
    pub budget_minor: Option<i64>,
    /// ISO 4217 code of the currency of the budget, such as `EUR`.
    pub currency: String,
    /// Postal address or description of the site, at most 500 characters.
    pub address: Option<String>,
    /// Latitude of the site in degrees north, -90 to 90, at most seven decimals.
    pub latitude: Option<f64>,
    /// Longitude of the site in degrees east, -180 to 180, at most seven decimals.
    pub longitude: Option<f64>,
    /// Free text, at most 5000 characters.
    pub note: Option<String>,
    /// Data of the client that the server stores and does not interpret: a JSON object of at most
    /// 16 KiB.
    pub details: Option<Map<String, Value>>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::project::Model> for Project {
    type Error = Error;

    fn try_from(row: entity::project::Model) -> Result<Self> {
        let entity::project::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            job_number,
            job_number_key: _,
            name,
            name_key: _,
            client,
            status,
            starts_on,
            ends_on,
            budget_minor,
            currency,
            address,
            latitude_e7,
            longitude_e7,
            note,
            details,
            search_key: _,
        } = row;
        let details = details.map(|details| stored::json(Column::Details, id, details));
        Ok(Self {
            id,
            version,
            job_number,
            name,
            client,
            status: stored::word(Column::Status, id, &status)?,
            starts_on,
            ends_on,
            budget_minor,
            currency,
            address,
            latitude: latitude_e7.map(geo::of_e7),
            longitude: longitude_e7.map(geo::of_e7),
            note,
            details: details.transpose()?,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

/// Filters and page of a list of projects.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProjectQuery {
    /// Return projects with one of these statuses.
    #[param(value_type = Option<Vec<Status>>, inline)]
    pub status: Option<AnyOf<Status>>,
    /// Return projects whose job number, name or client contains this text, ignoring case. At most
    /// 200 characters.
    #[validate(length(max = 200))]
    pub q: Option<String>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(ProjectQuery);
