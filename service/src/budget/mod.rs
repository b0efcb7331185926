//! How much may be spent in a period.

mod commands;
pub(crate) mod repository;
pub mod rules;
pub(crate) mod thresholds;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::{money, text};

/// How long a budget lasts before it starts anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BudgetPeriod)]
pub enum Period {
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months, from January.
    Quarter,
    /// A calendar year.
    Year,
}

impl Period {
    /// Every period.
    pub const ALL: [Self; 4] = [Self::Week, Self::Month, Self::Quarter, Self::Year];

    fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|period| period.as_str() == word).unwrap_or(Self::Month)
    }
}

/// What a client may write of a budget.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetInput {
    /// The name.
    #[validate(length(max = 100), custom(function = text::visible))]
    #[schema(max_length = 100)]
    pub name: String,
    /// What it is for, with all categories below; for all spending if it is left out.
    pub category_id: Option<Uuid>,
    /// How long it lasts before it starts anew.
    pub period: Period,
    /// How much may be spent in one period, in minor units.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount_minor: i64,
    /// An ISO 4217 code; the organization's if it is left out. Only spending in it counts.
    #[validate(custom(function = money::currency_code))]
    pub currency: Option<String>,
    /// The first day on which it holds.
    #[validate(custom(function = text::day))]
    pub starts_on: NaiveDate,
    /// The last day on which it holds, if there is one.
    #[validate(custom(function = text::day))]
    pub ends_on: Option<NaiveDate>,
}

/// A budget.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Budget {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// The name.
    pub name: String,
    /// What it is for.
    pub category_id: Option<Uuid>,
    /// How long it lasts before it starts anew.
    pub period: Period,
    /// How much may be spent in one period, in minor units.
    pub amount_minor: i64,
    /// The currency.
    pub currency: String,
    /// The first day on which it holds.
    pub starts_on: NaiveDate,
    /// The last day on which it holds.
    pub ends_on: Option<NaiveDate>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::budget::Model> for Budget {
    fn from(row: entity::budget::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            name: row.name,
            category_id: row.category_id,
            period: Period::of(&row.period),
            amount_minor: row.amount_minor,
            currency: row.currency,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}
