//! What an hour of a member costs, and since when.
//!
//! A rate holds from its day until the day of the next one: what was worked before a raise costs what it
//! cost then. `hourly_rate_minor` of the member is the rate that holds now, and the two are written
//! together: whoever sets the one sets the other.

mod commands;
pub(crate) mod repository;
pub mod rules;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub(crate) use commands::{remove_all, set};

use crate::{store::page::PageQuery, text};

/// What a client may write of a rate.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateInput {
    /// Whose; it stays as it is.
    pub member_id: Uuid,
    /// The first day, not after today. A member has one rate at most that begins on a day.
    #[validate(custom(function = text::day))]
    pub starts_on: NaiveDate,
    /// What an hour costs, in minor units of the organization's currency. Null where the member has no rate
    /// from that day on.
    #[validate(range(min = 0, max = 9_007_199_254_740_991_i64))]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub hourly_rate_minor: Option<i64>,
}

/// What an hour of a member costs from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rate {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// Whose.
    pub member_id: Uuid,
    /// The first day.
    pub starts_on: NaiveDate,
    /// What an hour costs, in minor units of the organization's currency.
    pub hourly_rate_minor: Option<i64>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::rate::Model> for Rate {
    fn from(row: entity::rate::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            member_id: row.member_id,
            starts_on: row.starts_on,
            hourly_rate_minor: row.hourly_rate_minor,
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

/// Which rates.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RateQuery {
    /// Of this member.
    pub member_id: Option<Uuid>,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl RateQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}
