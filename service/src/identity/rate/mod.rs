//! What an hour of a member costs, and since when.
//!
//! A rate holds from its day until the day of the next one: what was worked before a raise costs what it
//! cost then. `hourly_rate_minor` of the member is the rate that holds now, and the two are written
//! together: whoever sets the one sets the other.

mod commands;
mod example;
pub(crate) mod repository;
pub mod rules;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub(crate) use commands::{remove_all, set};

use crate::{
    error::{Error, Result},
    input::AnyOf,
    store::page::paged,
    text,
};

/// Writable properties of a rate.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct RateInput {
    /// Identifier of the member. Immutable.
    pub member_id: Uuid,
    /// First day on which the rate holds (`YYYY-MM-DD`). Unique for the member. It must not be
    /// after today.
    #[validate(custom(function = text::day))]
    pub starts_on: NaiveDate,
    /// Cost of one hour in minor units of the organization's currency (cents), 0 to
    /// 9007199254740991; null if the member has no rate from this day on.
    #[validate(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub hourly_rate_minor: Option<i64>,
}

/// Cost of an hour of a member's work. It holds until the day of the member's next rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Rate {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Identifier of the member. Immutable.
    pub member_id: Uuid,
    /// First day on which the rate holds (`YYYY-MM-DD`). Unique for the member.
    pub starts_on: NaiveDate,
    /// Cost of one hour in minor units of `currency` (cents), 0 to 9007199254740991; null if the
    /// member has no rate from this day on.
    pub hourly_rate_minor: Option<i64>,
    /// ISO 4217 code of the rate's currency, set by the server: that of the organization, which
    /// cannot change while there are rates. Null only of a rate that a node of an earlier version
    /// has written.
    #[schema(example = "EUR")]
    pub currency: Option<String>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::rate::Model> for Rate {
    type Error = Error;

    fn try_from(row: entity::rate::Model) -> Result<Self> {
        let entity::rate::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            member_id,
            starts_on,
            hourly_rate_minor,
            currency,
        } = row;
        Ok(Self {
            id,
            version,
            member_id,
            starts_on,
            hourly_rate_minor,
            currency,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

/// Filter and page of a list of rates.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RateQuery {
    /// Return rates of one of these members.
    #[param(value_type = Option<Vec<Uuid>>)]
    pub member_id: Option<AnyOf<Uuid>>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(RateQuery);
